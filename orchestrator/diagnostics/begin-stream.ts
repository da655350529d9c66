import { IotmanoError, messageOf } from '../../kernel/index.ts';
import type { DiagnosticEnd } from '../domain/index.ts';
import type { ApiRequest } from '../api/route.ts';
import type { DiagnosticsContext } from './context.ts';
import { isOnVim, requireHeard } from './copies.ts';
import { runLocally } from './run-locally.ts';
import type { DiagnosticStream, StreamOrder } from './stream.ts';
import { isSwitchedOn, requireSwitchedOn } from './switches.ts';

/**
 * Checks that it may be, notes it in the audit log, and has it carried out, by the agent of the host or on its VIM. Resolves when it has begun.
 * @throws IotmanoError `conflict` (switched off, not running, refused by the host), `not-found`, `too-many-requests`, `unavailable`, `timeout` (the host is silent)
 */
export async function beginStream(
  context: DiagnosticsContext,
  request: ApiRequest,
  order: StreamOrder,
): Promise<DiagnosticStream> {
  const { store, clock, streams, agents } = context;
  const { hostId } = order.copy;
  requireSwitchedOn(store, order.kind);
  const site = isOnVim(store, order.copy) ? context.siteOf(hostId) : undefined;
  if (site === undefined) requireHeard(store, order.copy);
  const stream = streams.open(request.caller, order);
  endWithRequest(context, request, stream);
  if (site === undefined) agents.follow(stream);
  // Nobody is told before it is in the log: agents by the pipeline, which waits for that too.
  await store.whenDurable();
  if (!isSwitchedOn(store, order.kind)) streams.end(stream, { reason: 'SWITCHED_OFF' });
  if (site !== undefined && stream.end === undefined) void runLocally(stream, site, streams, clock);
  await stream.begun;
  const refusal = refusalOf(stream);
  if (refusal === undefined) return stream;
  streams.release(stream);
  throw refusal;
}

/** Ends with whoever reads it, whether the answer has begun or not. */
function endWithRequest(
  { streams }: DiagnosticsContext,
  { signal }: ApiRequest,
  stream: DiagnosticStream,
): void {
  const onGone = (): void => {
    streams.end(stream, { reason: 'READER_GONE', detail: messageOf(signal.reason) }, true);
    streams.release(stream);
  };
  signal.addEventListener('abort', onGone, { once: true });
  if (signal.aborted) onGone();
}

/** What ended before it had begun was refused; what has told something is told to its end. */
function refusalOf({ end, outputBytes, order }: DiagnosticStream): IotmanoError | undefined {
  if (end === undefined || outputBytes > 0) return undefined;
  const text = end.detail ?? `it has ended: ${end.reason}`;
  const what = `host ${order.copy.hostId}: ${text}`;
  const codes: Partial<Record<DiagnosticEnd['reason'], ConstructorParameters<typeof IotmanoError>[0]>> = {
    REFUSED: 'conflict',
    SWITCHED_OFF: 'conflict',
    FAILED: 'unavailable',
    SESSION_ENDED: 'unavailable',
    READER_GONE: 'unavailable',
    HOST_SILENT: 'timeout',
  };
  const code = codes[end.reason];
  return code === undefined ? undefined : new IotmanoError(code, what, { reason: end.reason });
}
