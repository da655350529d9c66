import { createHash, sign, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Authenticator } from '@nats-io/transport-node';
import { IotmanoError, ed25519KeyOfSeed } from '../../../kernel/index.ts';
import { replaceFileDurably } from '../../../vim-drivers/host-files/index.ts';

/** As whom this host connects: with its own key once it is enrolled, before that with one that follows from its token. */
export interface HostUsers {
  /** @throws IotmanoError `not-found` where the host has no JWT yet */
  host(): Authenticator;
  /** @throws IotmanoError `unauthorized` where there is no credential to enrol with */
  enrolment(): Authenticator;
  /** A JWT that came with an answer. Durable when it resolves. */
  keep(jwt: string): Promise<void>;
}

export interface HostUsersOptions {
  readonly dataDirectory: string;
  readonly hostId: string;
  readonly privateKey: KeyObject;
  /** `TOKEN~JWT`, as an operator gives it out for NATS. */
  readonly credential: string | undefined;
}

const FILE = 'nats-user.jwt';

export async function openHostUsers(options: HostUsersOptions): Promise<HostUsers> {
  const { hostId, privateKey, credential } = options;
  const path = join(options.dataDirectory, FILE);
  let jwt = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  return {
    host: () => {
      if (jwt === undefined)
        throw new IotmanoError('not-found', `host "${hostId}" has no user of NATS yet; it has to enrol`);
      // Asked for at every connection: a newer one counts from the next on.
      return (nonce) => ({ jwt: jwt ?? '', sig: signature(privateKey, nonce) });
    },
    enrolment: () => {
      const [token = '', userJwt] = credential?.split('~') ?? [];
      if (userJwt === undefined) throw noCredential(hostId);
      const key = keyOfToken(token);
      return (nonce) => ({ jwt: userJwt, sig: signature(key, nonce) });
    },
    keep: async (next) => {
      await replaceFileDurably(path, next);
      jwt = next;
    },
  };
}

/** Who has the token has the key: its seed is a hash of the token (mco.asyncapi.yaml, Permissions). */
function keyOfToken(token: string): KeyObject {
  const seed = createHash('sha256').update(`mco-enrolment:${token}`).digest();
  return ed25519KeyOfSeed(seed);
}

function signature(key: KeyObject, nonce: string | undefined): string {
  return sign(null, Buffer.from(nonce ?? ''), key).toString('base64url');
}

function noCredential(hostId: string): IotmanoError {
  return new IotmanoError(
    'unauthorized',
    `host "${hostId}" cannot enrol over NATS with that; get a credential with "iotmano token enrol --nats --host-id ${hostId}" and give it to the agent as IOTMANO_ENROLMENT_TOKEN or with --token-file`,
    { mustEnrol: true },
  );
}
