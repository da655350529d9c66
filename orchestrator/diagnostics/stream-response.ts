import { Readable } from 'node:stream';
import type { ApiRequest, ApiResponse } from '../api/route.ts';
import type { Clock } from '../../kernel/index.ts';
import { FRAMES_TYPE, framesOf, type StreamReading } from './frames.ts';
import type { DiagnosticStream } from './stream.ts';
import type { Streams } from './streams.ts';

/** So long what is left of a stream that has ended waits for its reader: it counts among the streams that are open. */
const REST_MILLISECONDS = 120_000;

/** The answer that tells a stream to its end, and ends it where nobody reads it any more. */
export function streamResponse(
  { streams, clock }: { readonly streams: Pick<Streams, 'end' | 'release'>; readonly clock: Clock },
  request: Pick<ApiRequest, 'isStillCaller'>,
  stream: DiagnosticStream,
  render: (reading: StreamReading) => AsyncGenerator<string | Uint8Array> = framesOf,
): ApiResponse {
  const reading: StreamReading = {
    stream,
    clock,
    isStillCaller: () => request.isStillCaller(),
    onLost: () =>
      streams.end(stream, { reason: 'READER_GONE', detail: 'the token is not good any more' }, true),
  };
  const body = Readable.from(render(reading), { objectMode: false });
  const closed = new AbortController();
  const cutOff = (): void => {
    void clock.sleep(REST_MILLISECONDS, closed.signal).then(() => body.destroy());
  };
  if (stream.ended.aborted) cutOff();
  else stream.ended.addEventListener('abort', cutOff, { once: true });
  body.once('close', () => {
    closed.abort();
    streams.end(stream, { reason: 'READER_GONE' }, true);
    streams.release(stream);
  });
  const type = render === framesOf ? FRAMES_TYPE : 'text/plain; charset=utf-8';
  // Proxies that gather an answer would keep it from who waits for it.
  return {
    status: 200,
    headers: { 'Content-Type': type, 'X-Accel-Buffering': 'no' },
    stream: body,
  };
}
