import { Readable } from 'node:stream';
import type { ApiRequest, ApiResponse } from '../api/route.ts';
import type { DiagnosticsContext } from './context.ts';
import { FRAMES_TYPE, framesOf, type StreamReading } from './frames.ts';
import type { DiagnosticStream } from './stream.ts';

/** The answer that tells a stream to its end, and ends it where nobody reads it any more. */
export function streamResponse(
  { streams, clock }: DiagnosticsContext,
  request: ApiRequest,
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
  body.once('close', () => {
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
