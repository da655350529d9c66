import { SYSTEM_TENANT, nkeyName, toTimestamp, type Clock, type HostId } from '../../../kernel/index.ts';
import { NATS_OPERATIONS } from '../../../api-specs/generated/mco-nats.ts';
import type { HostDocument } from '../../domain/index.ts';
import type { StateStore, StateView, StoredRecord } from '../../store/index.ts';
import type { AccountKeys } from './account-keys.ts';
import { hostUserJwt, type Revocations } from './claims.ts';

const DAY_MILLISECONDS = 24 * 3600 * 1000;
/** A host that was away for longer has to enrol again. Bounds how long revocations have to be kept. */
const LIFETIME_MILLISECONDS = 365 * DAY_MILLISECONDS;
/** A host gets a new JWT with its next session when the one it has is so old. */
const RENEWED_AFTER_MILLISECONDS = 30 * DAY_MILLISECONDS;
/** The account JWT names each, in one message of 1 MiB. */
const MOST_REVOCATIONS = 8000;

/** JWTs of hosts, for the keys that they have enrolled. What was given out is in the store before anybody has it. */
export interface HostUsers {
  /** A JWT for an enrolled host; durable as given out when it resolves. Undefined where the host is gone. */
  issue(hostId: HostId): Promise<string | undefined>;
  /** A new JWT where that of the host will expire some day soon, or was made when there were other operations. */
  renew(hostId: HostId): Promise<string | undefined>;
  /** Forgets users that expired. */
  purge(): void;
}

export function createHostUsers(store: StateStore, clock: Clock, keys: AccountKeys): HostUsers {
  async function issue(hostId: HostId): Promise<string | undefined> {
    const publicKey = publicKeyOf(store.get('host', hostId)?.document);
    if (publicKey === undefined) return undefined;
    const expiresAt = clock.now() + LIFETIME_MILLISECONDS;
    const jwt = await hostUserJwt(keys, hostId, publicKey, expiresAt);
    const operations = NATS_OPERATIONS.length;
    const document = {
      hostId,
      operations,
      issuedAt: toTimestamp(clock.now()),
      expiresAt: toTimestamp(expiresAt),
    };
    const id = nkeyName(publicKey);
    await store.commit([{ op: 'put', kind: 'nats-user', id, tenant: SYSTEM_TENANT, document }]).durable;
    return jwt;
  }

  return {
    issue,
    renew: async (hostId) => {
      const publicKey = publicKeyOf(store.get('host', hostId)?.document);
      const user = publicKey === undefined ? undefined : store.get('nats-user', nkeyName(publicKey));
      if (user === undefined) return undefined;
      const isOld = clock.now() - Date.parse(user.document.issuedAt) > RENEWED_AFTER_MILLISECONDS;
      // It names what the host may do, and there is more of that now.
      const isNarrow = user.document.operations !== NATS_OPERATIONS.length;
      return isOld || isNarrow ? await issue(hostId) : undefined;
    },
    purge: () => {
      const expired = [...store.list('nats-user')].filter(
        ({ document }) => Date.parse(document.expiresAt) <= clock.now(),
      );
      if (expired.length === 0) return;
      store.commit(
        expired.map(({ id, revision }) => ({
          op: 'delete',
          kind: 'nats-user',
          id,
          expectedRevision: revision,
        })),
      );
    },
  };
}

/**
 * Users that were given a JWT and are no host's any more, or one's that was revoked: each is revoked from now on. Follows from the records alone, so that a crash
 * between the end of a host and its revocation changes nothing. A key that is enrolled again is not among them.
 * @param before what is revoked already keeps its time
 */
export function computeRevocations(state: StateView, before: Revocations, now: number): Revocations {
  const revoked = [...state.list('nats-user')].filter((user) => !isOfHost(state, user));
  const newest = revoked
    .toSorted((one, other) => other.revision - one.revision)
    .slice(0, MOST_REVOCATIONS)
    .map(({ id }) => [id, before[id] ?? Math.floor(now / 1000)] as const);
  return Object.fromEntries(newest.toSorted(([one], [other]) => (one < other ? -1 : 1)));
}

function isOfHost(state: StateView, { id, document }: StoredRecord<'nats-user'>): boolean {
  const host = state.get('host', document.hostId)?.document;
  const publicKey = publicKeyOf(host);
  return publicKey !== undefined && host?.revokedAt === undefined && nkeyName(publicKey) === id;
}

function publicKeyOf(host: HostDocument | undefined): string | undefined {
  const x = host?.publicKey?.['x'];
  return typeof x === 'string' ? x : undefined;
}
