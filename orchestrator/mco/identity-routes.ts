import { IotmanoError, toTimestamp } from '../../kernel/index.ts';
import { bodyOf, type ApiResponse, type Route } from '../api/route.ts';
import {
  SESSION_SECONDS,
  countAssignments,
  parseSealingKey,
  type EnrolmentRequest,
} from '../inventory/index.ts';
import { MCO_VERSION } from './envelope.ts';
import {
  publicRoute,
  sessionRoute,
  type McoContext,
  type McoRequest,
  type SessionRequest,
} from './mco-context.ts';
import type {
  ChallengeMessage,
  EnrolmentMessage,
  EnrolmentRequestMessage,
  LeavingMessage,
  SessionMessage,
  SessionRequestMessage,
} from './messages.ts';

/** Enrolment, sessions, leaving: who a host is. */
export function identityRoutes(context: McoContext): readonly Route[] {
  return [
    publicRoute(context, { method: 'POST', path: '/mco/v1/enrolments', body: 'json' }, (request) =>
      enrolHost(context, request),
    ),
    publicRoute(
      context,
      { method: 'POST', path: '/mco/v1/hosts/{hostId}/challenges', body: 'none' },
      ({ hostId }) => {
        const challenge: ChallengeMessage = context.inventory.challenge(hostId);
        return { status: 201, body: challenge };
      },
    ),
    publicRoute(
      context,
      { method: 'POST', path: '/mco/v1/hosts/{hostId}/sessions', body: 'json' },
      (request) => openSession(context, request),
    ),
    sessionRoute(
      context,
      { method: 'DELETE', path: '/mco/v1/hosts/{hostId}', body: 'none' },
      ['orchestration'],
      (request) => leave(context, request),
    ),
  ];
}

async function enrolHost(
  { inventory, store, m2mSpId, hostAuthority }: McoContext,
  { request }: McoRequest,
): Promise<ApiResponse> {
  const { token, hostId, publicKey, roles } = bodyOf<EnrolmentRequestMessage>(request);
  // Bindings that name the host in the address of an enrolment let nobody else send there.
  const addressed = request.params['hostId'] ?? hostId;
  if (addressed !== hostId)
    throw new IotmanoError(
      'invalid-parameter',
      `the enrolment was sent as host ${addressed} and names host ${hostId}; send it as the host that it is for`,
      { parameter: 'hostId' },
    );
  const { host, keyThumbprint } = await inventory.enrol({
    token,
    hostId: hostId as EnrolmentRequest['hostId'],
    publicKey,
    roles,
  });
  const message: EnrolmentMessage = {
    hostId,
    stateId: store.stateId,
    m2mSpId,
    mcoVersion: MCO_VERSION,
    roles: host.roles,
    tenants: host.tenants,
    keyThumbprint,
    enrolledAt: host.enrolledAt,
    ...(hostAuthority === undefined
      ? {}
      : { certificate: await hostAuthority.issue(hostId as EnrolmentRequest['hostId'], publicKey) }),
  };
  return { status: 201, body: message };
}

async function openSession(
  { inventory, store, clock, changes, hostAuthority }: McoContext,
  { request, hostId, envelope }: McoRequest,
): Promise<ApiResponse> {
  const body = bodyOf<SessionRequestMessage>(request);
  const sealingKey = await parseSealingKey(body.sealingKey);
  const { clockOffsetMilliseconds } = envelope;
  const told = {
    bootId: envelope.bootId,
    ...(sealingKey === undefined ? {} : { sealingKey }),
    ...(clockOffsetMilliseconds === undefined
      ? {}
      : { issuedAtMilliseconds: clock.now() + clockOffsetMilliseconds }),
  };
  const asked = { ...body, certificate: request.clientCertificate, told };
  const opened = await inventory.openSession(hostId, asked).finally(() => {
    // Polls of sessions that this one has ended learn of it at once.
    changes.wake(hostId);
  });
  const { heartbeatSeconds, leaseSeconds } = inventory.leaseTerms(hostId);
  const message: SessionMessage = {
    token: opened.token,
    expiresInSeconds: SESSION_SECONDS,
    heartbeatIntervalSeconds: heartbeatSeconds,
    leaseSeconds,
    ...(opened.clockOffsetMilliseconds === undefined
      ? {}
      : { clockOffsetMilliseconds: opened.clockOffsetMilliseconds }),
    serverTime: toTimestamp(clock.now()),
    stateId: store.stateId,
    stateIdConfirmed: opened.isStateConfirmed,
    ...(hostAuthority === undefined || body.wantsCertificate !== true
      ? {}
      : { certificate: await hostAuthority.issue(hostId, keyOf(inventory.requireHost(hostId))) }),
  };
  return { status: 201, body: message };
}

function keyOf({ document }: ReturnType<McoContext['inventory']['requireHost']>): { readonly x: string } {
  return { x: document.publicKey?.['x'] ?? '' };
}

/** Drain, then forget: refused while anything is assigned, or with `drain=true` set draining until nothing is. */
function leave({ inventory, store }: McoContext, { request, hostId }: SessionRequest): ApiResponse {
  const host = inventory.requireHost(hostId);
  const remainingAssignments = countAssignments(store, hostId);
  if (remainingAssignments > 0 && request.query.get('drain') === 'true') {
    if (!host.document.draining) inventory.modify(host, { draining: true });
    const message: LeavingMessage = { hostId, remainingAssignments };
    return { status: 202, body: message };
  }
  inventory.forget(host);
  return { status: 204 };
}
