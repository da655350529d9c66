import { calculateJwkThumbprint } from 'jose';
import { toTimestamp, type Clock } from '../../kernel/index.ts';
import type { KitAuthority } from '../kit-authority.ts';
import { KIT_SP_ID } from './http-orchestrator-wire.ts';
import { isOfSession, issueTo, provenBy } from './identify.ts';
import { takeChunk } from './played-streams.ts';
import { takeReport, wantedSince, type Ledger, type Schemas } from './ledger.ts';
import type { Received, Reply } from './orchestrator-wire.ts';

export interface OperationContext {
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Issues certificates to hosts; absent: nobody does. */
  readonly authority: KitAuthority | undefined;
}

type Answer = Extract<Reply, { type: 'answer' }>;
type Operation = (context: OperationContext, received: Received) => Promise<Reply> | Reply;

const SESSION_SECONDS = 3600;
const LOOK_MILLISECONDS = 20;
const NEEDS_NO_SESSION: ReadonlySet<string> = new Set(['enrolHost', 'createChallenge', 'openSession']);

export function answer(status: number, body?: unknown, headers?: Readonly<Record<string, string>>): Answer {
  return {
    type: 'answer',
    status,
    ...(body === undefined ? {} : { body }),
    ...(headers === undefined ? {} : { headers }),
  };
}

export function problem(status: number, detail: string, more: object = {}): Answer {
  return answer(status, { title: 'Refused', status, detail, ...more });
}

/** What an orchestrator that does everything right answers. Takes effect. */
export async function operate(context: OperationContext, received: Received): Promise<Reply> {
  const { ledger, clock } = context;
  const { operation } = received;
  const handler = OPERATIONS[operation];
  if (handler === undefined) return problem(404, 'Mco has no such operation; see mco.openapi.yaml');
  if (received.version.split('.', 1)[0] !== '1')
    return problem(400, `header Mco-Version is ${received.version}; the kit speaks 1.0`);
  if (operation !== 'enrolHost' && ledger.host === undefined)
    return problem(404, 'the host is not enrolled; enrol it');
  const isKnown = NEEDS_NO_SESSION.has(operation) || received.isKnownBySubject === true;
  if (!isKnown && !isOfSession(ledger, received, clock))
    return problem(401, 'there is no such session; open one');
  return handler(context, received);
}

const OPERATIONS: Readonly<Record<string, Operation>> = {
  enrolHost: async ({ ledger, clock, authority }, { body, faults }) => {
    if (faults.length > 0) return problem(400, faults.join('; '));
    const { token, hostId, publicKey, roles } = body as Schemas['enrolment-request'];
    if (token !== ledger.token)
      return problem(401, 'the enrolment token is not the one that the kit has printed');
    if (ledger.host?.hostId === hostId && ledger.host.publicKey.x !== publicKey.x)
      return problem(409, 'the host is bound to another key');
    ledger.host = { hostId, publicKey };
    return answer(201, {
      hostId,
      stateId: ledger.stateId,
      m2mSpId: KIT_SP_ID,
      mcoVersion: '1.0',
      roles,
      tenants: [],
      keyThumbprint: await calculateJwkThumbprint({ ...publicKey }, 'sha256'),
      enrolledAt: toTimestamp(clock.now()),
      ...(await issueTo(ledger, authority)),
    } satisfies Schemas['enrolment']);
  },
  createChallenge: ({ ledger }) => {
    const nonce = ledger.ids.uuid();
    ledger.nonces.add(nonce);
    return answer(201, { nonce, expiresInSeconds: 60 } satisfies Schemas['challenge']);
  },
  openSession,
  putFacts: ({ ledger }, received) => inSequence(ledger, received, () => undefined),
  getWanted,
  postReport: ({ ledger }, received) => {
    const { bootId, sequence = 0 } = received;
    const report = received.body as Schemas['report'];
    const expected = ledger.expected.get(`${bootId} postReport`) ?? 1;
    if (sequence > expected) return problem(409, 'a report is missing', { expectedSequence: expected });
    if (sequence === expected && !report.full && (expected === 1 || ledger.isFullRequired))
      return problem(409, 'a full report is needed', { expectedSequence: expected, fullRequired: true });
    return inSequence(ledger, received, () => {
      ledger.isFullRequired = false;
      takeReport(ledger, report);
    });
  },
  retrieveArtifact: ({ ledger }, { digest = '', rangeFrom }) => {
    const file = ledger.files.get(digest);
    if (file === undefined) return problem(404, 'no function of this host needs that file');
    const headers = { etag: `"${digest}"`, 'accept-ranges': 'bytes' };
    if (rangeFrom === undefined) return { type: 'bytes', status: 200, headers, bytes: file };
    const range = { 'content-range': `bytes ${rangeFrom}-${file.length - 1}/${file.length}` };
    return { type: 'bytes', status: 206, headers: { ...headers, ...range }, bytes: file.subarray(rangeFrom) };
  },
  leave: ({ ledger }, { hostId }) => {
    const remainingAssignments = Math.max(ledger.assignments.length, ledger.observed.size);
    if (remainingAssignments > 0)
      return answer(202, { hostId, remainingAssignments } satisfies Schemas['leaving']);
    ledger.host = undefined;
    ledger.sessions.clear();
    return answer(204);
  },
  postMeasurements: ({ ledger }, received) => inSequence(ledger, received, () => undefined),
  postAlarms: ({ ledger }, received) => inSequence(ledger, received, () => undefined),
  postStream: async ({ ledger, clock, signal }, { streamId = '', token, body, at }) => {
    const isStanding = ledger.requests.some((each) => 'streamId' in each && each.streamId === streamId);
    const stream = ledger.streams.get(streamId);
    stream?.asked.push(at);
    if (stream === undefined || !isStanding || stream.isOver || (stream.session ??= token) !== token)
      return problem(410, 'there is no such stream, or it has ended; end it');
    const chunk = body as Schemas['stream-chunk'];
    if (chunk.number > stream.next)
      return problem(409, 'a chunk is missing', { expectedSequence: stream.next });
    return answer(200, await takeChunk(stream, chunk, at, (seconds) => clock.sleep(seconds * 1000, signal)));
  },
};

async function openSession(context: OperationContext, received: Received): Promise<Reply> {
  const { ledger, clock, authority } = context;
  const { lastStateId, wantsCertificate } = received.body as Schemas['session-request'];
  const proven = await provenBy(ledger, received, clock);
  if (proven === undefined)
    return problem(401, 'neither a proof that holds nor a good certificate came; get a new challenge');
  ledger.sealingKey = proven.sealingKey;
  const token = `kit.${ledger.ids.uuid()}.${ledger.ids.uuid()}`;
  for (const [other, bootId] of ledger.sessions)
    if (bootId !== received.bootId) ledger.sessions.delete(other);
  ledger.sessions.set(token, received.bootId);
  if (proven.isByCertificate) ledger.bound.add(token);
  return answer(201, {
    token,
    expiresInSeconds: SESSION_SECONDS,
    heartbeatIntervalSeconds: ledger.heartbeatIntervalSeconds,
    leaseSeconds: ledger.leaseSeconds,
    serverTime: toTimestamp(clock.now()),
    stateId: ledger.stateId,
    stateIdConfirmed: ledger.isStateConfirmed || lastStateId === ledger.stateId,
    ...(wantsCertificate === true ? await issueTo(ledger, authority) : {}),
  } satisfies Schemas['session']);
}

async function getWanted({ ledger, clock, signal }: OperationContext, { query }: Received): Promise<Reply> {
  const since = query.get('full') === 'true' ? undefined : toNumber(query.get('since'));
  const seconds = Math.min(toNumber(query.get('wait')) ?? 0, ledger.heartbeatIntervalSeconds);
  const until = clock.monotonic() + seconds * 1000;
  const unchanged = (): Reply => answer(304, undefined, { 'mco-revision': String(ledger.revision) });
  const whole = (): Reply => {
    const wanted = wantedSince(ledger, since);
    return answer(200, wanted, { 'mco-revision': String(wanted.revision) });
  };
  if (since !== undefined && since > ledger.revision)
    return problem(410, 'there never was that revision; ask for the whole');
  const startedAt = ledger.revision;
  while (!signal.aborted) {
    const hasNews = ledger.isStateConfirmed && (since === undefined || since < ledger.revision);
    if (hasNews) return whole();
    if (clock.monotonic() >= until || ledger.revision < startedAt) break;
    await clock.sleep(LOOK_MILLISECONDS, signal);
  }
  return unchanged();
}

function toNumber(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}

/** A repeated number is answered only. */
function inSequence(ledger: Ledger, { bootId, operation, sequence = 0 }: Received, apply: () => void): Reply {
  const key = `${bootId} ${operation}`;
  if (sequence >= (ledger.expected.get(key) ?? 1)) {
    apply();
    ledger.expected.set(key, sequence + 1);
  }
  return answer(200, { nextSequence: sequence + 1, ignored: 0 } satisfies Schemas['receipt']);
}
