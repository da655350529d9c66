import type { Clock } from '../../kernel/index.ts';
import type { components } from '../../api-specs/generated/iotmano.ts';
import type { ApiRequest } from '../api/route.ts';
import type { DiagnosticStream } from './stream.ts';

type Frame = components['schemas']['DiagnosticFrame'];

/** A sign of life on a stream on which nothing happens: connections that are silent for long are cut. */
export const ALIVE_MILLISECONDS = 15_000;

export const FRAMES_TYPE = 'application/x-ndjson';

/** Whether the client takes frames; else it gets plain text. */
export function wantsFrames({ headers }: ApiRequest): boolean {
  return (headers['accept'] ?? '').includes(FRAMES_TYPE);
}

export function lineOf(frame: Frame): string {
  return `${JSON.stringify(frame)}\n`;
}

export interface StreamReading {
  readonly stream: DiagnosticStream;
  readonly clock: Clock;
  /** Whether who reads may still do so; asked before anything is told. */
  readonly isStillCaller: () => boolean;
  /** Ends the stream where that one may not. */
  readonly onLost: () => void;
}

/** The stream as frames, to its end. */
export async function* framesOf(reading: StreamReading): AsyncGenerator<string> {
  const { stream } = reading;
  yield lineOf({ streamId: stream.id });
  for await (const { channel, bytes } of outputOf(reading))
    yield bytes.length === 0 ? lineOf({}) : lineOf({ [channel]: Buffer.from(bytes).toString('base64') });
  yield lineOf({ end: stream.end ?? { reason: 'FAILED' } });
}

/** What came, in order; empty for a sign of life. */
export async function* outputOf({
  stream,
  clock,
  isStillCaller,
  onLost,
}: StreamReading): AsyncGenerator<{ readonly channel: 'stdout' | 'stderr'; readonly bytes: Uint8Array }> {
  for (;;) {
    const next = await within(clock, ALIVE_MILLISECONDS, (signal) => stream.output.next(signal));
    if (next === 'closed') return;
    if (!isStillCaller()) {
      onLost();
      return;
    }
    yield next === 'waiting' ? { channel: 'stdout', bytes: new Uint8Array() } : next;
  }
}

/** Gives up waiting after that long, by the signal. */
export async function within<Value>(
  clock: Clock,
  milliseconds: number,
  wait: (signal: AbortSignal) => Promise<Value>,
): Promise<Value> {
  const over = new AbortController();
  const done = new AbortController();
  void clock.sleep(milliseconds, done.signal).then(() => over.abort());
  return await wait(over.signal).finally(() => done.abort());
}
