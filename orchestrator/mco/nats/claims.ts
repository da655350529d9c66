/** The JWTs of operator mode: what the servers of NATS are told of operator, accounts and users. */
import { createHash, createPublicKey } from 'node:crypto';
import { encodeAccount, encodeOperator, encodeUser, type OperatorLimits, type User } from '@nats-io/jwt';
import { createUser } from '@nats-io/nkeys';
import { ed25519KeyOfSeed, nkeyName, type HostId } from '../../../kernel/index.ts';
import { NATS_OPERATIONS } from '../../../api-specs/generated/mco-nats.ts';
import type { AccountKeys } from './account-keys.ts';
import { MEASUREMENTS_STREAM, enrolmentInbox, hostInbox, hostSubject, subjectOfAll } from './subjects.ts';

/** Of user keys: when they were revoked, seconds since 1970. */
export type Revocations = Readonly<Record<string, number>>;

/** What a client connects with. */
export interface NatsUser {
  readonly jwt: string;
  readonly seed: Uint8Array;
}

const UNLIMITED: OperatorLimits = {
  subs: -1,
  data: -1,
  payload: -1,
  imports: -1,
  exports: -1,
  wildcards: true,
  conn: -1,
  leaf: -1,
};
const WITH_JETSTREAM: OperatorLimits = {
  ...UNLIMITED,
  mem_storage: -1,
  disk_storage: -1,
  streams: -1,
  consumer: -1,
};
/** A host needs three. */
const HOST_SUBSCRIPTIONS = 8;

export function operatorJwt({ operator, system }: AccountKeys): Promise<string> {
  return encodeOperator('iotmano', operator, { system_account: system.getPublicKey() });
}

export function systemAccountJwt({ operator, system }: AccountKeys): Promise<string> {
  return encodeAccount('system', system, { limits: UNLIMITED }, { signer: operator });
}

/** The account of orchestrator and hosts, with the users that it no longer believes. */
export function accountJwt({ operator, account }: AccountKeys, revocations: Revocations): Promise<string> {
  return encodeAccount('mco', account, { limits: WITH_JETSTREAM, revocations }, { signer: operator });
}

/** For one host that has enrolled: its own subjects, and its own inbox. @param publicKey `x` of the JWK */
export function hostUserJwt(
  { account }: AccountKeys,
  hostId: HostId,
  publicKey: string,
  expiresAt: number,
): Promise<string> {
  const operations = NATS_OPERATIONS.map(({ name }) => name).filter((name) => name !== 'enrol');
  const user = userOf(
    operations.map((name) => hostSubject(hostId, name)),
    [hostSubject(hostId, 'wanted.changed'), hostSubject(hostId, 'receipts'), hostInbox(hostId)],
    HOST_SUBSCRIPTIONS,
  );
  return encodeUser(hostId, nkeyName(publicKey), account, user, { exp: seconds(expiresAt) });
}

/**
 * For a host that has a one-time token and is not enrolled yet: enrolment alone. Its key follows from the token, so that only who
 * has the token can use it: the 32 bytes of its Ed25519 seed are the SHA-256 of `mco-enrolment:` and the token.
 */
export function enrolmentUserJwt(
  { account }: AccountKeys,
  hostId: HostId,
  token: string,
  expiresAt: number,
): Promise<string> {
  const user = userOf([hostSubject(hostId, 'enrol')], [enrolmentInbox(hostId)], HOST_SUBSCRIPTIONS);
  return encodeUser(`${hostId} enrolling`, nkeyName(publicKeyOfToken(token)), account, user, {
    exp: seconds(expiresAt),
  });
}

/** The user of this orchestrator, with a key that is nowhere but in this process. */
export async function orchestratorUser({ account }: AccountKeys): Promise<NatsUser> {
  const key = createUser();
  const answered = NATS_OPERATIONS.map(({ name }) => name).filter((name) => name !== 'measurements');
  const user = userOf(
    [
      subjectOfAll('wanted.changed'),
      subjectOfAll('receipts'),
      '_INBOX.mco.>',
      '$JS.API.>',
      `$JS.ACK.${MEASUREMENTS_STREAM}.>`,
    ],
    [...answered.map(subjectOfAll), '_INBOX.orchestrator.>'],
    -1,
  );
  return { jwt: await encodeUser('orchestrator', key, account, user), seed: key.getSeed() };
}

/** Tells the servers which account JWT is the newest, and nothing else. */
export async function systemUser({ system }: AccountKeys): Promise<NatsUser> {
  const key = createUser();
  const user = userOf(['$SYS.REQ.CLAIMS.UPDATE'], ['_INBOX.orchestrator.>'], -1);
  return { jwt: await encodeUser('orchestrator', key, system, user), seed: key.getSeed() };
}

function userOf(publish: readonly string[], subscribe: readonly string[], subs: number): Partial<User> {
  return {
    pub: { allow: [...publish], deny: [] },
    sub: { allow: [...subscribe], deny: [] },
    subs,
    data: -1,
    payload: -1,
    allowed_connection_types: ['STANDARD'],
  };
}

function publicKeyOfToken(token: string): string {
  const seed = createHash('sha256').update(`mco-enrolment:${token}`).digest();
  return createPublicKey(ed25519KeyOfSeed(seed)).export({ format: 'jwk' }).x ?? '';
}

function seconds(epochMilliseconds: number): number {
  return Math.floor(epochMilliseconds / 1000);
}
