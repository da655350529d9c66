import { IotmanoError } from '../../kernel/index.ts';
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
import type { OpenPoll } from './polls.ts';
import { sealAssignments } from './seal-assignments.ts';

/** Node makes an error with its stack for each abort that has no reason. */
const WOKEN = 'woken';

/** The long poll: heartbeat, wanted state and collection jobs in one. */
export function wantedRoute(context: McoContext): Route {
  return sessionRoute(
    context,
    { method: 'GET', path: '/mco/v1/hosts/{hostId}/wanted', body: 'none' },
    ['orchestration', 'monitoring'],
    (request) => getWanted(context, request),
  );
}

async function getWanted(context: McoContext, request: SessionRequest): Promise<ApiResponse> {
  const { inventory, clock, polls } = context;
  const { hostId, session, envelope } = request;
  if (rolesOf(context, session).includes('orchestration'))
    inventory.renewLease(hostId, envelope.clockOffsetMilliseconds);
  const { query } = request.request;
  const since = query.get('full') === 'true' || !query.has('since') ? undefined : Number(query.get('since'));
  const waitSeconds = Math.min(Number(query.get('wait') ?? 0), inventory.leaseTerms(hostId).heartbeatSeconds);
  const open = polls.begin(`${hostId} ${session.bootId} ${(session.roles ?? []).join(' ')}`);
  const poll: Poll = { ...request, since, deadline: clock.monotonic() + waitSeconds * 1000, open };
  const wanted = await waitForNews(context, poll).finally(open.end);
  if (wanted === 'too-old') throw tooOld(since ?? 0);
  const answer =
    wanted === 'unchanged'
      ? wanted
      : await sealAssignments(wanted, hostId, inventory.requireHost(hostId).document);
  return toResponse(context, answer, envelope.clockOffsetMilliseconds);
}

interface Poll extends SessionRequest {
  readonly since: Revision | undefined;
  /** Monotonic. */
  readonly deadline: number;
  readonly open: OpenPoll;
}

/** Ends with news, with the deadline, or with the request. Between two looks nothing is done for this poll. */
async function waitForNews(
  context: McoContext,
  poll: Poll,
): Promise<WantedMessage | 'unchanged' | 'too-old'> {
  const { request, hostId, envelope, open } = poll;
  for (;;) {
    const found = look(context, poll);
    const remaining = poll.deadline - context.clock.monotonic();
    const isOver = remaining <= 0 || request.signal.aborted || open.isSuperseded;
    if (found !== 'unchanged' || isOver) return found;
    await sleepUntilWoken(context, poll, remaining);
    // The session may have ended meanwhile, the host may be gone.
    requireOwnSession(context, request, envelope, hostId);
  }
}

async function sleepUntilWoken(
  { changes, clock }: McoContext,
  { request, hostId, open }: Poll,
  milliseconds: number,
): Promise<void> {
  const woken = new AbortController();
  const wake = (): void => woken.abort(WOKEN);
  const unsubscribe = changes.subscribe(hostId, wake);
  request.signal.addEventListener('abort', wake, { once: true });
  open.onSuperseded = wake;
  await clock.sleep(milliseconds, woken.signal);
  unsubscribe();
  request.signal.removeEventListener('abort', wake);
  open.onSuperseded = undefined;
}

function look(context: McoContext, { hostId, since }: Poll): ReturnType<typeof computeWanted> {
  const { store, changes, inventory, monitoring, diagnostics } = context;
  const host = inventory.requireHost(hostId).document;
  const terms = inventory.leaseTerms(hostId);
  return computeWanted({ store, changes, terms, host, monitoring, diagnostics }, hostId, since);
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
