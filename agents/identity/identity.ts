import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { chmod, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { IotmanoError, parseId, type HostId, type StateId } from '../../kernel/index.ts';
import { replaceFileDurably } from '../../vim-drivers/host-files/index.ts';
import { readVersioned, type Versioned } from '../versioned-file.ts';

/** What is remembered beside the key, in `identity.json`. */
export interface IdentityDocument {
  readonly hostId: HostId;
  readonly isEnrolled: boolean;
  /** M2M-SP-ID as the enrolment gave it. */
  readonly m2mSpId?: string;
  /** The store that this host was enrolled with, or that an operator has confirmed since. */
  readonly stateId?: StateId;
}

export interface HostIdentity {
  /** What is on disk. */
  readonly document: IdentityDocument;
  /** Ed25519; it never leaves this host. */
  readonly privateKey: KeyObject;
  /** JWK of the public half. */
  readonly publicJwk: { readonly kty: 'OKP'; readonly crv: 'Ed25519'; readonly x: string };
  /** Durable when it resolves. */
  update(changes: Partial<Omit<IdentityDocument, 'hostId'>>): Promise<void>;
  /** After the host has left: the key stays, the rest is forgotten. */
  forgetEnrolment(): Promise<void>;
}

const FORMAT: Versioned<IdentityDocument> = {
  version: 1,
  upcasters: {},
  parse: (document) => {
    const { m2mSpId, isEnrolled, stateId } = document;
    return {
      hostId: parseId<HostId>(document['hostId'], 'hostId'),
      isEnrolled: isEnrolled === true,
      ...(typeof m2mSpId === 'string' ? { m2mSpId } : {}),
      ...(stateId === undefined ? {} : { stateId: parseId<StateId>(stateId, 'stateId') }),
    };
  },
};

/**
 * Reads the identity in the data directory, or makes one: a key pair that is nobody else's.
 * @throws IotmanoError `conflict` where the directory belongs to another hostId, `store-newer`, `store-failed`
 */
export async function openIdentity(dataDirectory: string, hostId: HostId): Promise<HostIdentity> {
  const path = join(dataDirectory, 'identity.json');
  let document = await readVersioned(path, FORMAT);
  if (document !== undefined && document.hostId !== hostId) {
    throw new IotmanoError(
      'conflict',
      `the data directory ${dataDirectory} is that of host "${document.hostId}", not of "${hostId}"; start the agent with --host-id ${document.hostId}, or with another --data`,
      { dataDirectory },
    );
  }
  const privateKey = await openKey(join(dataDirectory, 'host.key'));
  const save = (next: IdentityDocument): Promise<void> =>
    replaceFileDurably(path, JSON.stringify({ schemaVersion: FORMAT.version, ...next }, undefined, 2));
  if (document === undefined) {
    document = { hostId, isEnrolled: false };
    await save(document);
  }
  let current = document;
  let writing: Promise<void> = Promise.resolve();
  const change = (next: (before: IdentityDocument) => IdentityDocument): Promise<void> => {
    const write = async (): Promise<void> => {
      const document = next(current);
      await save(document);
      current = document;
    };
    writing = writing.then(write, write);
    return writing;
  };
  return {
    get document() {
      return current;
    },
    privateKey,
    publicJwk: publicJwkOf(privateKey),
    update: (changes) => change((before) => ({ ...before, ...changes })),
    forgetEnrolment: () => change(() => ({ hostId, isEnrolled: false })),
  };
}

/** The key file, readable by its owner only; wider permissions are narrowed. */
async function openKey(path: string): Promise<KeyObject> {
  try {
    const key = createPrivateKey(await readFile(path));
    if (((await stat(path)).mode & 0o077) !== 0) await chmod(path, 0o600);
    if (key.asymmetricKeyType !== 'ed25519') throw new TypeError('it is not an Ed25519 key');
    return key;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
      throw new IotmanoError(
        'store-failed',
        `the host's key ${path} cannot be used; restore it, or move it away and enrol the host anew under another hostId`,
        { path },
        error,
      );
    }
  }
  const { privateKey } = generateKeyPairSync('ed25519');
  await replaceFileDurably(path, privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
  return privateKey;
}

function publicJwkOf(privateKey: KeyObject): HostIdentity['publicJwk'] {
  const { x } = createPublicKey(privateKey).export({ format: 'jwk' });
  return { kty: 'OKP', crv: 'Ed25519', x: x ?? '' };
}
