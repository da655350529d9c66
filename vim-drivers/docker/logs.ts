import type { Clock } from '../../kernel/index.ts';
import type { LogOptions } from '../contract.ts';
import type { Engine } from './engine.ts';
import { hasStatus } from './engine-errors.ts';
import { isAfter, LogFrames } from './log-frames.ts';

const FOLLOW_MILLISECONDS = 200;

/**
 * The output of a slot: what there is, then what comes, over restarts of the program and other containers.
 * @param containerId of the slot now; nothing while it has none
 * @param isThere whether the slot is still there
 */
export async function* readLogs(
  engine: Engine,
  options: LogOptions,
  clock: Clock,
  containerId: () => string | undefined,
  isThere: () => boolean,
): AsyncGenerator<Uint8Array> {
  let last = '';
  let lastId = containerId();
  let { tailLines } = options;
  for (;;) {
    const id = containerId();
    if (id !== lastId) {
      last = '';
      tailLines = undefined;
    }
    lastId = id;
    if (id !== undefined) {
      // Only what an earlier reading gave is left out: in one reading the parts of a long line have one time, and stdout and stderr overtake each other.
      const seen = last;
      for await (const { time, bytes } of readOnce(engine, id, options, seen, tailLines)) {
        if (time !== '' && seen !== '' && !isAfter(time, seen)) continue;
        if (time !== '' && (last === '' || isAfter(time, last))) last = time;
        yield bytes;
        if (options.signal?.aborted === true) return;
      }
      // Until there was something, all that is older is still left out.
      if (last !== '') tailLines = undefined;
    }
    if (!options.follow || options.signal?.aborted === true || !isThere()) return;
    await clock.sleep(FOLLOW_MILLISECONDS, options.signal);
  }
}

async function* readOnce(
  engine: Engine,
  id: string,
  { follow, signal }: LogOptions,
  since: string,
  tailLines: number | undefined,
): AsyncGenerator<{ readonly time: string; readonly bytes: Uint8Array }> {
  const frames = new LogFrames();
  try {
    const stream = await engine.stream({
      method: 'GET',
      path: `/containers/${id}/logs`,
      query: {
        stdout: true,
        stderr: true,
        timestamps: true,
        follow,
        ...(since === '' ? {} : { since: sinceQuery(since) }),
        ...(tailLines === undefined ? {} : { tail: tailLines }),
      },
      what: 'read the output of a container',
      ...(signal === undefined ? {} : { signal }),
    });
    for await (const chunk of stream) yield* frames.take(chunk as Buffer);
  } catch (error) {
    // It is gone, or just going.
    if (signal?.aborted === true || hasStatus(error, 404, 409)) return;
    throw error;
  }
}

/** Seconds and nanoseconds since 1970, as the engine wants them: a number would lose the last digits. */
export function sinceQuery(time: string): string {
  const fraction = /\.(\d+)/.exec(time)?.[1] ?? '0';
  return `${Math.floor(Date.parse(time) / 1000)}.${fraction.padEnd(9, '0')}`;
}
