import { IotmanoError, SYSTEM_TENANT, toTimestamp, type Clock, type HostId } from '../../kernel/index.ts';
import type { EnrolmentTokenDocument, HostDocument } from '../domain/index.ts';
import type { StateStore, StoredRecord } from '../store/index.ts';
import { findEnrolmentToken } from './enrolment-tokens.ts';
import { importPublicKey, thumbprint, type HostPublicKey } from './public-key.ts';
import { refuseVim } from './vim-hosts.ts';

export interface EnrolmentRequest {
  readonly token: string;
  readonly hostId: HostId;
  readonly publicKey: HostPublicKey;
  readonly roles: HostDocument['roles'];
}

export interface EnrolledHost {
  readonly host: HostDocument;
  readonly keyThumbprint: string;
}

/**
 * Binds a host to its key against a one-time token. The same host repeating the same request gets the same answer, even though the token
 * is used by then: the first answer may have been lost.
 * @throws IotmanoError `unauthorized` (token), `gone` (token used or expired), `conflict` (another key, disputed), `invalid-parameter`
 */
export async function enrolHost(
  store: StateStore,
  clock: Clock,
  request: EnrolmentRequest,
): Promise<EnrolledHost> {
  await importPublicKey(request.publicKey);
  const keyThumbprint = await thumbprint(request.publicKey);
  const { hostId } = request;
  const token = findEnrolmentToken(store, request.token);
  const known = store.get('host', hostId);
  requireUsable(token.document, clock, hostId, isSameKey(known, request.publicKey));
  requireSameIdentity(known, request);
  if (token.document.usedBy === hostId && known !== undefined) return { host: known.document, keyThumbprint };
  const host = hostAfterEnrolment(known?.document, token.document, request, clock);
  store.commit([
    known === undefined
      ? { op: 'create', kind: 'host', id: hostId, tenant: SYSTEM_TENANT, document: host }
      : { op: 'update', kind: 'host', id: hostId, expectedRevision: known.revision, document: host },
    {
      op: 'update',
      kind: 'enrolment-token',
      id: token.id,
      expectedRevision: token.revision,
      document: { ...token.document, usedBy: hostId },
    },
  ]);
  return { host, keyThumbprint };
}

function isSameKey(known: StoredRecord<'host'> | undefined, publicKey: HostPublicKey): boolean {
  return known?.document.publicKey?.['x'] === publicKey.x;
}

function requireUsable(
  token: EnrolmentTokenDocument,
  clock: Clock,
  hostId: HostId,
  isKnownKey: boolean,
): void {
  if (token.hostId !== undefined && token.hostId !== hostId) {
    throw new IotmanoError(
      'unauthorized',
      `the enrolment token is for another host than ${hostId}; ask an operator for one of its own`,
    );
  }
  if (token.usedBy !== undefined) {
    if (token.usedBy === hostId && isKnownKey) return;
    throw new IotmanoError('gone', 'the enrolment token has been used; ask an operator for a new one');
  }
  if (Date.parse(token.expiresAt) <= clock.now())
    throw new IotmanoError(
      'gone',
      `the enrolment token expired at ${token.expiresAt}; ask an operator for a new one`,
    );
}

function requireSameIdentity(known: StoredRecord<'host'> | undefined, request: EnrolmentRequest): void {
  if (known === undefined) return;
  refuseVim(known);
  const { revokedAt, revokedKeys = [], publicKey } = known.document;
  const revoked = revokedAt === undefined ? revokedKeys : [...revokedKeys, publicKey?.['x'] ?? ''];
  if (revoked.includes(request.publicKey.x))
    throw new IotmanoError(
      'conflict',
      `that key of host ${request.hostId} was revoked; make a new one on the host (iotmano agent enrol --new-key)`,
    );
  if (revokedAt !== undefined) return;
  if (!isSameKey(known, request.publicKey)) {
    throw new IotmanoError(
      'conflict',
      `host ${request.hostId} is bound to another key; choose another hostId, or have an operator forget the old host first`,
    );
  }
  if (known.document.disputed)
    throw new IotmanoError(
      'conflict',
      `two machines claim host ${request.hostId}; an operator has to settle that first`,
    );
}

function hostAfterEnrolment(
  known: HostDocument | undefined,
  token: EnrolmentTokenDocument,
  { publicKey, roles }: EnrolmentRequest,
  clock: Clock,
): HostDocument {
  const { kty, crv, x } = publicKey;
  const fresh: HostDocument = {
    state: 'ENROLLED',
    roles,
    publicKey: { kty, crv, x },
    enrolledAt: toTimestamp(clock.now()),
    tenants: token.tenants,
    draining: false,
    disputed: false,
    boots: [],
  };
  if (known === undefined) return fresh;
  // Enrolling again is an operator's consent to this store's state.
  const { stateIds: _confirmed, ...kept } = known;
  if (known.revokedAt === undefined) return { ...kept, roles, tenants: token.tenants };
  const { revokedAt: _revoked, sealingKey: _sealing, ...rest } = kept;
  const revokedKeys = [...(known.revokedKeys ?? []), known.publicKey?.['x'] ?? ''];
  return { ...rest, roles, tenants: token.tenants, publicKey: { kty, crv, x }, boots: [], revokedKeys };
}
