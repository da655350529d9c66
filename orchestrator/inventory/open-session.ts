import { IotmanoError, SYSTEM_TENANT, toTimestamp, type Clock, type HostId } from '../../kernel/index.ts';
import {
  hashSecret,
  newSecret,
  type HostDocument,
  type RandomBytes,
  type SessionDocument,
} from '../domain/index.ts';
import type { StateStore, StoredRecord, Write } from '../store/index.ts';
import { addBoot, highestCounter, isDisputed } from './boots.ts';
import { raiseAlarm } from './host-alarms.ts';
import { applyHostEvent } from './host-events.ts';
import { requireCertificateOf, type ShownCertificate } from './host-certificate.ts';
import type { Nonces } from './nonces.ts';
import type { SessionIndex } from './session-index.ts';
import { verifyProof, type ProofClaims } from './session-proof.ts';
import { isStateConfirmed, pinState } from './state-ids.ts';
import { refuseVim } from './vim-hosts.ts';

export const SESSION_SECONDS = 3600;

export interface SessionRequest {
  /** Or a certificate. */
  readonly proof?: string | undefined;
  readonly certificate?: ShownCertificate | undefined;
  /** Where there is a certificate and no proof: what a proof would tell. */
  readonly told?: Omit<ProofClaims, 'nonce' | 'counter'>;
  readonly roles: HostDocument['roles'];
  /** The store state that the agent has pinned. */
  readonly lastStateId: string;
}

export interface OpenedSession {
  /** Shown this once. */
  readonly token: string;
  readonly bootId: string;
  readonly isStateConfirmed: boolean;
  /** The host's clock minus ours, as far as the proof told it. */
  readonly clockOffsetMilliseconds?: number;
}

export interface SessionContext {
  readonly store: StateStore;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly nonces: Nonces;
  readonly sessions: SessionIndex;
}

/** Who speaks, and as which boot: by a proof of the key, or by the certificate of the connection, which is one. */
async function authenticate(
  { store, clock, nonces }: SessionContext,
  hostId: HostId,
  { proof, certificate, told }: SessionRequest,
): Promise<ProofClaims> {
  const host = requireHost(store, hostId);
  if (proof === undefined) {
    requireCertificateOf(certificate, host, clock);
    if (told === undefined) throw new IotmanoError('internal', 'a certificate came without a boot');
    return { ...told, nonce: '', counter: highestCounter(host.document.boots, told.bootId) };
  }
  const claims = await verifyProof(proof, hostId, host.document.publicKey ?? {});
  if (!nonces.use(hostId, claims.nonce))
    throw new IotmanoError(
      'unauthorized',
      'the nonce of the proof is unknown, used or expired; get a new challenge',
    );
  return claims;
}

/**
 * Opens a session against one proof of possession of the host's key.
 * One boot at a time speaks for a host: a session of another boot ends the earlier one's, and two boots that keep coming back after each
 * other put the host into dispute.
 * @throws IotmanoError `not-found`, `unauthorized`, `forbidden` (role), `conflict` (disputed)
 */
export async function openSession(
  context: SessionContext,
  hostId: HostId,
  request: SessionRequest,
): Promise<OpenedSession> {
  const { store, clock } = context;
  const claims = await authenticate(context, hostId, request);
  // Read again: the host may have changed while the signature was checked.
  const host = requireHost(store, hostId);
  requireRoles(host.document, request.roles, hostId);
  const speaks = request.roles.includes('orchestration');
  const isByCertificate = request.proof === undefined;
  if (speaks && !isByCertificate) requireNewCounter(host.document, claims);
  const boots = speaks ? addBoot(host.document.boots, claims.bootId, claims.counter) : host.document.boots;
  if (isDisputed(boots)) throw dispute(context, host, { ...host.document, boots });
  const told = speaks ? withSealingKey(host.document, claims) : host.document;
  const document = pinState({ ...told, boots }, request.lastStateId, store.stateId);
  // The prefix tells a session from other bearer tokens.
  const token = `mcs_${newSecret(context.random)}`;
  commitSession(context, host, document, { token, claims, roles: request.roles, isByCertificate });
  return {
    token,
    bootId: claims.bootId,
    isStateConfirmed: isStateConfirmed(document, store.stateId),
    ...(claims.issuedAtMilliseconds === undefined
      ? {}
      : { clockOffsetMilliseconds: Math.round(claims.issuedAtMilliseconds - clock.now()) }),
  };
}

/** @throws IotmanoError `not-found`, `conflict` (disputed, or a VIM) */
export function requireHost(store: StateStore, hostId: HostId): StoredRecord<'host'> {
  const host = store.get('host', hostId);
  if (host === undefined)
    throw new IotmanoError(
      'not-found',
      `host ${hostId} is not enrolled here; enrol it with a token of an operator`,
    );
  refuseVim(host);
  if (host.document.revokedAt !== undefined)
    throw new IotmanoError(
      'unauthorized',
      `host ${hostId} was revoked at ${host.document.revokedAt}; have an operator issue a token, and enrol it with a new key (iotmano agent enrol --new-key)`,
    );
  if (host.document.disputed) throw disputed(hostId);
  return host;
}

function requireRoles(host: HostDocument, roles: HostDocument['roles'], hostId: HostId): void {
  const missing = roles.find((role) => !host.roles.includes(role));
  if (missing !== undefined)
    throw new IotmanoError(
      'forbidden',
      `host ${hostId} was not enrolled for the role ${missing}; enrol it again for it`,
    );
}

/** A host that tells none can open nothing: an agent of an older version may have taken its place. */
function withSealingKey(host: HostDocument, { sealingKey }: ProofClaims): HostDocument {
  const { sealingKey: _before, ...rest } = host;
  return sealingKey === undefined ? rest : { ...rest, sealingKey: { ...sealingKey } };
}

function requireNewCounter({ boots }: HostDocument, { bootId, counter }: ProofClaims): void {
  const highest = highestCounter(boots, bootId);
  if (counter <= highest) {
    throw new IotmanoError(
      'unauthorized',
      `counter ${counter} of the proof has been seen, the newest is ${highest}; count on from there, or start with a new boot id`,
    );
  }
}

function commitSession(
  { store, clock, sessions }: SessionContext,
  host: StoredRecord<'host'>,
  document: HostDocument,
  opened: {
    readonly token: string;
    readonly claims: ProofClaims;
    readonly roles: HostDocument['roles'];
    readonly isByCertificate: boolean;
  },
): void {
  const { token, claims, roles, isByCertificate } = opened;
  const hostId = host.id as HostId;
  const id = hashSecret(token);
  const session: SessionDocument = {
    hostId,
    bootId: claims.bootId,
    roles,
    ...(isByCertificate ? { isCertificateBound: true } : {}),
    expiresAt: toTimestamp(clock.now() + SESSION_SECONDS * 1000),
    stateId: store.stateId,
  };
  // One agent that speaks for the host, and beside it one that only monitors.
  const isReplaced = (other: SessionDocument): boolean =>
    (other.roles ?? host.document.roles).includes('orchestration') === roles.includes('orchestration');
  store.commit([
    { op: 'update', kind: 'host', id: hostId, expectedRevision: host.revision, document },
    ...sessions.endings(hostId, isReplaced),
    { op: 'create', kind: 'session', id, tenant: SYSTEM_TENANT, document: session },
    ...stateAlarm(store, clock, hostId, document),
  ]);
  sessions.refresh(hostId, id);
}

function stateAlarm(store: StateStore, clock: Clock, hostId: HostId, host: HostDocument): Write[] {
  if (isStateConfirmed(host, store.stateId)) return [];
  const text = `host ${hostId} was enrolled with another state of this orchestrator: it keeps running what it runs and takes no orders until an operator confirms the new state (iotmano host confirm ${hostId})`;
  return raiseAlarm(store, 'state-id-changed', { hostId }, text, clock.now());
}

function dispute(
  { store, clock, sessions }: SessionContext,
  host: StoredRecord<'host'>,
  document: HostDocument,
): IotmanoError {
  const hostId = host.id as HostId;
  const boots = document.boots.slice(-2).map(({ bootId }) => bootId);
  const text = `two machines claim host ${hostId} (boot ids ${boots.join(' and ')}): neither is obeyed; switch one off, then settle the dispute`;
  store.commit([
    {
      op: 'update',
      kind: 'host',
      id: hostId,
      expectedRevision: host.revision,
      document: applyHostEvent(document, 'dispute', hostId, clock.now()),
    },
    ...sessions.endings(hostId, () => true),
    ...raiseAlarm(store, 'host-disputed', { hostId }, text, clock.now()),
  ]);
  sessions.refresh(hostId);
  return disputed(hostId);
}

function disputed(hostId: HostId): IotmanoError {
  return new IotmanoError(
    'conflict',
    `two machines claim host ${hostId}: neither is obeyed until an operator has switched one off and settled it (iotmano host settle ${hostId})`,
    { state: 'DISPUTED' },
  );
}
