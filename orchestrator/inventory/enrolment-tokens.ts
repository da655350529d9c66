import {
  IotmanoError,
  SYSTEM_TENANT,
  isId,
  toTimestamp,
  type Clock,
  type HostId,
  type IdSource,
  type TenantId,
} from '../../kernel/index.ts';
import {
  hashSecret,
  isSameSecret,
  newSecret,
  type EnrolmentTokenDocument,
  type RandomBytes,
} from '../domain/index.ts';
import type { StateStore, StateView, StoredRecord } from '../store/index.ts';
import { refuseVim } from './vim-hosts.ts';

const DEFAULT_VALID_SECONDS = 3600;
/** So long an expired token is still told from one that never was. */
const REMEMBERED_MILLISECONDS = 30 * 24 * 3600 * 1000;

export interface EnrolmentTokenRequest {
  /** The only host that may use it; absent: any. */
  readonly hostId?: HostId;
  /** Tenants that the host will serve; absent or empty: all. */
  readonly tenants?: readonly TenantId[];
  readonly validSeconds?: number;
}

export interface EnrolmentTokens {
  /** `token` is `<id>.<secret>` and is shown this once. @throws IotmanoError `conflict` where the host is a VIM */
  create(request: EnrolmentTokenRequest): {
    readonly record: StoredRecord<'enrolment-token'>;
    readonly token: string;
  };
  list(): Iterable<StoredRecord<'enrolment-token'>>;
  /** @throws IotmanoError `not-found` */
  delete(id: string): void;
  /** Forgets those that expired long ago. */
  purge(): void;
}

export function createEnrolmentTokens(
  store: StateStore,
  clock: Clock,
  ids: IdSource,
  random: RandomBytes,
): EnrolmentTokens {
  return {
    create: ({ hostId, tenants = [], validSeconds = DEFAULT_VALID_SECONDS }) => {
      if (hostId !== undefined) refuseVim(store.get('host', hostId));
      const id = ids.uuid();
      const token = `${id}.${newSecret(random)}`;
      const document: EnrolmentTokenDocument = {
        tokenHash: hashSecret(token),
        ...(hostId === undefined ? {} : { hostId }),
        tenants,
        createdAt: toTimestamp(clock.now()),
        expiresAt: toTimestamp(clock.now() + validSeconds * 1000),
      };
      const { revision } = store.commit([
        { op: 'create', kind: 'enrolment-token', id, tenant: SYSTEM_TENANT, document },
      ]);
      return { record: { kind: 'enrolment-token', id, tenant: SYSTEM_TENANT, revision, document }, token };
    },
    list: () => store.list('enrolment-token'),
    delete: (id) => {
      const record = store.get('enrolment-token', id);
      if (record === undefined)
        throw new IotmanoError(
          'not-found',
          `there is no enrolment token ${id}; list them to see which there are`,
        );
      store.commit([{ op: 'delete', kind: 'enrolment-token', id, expectedRevision: record.revision }]);
    },
    purge: () => {
      const limit = clock.now() - REMEMBERED_MILLISECONDS;
      const old = [...store.list('enrolment-token')].filter(
        ({ document }) => Date.parse(document.expiresAt) < limit,
      );
      store.commit(
        old.map(({ id, revision }) => ({
          op: 'delete',
          kind: 'enrolment-token',
          id,
          expectedRevision: revision,
        })),
      );
    },
  };
}

/**
 * The record of a token that is presented, whatever its state.
 * @throws IotmanoError `unauthorized`
 */
export function findEnrolmentToken(state: StateView, token: string): StoredRecord<'enrolment-token'> {
  const id = token.split('.', 1)[0] ?? '';
  const record = isId(id) ? state.get('enrolment-token', id) : undefined;
  // An unknown id costs the same comparison as a known one.
  const isRight = isSameSecret(hashSecret(token), record?.document.tokenHash ?? '');
  if (record === undefined || !isRight)
    throw new IotmanoError('unauthorized', 'the enrolment token is unknown; ask an operator for a new one');
  return record;
}
