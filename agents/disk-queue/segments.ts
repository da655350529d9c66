import { readdir, readFile, truncate, unlink, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeEntries, type QueueEntry } from './record-format.ts';

/** One append-only file of entries in ascending order. */
export interface Segment {
  readonly path: string;
  first: number;
  last: number;
  bytes: number;
}

const NAME = /^(\d{16})\.segment$/;

export function segmentPath(directory: string, first: number): string {
  return join(directory, `${String(first).padStart(16, '0')}.segment`);
}

/**
 * Reads what an earlier run has left, oldest first. The torn end of the newest file is cut off, so that it can be appended to;
 * what follows a rotten entry of an older one is lost, and the gap in the sequence shows it. Empty files are removed.
 */
export async function loadSegments(directory: string): Promise<Segment[]> {
  const names = (await readdir(directory)).filter((name) => NAME.test(name)).toSorted();
  const segments: Segment[] = [];
  for (const name of names) {
    const path = join(directory, name);
    const bytes = await readFile(path);
    const { entries, validBytes } = decodeEntries(bytes);
    const first = entries[0];
    const last = entries.at(-1);
    if (first === undefined || last === undefined) {
      await unlink(path);
      continue;
    }
    if (validBytes < bytes.length) await truncate(path, validBytes);
    segments.push({ path, first: first.sequence, last: last.sequence, bytes: validBytes });
  }
  return segments;
}

/** Entries after `afterSequence`, at most so many and so large, but at least one where there is one. */
export async function readSegment(
  segment: Segment,
  afterSequence: number,
  limit: { readonly entries: number; readonly bytes: number },
): Promise<QueueEntry[]> {
  if (segment.last <= afterSequence || limit.entries <= 0 || limit.bytes <= 0) return [];
  const content = (await readFile(segment.path)).subarray(0, segment.bytes);
  const chosen: QueueEntry[] = [];
  let size = 0;
  decodeEntries(content, ({ sequence, weight, payload }) => {
    if (sequence <= afterSequence) return false;
    if (chosen.length > 0 && size + payload.length > limit.bytes) return true;
    // A copy, so that a small entry does not keep the whole file in memory.
    chosen.push({ sequence, weight, payload: Buffer.from(payload) });
    size += payload.length;
    return chosen.length >= limit.entries || size >= limit.bytes;
  });
  return chosen;
}

/** What the entries after `afterSequence` count for together. */
export async function weighSegment(segment: Segment, afterSequence: number): Promise<number> {
  if (segment.last <= afterSequence) return 0;
  const content = (await readFile(segment.path)).subarray(0, segment.bytes);
  const left = decodeEntries(content).entries.filter(({ sequence }) => sequence > afterSequence);
  return left.reduce((sum, { weight }) => sum + weight, 0);
}

/** Closes without complaint: what mattered was synced before. */
export async function closeQuietly(handle: FileHandle | undefined): Promise<void> {
  await handle?.close().catch(() => undefined);
}
