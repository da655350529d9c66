import { bodyOf, type Route } from '../api/route.ts';
import { sessionRoute, type McoContext } from './mco-context.ts';
import type { StreamChunkMessage, StreamReceiptMessage } from './messages.ts';

/** Mco-d: what is new of a stream that an operator has asked for. */
export function streamRoute(context: McoContext): Route {
  return sessionRoute(
    context,
    { method: 'POST', path: '/mco/v1/hosts/{hostId}/streams/{streamId}', body: 'json' },
    ['orchestration'],
    ({ request, hostId, session }) => {
      const chunk = bodyOf<StreamChunkMessage>(request);
      const body: StreamReceiptMessage = context.diagnostics.takeChunk(
        hostId,
        session,
        request.params['streamId'] ?? '',
        chunk,
      );
      return { status: 200, body };
    },
  );
}
