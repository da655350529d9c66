import { IotmanoError, type HostId } from '../../kernel/index.ts';
import type { ApiResponse, Route } from '../api/route.ts';
import type { Revision } from '../store/index.ts';
import { computeWanted } from './compute-wanted.ts';
import {
  requireOwnSession,
  rolesOf,
  sessionRoute,
  type McoContext,
  type SessionRequest,
} from './mco-context.ts';
import type { WantedMessage } from './messages.ts';

/** The long poll: heartbeat, wanted state and collection jobs in one. */
export function wantedRoute(context: McoContext): Route {
  return sessionRoute(
    context,
    { method: 'GET', path: '/mco/v1/hosts/{hostId}/wanted', body: 'none' },
    ['orchestration', 'monitoring'],
    (request) => getWanted(context, request),
  );
}

async function getWanted(context: McoContext, poll: SessionRequest): Promise<ApiResponse> {
  const { inventory, clock, log } = context;
  const { hostId, session, request, envelope } = poll;
  if (rolesOf(context, session).includes('orchestration')) inventory.renewLease(hostId);
  const { query } = request;
  const since = query.get('full') === 'true' || !query.has('since') ? undefined : Number(query.get('since'));
  const waitSeconds = Math.min(Number(query.get('wait') ?? 0), inventory.leaseTerms(hostId).heartbeatSeconds);
  const wanted = await waitForNews(context, poll, since, clock.monotonic() + waitSeconds * 1000);
  if (wanted === 'too-old') throw tooOld(since ?? 0);
  const offset = envelope.clockOffsetMilliseconds;
  if (offset !== undefined && Math.abs(offset) > 60_000)
    log.debug({ hostId, offset }, 'clock of host is off');
  return toResponse(context, wanted, offset);
}

/** Ends with news, with the deadline, or with the request. Between two looks nothing is done for this poll. */
async function waitForNews(
  context: McoContext,
  { request, hostId, envelope }: SessionRequest,
  since: Revision | undefined,
  deadline: number,
): Promise<WantedMessage | 'unchanged' | 'too-old'> {
  const { changes, clock } = context;
  for (;;) {
    const found = look(context, hostId, since);
    const remaining = deadline - clock.monotonic();
    if (found !== 'unchanged' || remaining <= 0 || request.signal.aborted) return found;
    const over = new AbortController();
    const end = (): void => over.abort();
    const unsubscribe = changes.subscribe(hostId, end);
    request.signal.addEventListener('abort', end, { once: true });
    await clock.sleep(remaining, over.signal);
    unsubscribe();
    request.signal.removeEventListener('abort', end);
    // The session may have ended meanwhile, the host may be gone.
    requireOwnSession(context, request, envelope, hostId);
  }
}

function look(
  context: McoContext,
  hostId: HostId,
  since: Revision | undefined,
): ReturnType<typeof computeWanted> {
  const { store, changes, inventory, monitoring } = context;
  const host = inventory.requireHost(hostId).document;
  const terms = inventory.leaseTerms(hostId);
  const collectionJobs = monitoring.collectionJobsFor(hostId);
  return computeWanted({ store, changes, terms, host, collectionJobs }, hostId, since);
}

function toResponse(
  { changes }: McoContext,
  wanted: WantedMessage | 'unchanged',
  clockOffsetMilliseconds: number | undefined,
): ApiResponse {
  const revision = wanted === 'unchanged' ? changes.revision : wanted.revision;
  const headers = {
    'Mco-Revision': String(revision),
    ...(clockOffsetMilliseconds === undefined ? {} : { 'Mco-Clock-Offset': String(clockOffsetMilliseconds) }),
  };
  return wanted === 'unchanged' ? { status: 304, headers } : { status: 200, headers, body: wanted };
}

function tooOld(since: Revision): IotmanoError {
  return new IotmanoError(
    'gone',
    `what changed since revision ${since} is not known here any more; ask for the whole with full=true`,
    { parameter: 'since' },
  );
}
