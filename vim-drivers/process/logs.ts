import { open, stat } from 'node:fs/promises';
import type { Clock } from '../../kernel/index.ts';
import type { LogOptions } from '../contract.ts';

const CHUNK_BYTES = 64 * 1024;
const FOLLOW_MILLISECONDS = 200;

/** The output of one slot: what is in the older file and the current one, then what comes, over rotation. Ends when `isThere` says no. */
export async function* readOutput(
  path: string,
  options: LogOptions,
  clock: Clock,
  isThere: () => boolean,
): AsyncIterable<Uint8Array> {
  const older = `${path}.1`;
  let position = 0;
  if (options.tailLines === undefined) {
    yield* readFrom(older, 0);
  } else {
    const { inOlder, inCurrent } = await tailPositions(older, path, options.tailLines);
    yield* readFrom(older, inOlder);
    position = inCurrent;
  }
  for (;;) {
    const size = await sizeOf(path);
    if (size < position) {
      // Rotated: the rest of what was not read yet is at the end of the older file.
      yield* readFrom(older, position);
      position = 0;
    }
    for await (const chunk of readFrom(path, position)) {
      position += chunk.byteLength;
      yield chunk;
    }
    if (!options.follow || options.signal?.aborted === true || !isThere()) return;
    await clock.sleep(FOLLOW_MILLISECONDS, options.signal);
  }
}

async function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    (entry) => entry.size,
    () => 0,
  );
}

async function* readFrom(path: string, from: number): AsyncIterable<Uint8Array> {
  const file = await open(path, 'r').catch(() => undefined);
  if (file === undefined) return;
  try {
    let position = from;
    for (;;) {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(CHUNK_BYTES), 0, CHUNK_BYTES, position);
      if (bytesRead === 0) return;
      position += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

/** Where the last lines begin, in the current file and, where it has too few, in the older one. */
async function tailPositions(
  older: string,
  current: string,
  lines: number,
): Promise<{ readonly inOlder: number; readonly inCurrent: number }> {
  const inCurrent = await lineStart(current, lines);
  if (inCurrent.missing === 0) return { inOlder: await sizeOf(older), inCurrent: inCurrent.position };
  return { inOlder: (await lineStart(older, inCurrent.missing)).position, inCurrent: 0 };
}

/** Looks from the end of a file for the start of its last lines; `missing` is how many it lacks. */
async function lineStart(
  path: string,
  lines: number,
): Promise<{ readonly position: number; readonly missing: number }> {
  const size = await sizeOf(path);
  if (lines <= 0) return { position: size, missing: 0 };
  const file = await open(path, 'r').catch(() => undefined);
  if (file === undefined) return { position: 0, missing: lines };
  let found = 0;
  try {
    for (let end = size; end > 0; end -= CHUNK_BYTES) {
      const start = Math.max(0, end - CHUNK_BYTES);
      const { buffer } = await file.read(Buffer.alloc(end - start), 0, end - start, start);
      for (let index = buffer.length - 1; index >= 0; index -= 1) {
        // The newline at the very end closes the last line; it does not begin another.
        if (buffer[index] !== 0x0a || start + index === size - 1) continue;
        found += 1;
        if (found === lines) return { position: start + index + 1, missing: 0 };
      }
    }
  } finally {
    await file.close();
  }
  return { position: 0, missing: size === 0 ? lines : lines - found - 1 };
}
