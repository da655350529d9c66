import type { StreamChunk } from '../mco-client/index.ts';

type Channel = 'stdout' | 'stderr';
export type StreamEnd = NonNullable<StreamChunk['end']>;

/** Output of one stream that waits for its chunk, within the bound of the request. Bounded: whoever writes waits for room. */
export interface OutputGatherer {
  readonly bytes: number;
  readonly isFull: boolean;
  /** How it ends, once nothing more comes. */
  readonly end: StreamEnd | undefined;
  push(channel: Channel, bytes: Uint8Array): void;
  /** Once; later ones say nothing. */
  close(end: StreamEnd): void;
  /** What there is, at most so much, and the end where that is all. */
  take(mostBytes: number): Pick<StreamChunk, 'stdout' | 'stderr' | 'end'>;
}

const FULL_BYTES = 256 * 1024;

/** @param onNews called when there is something to be sent */
export function createOutputGatherer(maxBytes: number, onNews: () => void): OutputGatherer {
  const waiting: Record<Channel, Uint8Array[]> = { stdout: [], stderr: [] };
  let bytes = 0;
  let total = 0;
  let end: StreamEnd | undefined;

  function takeFrom(channel: Channel, most: number): Buffer {
    const all = Buffer.concat(waiting[channel]);
    const taken = all.subarray(0, most);
    const rest = all.subarray(taken.length);
    waiting[channel] = rest.length === 0 ? [] : [rest];
    bytes -= taken.length;
    return taken;
  }

  return {
    get bytes() {
      return bytes;
    },
    get isFull() {
      return bytes >= FULL_BYTES;
    },
    get end() {
      return end;
    },
    push: (channel, pushed) => {
      if (end !== undefined) return;
      const taken = pushed.subarray(0, maxBytes - total);
      if (taken.length > 0) waiting[channel].push(taken);
      bytes += taken.length;
      total += taken.length;
      if (taken.length < pushed.length) end = { reason: 'BYTES' };
      onNews();
    },
    close: (how) => {
      end ??= how;
      onNews();
    },
    take: (mostBytes) => {
      const stderr = takeFrom('stderr', mostBytes);
      const stdout = takeFrom('stdout', mostBytes - stderr.length);
      return {
        ...(stdout.length === 0 ? {} : { stdout: stdout.toString('base64') }),
        ...(stderr.length === 0 ? {} : { stderr: stderr.toString('base64') }),
        ...(bytes > 0 || end === undefined ? {} : { end }),
      };
    },
  };
}
