import { Readable } from 'node:stream';
import { IotmanoError, type Clock } from '../../kernel/index.ts';
import type { StateStore } from '../store/index.ts';
import { publicEvents } from './event-summary.ts';
import { READERS, type ApiRequest, type ApiResponse, type Route } from './route-types.ts';

export interface EventOptions {
  readonly store: StateStore;
  readonly clock: Clock;
  /** A sign of life on a stream on which nothing happens, milliseconds. */
  readonly heartbeatMilliseconds?: number;
  /** Streams at one time. */
  readonly maxStreams?: number;
}

const DEFAULT_HEARTBEAT_MILLISECONDS = 15_000;
const DEFAULT_MAX_STREAMS = 500;

/**
 * What changes, as server-sent events. A stream holds nothing but the revision that it has come to and reads on in the bounded change log
 * of the store when its client takes more: a slow client costs no memory, and one that is too slow is told so.
 */
export function eventRoutes(options: EventOptions): readonly Route[] {
  let open = 0;
  return [
    {
      method: 'GET',
      path: '/iotmano/v1/events',
      access: READERS,
      body: 'none',
      handle: async (request): Promise<ApiResponse> => {
        if (open >= (options.maxStreams ?? DEFAULT_MAX_STREAMS)) {
          throw new IotmanoError(
            'too-many-requests',
            `${open} event streams are open, which is the most there may be; close some, or try again later`,
          );
        }
        const since = startOf(request, options.store);
        const stream = Readable.from(eventLines(options, request, since), {
          objectMode: false,
          highWaterMark: 65_536,
        });
        open += 1;
        stream.once('close', () => (open -= 1));
        return {
          status: 200,
          headers: { 'Content-Type': 'text/event-stream', 'X-Accel-Buffering': 'no' },
          stream,
        };
      },
    },
  ];
}

/** @throws IotmanoError `gone` where the log does not reach back, or the revision is of another state */
function startOf(request: ApiRequest, store: StateStore): number {
  const text = request.headers['last-event-id'] ?? request.query.get('since');
  if (text === null || text === '')
    return request.query.get('follow') === 'false' ? store.oldestRevision : store.durableRevision;
  const since = Number(text);
  if (since > store.durableRevision || store.changesSince(since) === 'too-old') {
    throw new IotmanoError(
      'gone',
      `events since revision ${since} are not there (the log reaches from ${store.oldestRevision} to ${store.durableRevision}); read the resources anew, then ask without since`,
      { parameter: 'since', oldestRevision: store.oldestRevision },
    );
  }
  return since;
}

async function* eventLines(
  { store, clock, heartbeatMilliseconds }: EventOptions,
  request: ApiRequest,
  since: number,
): AsyncGenerator<string> {
  const kinds = request.query.get('kind')?.split(',');
  const isFollowing = request.query.get('follow') !== 'false';
  const wake = createWake();
  const unsubscribe = store.subscribe(() => wake.ring());
  try {
    let revision = since;
    yield 'retry: 1000\n\n';
    // A token may be deleted, or expire, while its stream is open; the client's next request then learns it.
    while (!request.signal.aborted && request.isStillCaller()) {
      const changes = store.changesSince(revision);
      if (changes === 'too-old') {
        yield `event: too-old\ndata: ${JSON.stringify({ revision, newest: store.durableRevision })}\n\n`;
        return;
      }
      for (const change of changes) {
        revision = change.revision;
        const events = publicEvents(change, request.caller).filter(
          ({ kind }) => kinds === undefined || kinds.includes(kind),
        );
        // The id only with the last event of a revision: whoever resumes there has seen the whole revision.
        for (const [index, event] of events.entries())
          yield `${index === events.length - 1 ? `id: ${revision}\n` : ''}data: ${JSON.stringify(event)}\n\n`;
      }
      if (!isFollowing) return;
      const woken = await wake.wait(
        clock,
        heartbeatMilliseconds ?? DEFAULT_HEARTBEAT_MILLISECONDS,
        request.signal,
      );
      if (!woken) yield `: alive\nid: ${revision}\n\n`;
    }
  } finally {
    unsubscribe();
  }
}

interface Wake {
  ring(): void;
  /** Whether it was rung, before or while waiting. */
  wait(clock: Clock, milliseconds: number, signal: AbortSignal): Promise<boolean>;
}

function createWake(): Wake {
  let isRung = false;
  let current = new AbortController();
  return {
    ring() {
      isRung = true;
      current.abort();
    },
    async wait(clock, milliseconds, signal) {
      if (!isRung) await clock.sleep(milliseconds, AbortSignal.any([current.signal, signal]));
      const wasRung = isRung;
      isRung = false;
      current = new AbortController();
      return wasRung;
    },
  };
}
