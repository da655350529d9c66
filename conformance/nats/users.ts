/** Who may do what at servers of NATS in operator mode: the keys and JWTs of an orchestrator that the kit plays. */
import { createHash, createPublicKey, sign, type KeyObject } from 'node:crypto';
import {
  decode,
  encodeAccount,
  encodeOperator,
  encodeUser,
  type OperatorLimits,
  type User,
} from '@nats-io/jwt';
import { createAccount, createOperator, createUser, type KeyPair } from '@nats-io/nkeys';
import { jwtAuthenticator, type Authenticator } from '@nats-io/transport-node';
import { ed25519KeyOfSeed, nkeyName } from '../../kernel/index.ts';
import { natsOperations, subjectOf } from './document.ts';

/** What signs everything that the servers of the kit believe; in memory only. */
export interface KitKeys {
  readonly operator: KeyPair;
  readonly account: KeyPair;
  readonly system: KeyPair;
}

const DAY_SECONDS = 24 * 3600;
const HOST_SUBSCRIPTIONS = 8;
const UNLIMITED: OperatorLimits = {
  subs: -1,
  data: -1,
  payload: -1,
  imports: -1,
  exports: -1,
  wildcards: true,
  conn: -1,
  leaf: -1,
  mem_storage: -1,
  disk_storage: -1,
  streams: -1,
  consumer: -1,
};

export function createKitKeys(): KitKeys {
  return { operator: createOperator(), account: createAccount(), system: createAccount() };
}

/** What a server has to be told of operator and accounts. */
export async function accountsOf({ operator, account, system }: KitKeys): Promise<{
  readonly operatorJwt: string;
  readonly systemKey: string;
  readonly accounts: Readonly<Record<string, string>>;
}> {
  const { mem_storage: _m, disk_storage: _d, streams: _s, consumer: _c, ...plain } = UNLIMITED;
  return {
    operatorJwt: await encodeOperator('kit', operator, { system_account: system.getPublicKey() }),
    systemKey: system.getPublicKey(),
    accounts: {
      [system.getPublicKey()]: await encodeAccount('system', system, { limits: plain }, { signer: operator }),
      [account.getPublicKey()]: await encodeAccount(
        'mco',
        account,
        { limits: UNLIMITED },
        { signer: operator },
      ),
    },
  };
}

/** The orchestrator that the kit plays. */
export async function playedOrchestratorUser({ account }: KitKeys): Promise<Authenticator> {
  const key = createUser();
  return jwtAuthenticator(
    await encodeUser('orchestrator', key, account, unlimited(['>'], ['>'])),
    key.getSeed(),
  );
}

/** Hears of connections. */
export async function observingUser({ system }: KitKeys): Promise<Authenticator> {
  const key = createUser();
  return jwtAuthenticator(await encodeUser('observer', key, system, unlimited([], ['>'])), key.getSeed());
}

/** For the key that a host has enrolled. @param x of its JWK */
export function hostUserJwt({ account }: KitKeys, hostId: string, x: string, now: number): Promise<string> {
  const sent = [...natsOperations().values()].filter(
    ({ replies, name }) => replies.length > 0 || name === 'measurements',
  );
  const publish = sent.map(({ name }) => name).filter((name) => name !== 'enrol');
  const user = userOf(
    publish.map((name) => subjectOf(hostId, name)),
    [subjectOf(hostId, 'wanted.changed'), subjectOf(hostId, 'receipts'), `_INBOX.mco.${hostId}.>`],
  );
  return encodeUser(hostId, nkeyName(x), account, user, { exp: Math.floor(now / 1000) + DAY_SECONDS });
}

/** `TOKEN~JWT`: what a host enrols with. */
export async function enrolmentCredential(
  { account }: KitKeys,
  hostId: string,
  token: string,
  now: number,
): Promise<string> {
  const { x = '' } = createPublicKey(enrolmentKey(token)).export({ format: 'jwk' });
  const user = userOf([subjectOf(hostId, 'enrol')], [`_INBOX.mco.${hostId}.enrol.>`]);
  const exp = Math.floor(now / 1000) + DAY_SECONDS;
  return `${token}~${await encodeUser(`${hostId} enrolling`, nkeyName(x), account, user, { exp })}`;
}

/** Who has the token has the key: its seed is a hash of the token. */
export function enrolmentKey(token: string): KeyObject {
  const seed = createHash('sha256').update(`mco-enrolment:${token}`).digest();
  return ed25519KeyOfSeed(seed);
}

/** The host that a credential is for; undefined where it is none. */
export function hostOfCredential(credential: string): string | undefined {
  const [, jwt] = credential.split('~');
  if (jwt === undefined) return undefined;
  try {
    const { nats } = decode<User>(jwt);
    return /^mco\.v1\.([a-z0-9-]{1,40})\.enrol$/.exec(nats.pub?.allow?.[0] ?? '')?.[1];
  } catch {
    return undefined;
  }
}

/** The key that a user JWT is for. */
export function subjectOfJwt(jwt: string): string {
  return decode(jwt).sub;
}

/** Connects with a JWT and the Ed25519 key that it names. */
export function keyAuthenticator(jwt: string, key: KeyObject): Authenticator {
  return (nonce) => ({ jwt, sig: sign(null, Buffer.from(nonce ?? ''), key).toString('base64url') });
}

function unlimited(publish: readonly string[], subscribe: readonly string[]): Partial<User> {
  return { ...userOf(publish, subscribe), subs: -1 };
}

function userOf(publish: readonly string[], subscribe: readonly string[]): Partial<User> {
  return {
    pub: { allow: [...publish], deny: [] },
    sub: { allow: [...subscribe], deny: [] },
    subs: HOST_SUBSCRIPTIONS,
    data: -1,
    payload: -1,
  };
}
