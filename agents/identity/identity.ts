import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { join } from 'node:path';
import { IotmanoError, createTurns, parseId, type HostId, type StateId } from '../../kernel/index.ts';
import { replaceFileDurably } from '../../vim-drivers/host-files/index.ts';
import { STATE_FORMATS } from '../state-formats.ts';
import { readVersioned, type Versioned } from '../versioned-file.ts';
import { openCertificateFile, type CertificateFile } from './certificate-file.ts';
import { readKeyFile, writeKeyFile } from './key-file.ts';
import { openSealingKeys, type SealingKeys } from './sealing-keys.ts';

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
  /** What sealed values are opened with. */
  readonly sealingKeys: SealingKeys;
  /** The certificate for `privateKey`, where the orchestrator issues any. */
  readonly certificate: CertificateFile;
  /** Durable when it resolves. */
  update(changes: Partial<Omit<IdentityDocument, 'hostId'>>): Promise<void>;
  /** After the host has left: the key stays, the rest is forgotten. */
  forgetEnrolment(): Promise<void>;
}

const FORMAT: Versioned<IdentityDocument> = {
  version: STATE_FORMATS.identity,
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
 * @param mustMakeKey a new key pair in place of the one that was revoked; the host then has to enrol
 * @throws IotmanoError `conflict` where the directory belongs to another hostId, `store-newer`, `store-failed`
 */
export async function openIdentity(
  dataDirectory: string,
  hostId: HostId,
  mustMakeKey = false,
): Promise<HostIdentity> {
  const path = join(dataDirectory, 'identity.json');
  let document = await readVersioned(path, FORMAT);
  if (document !== undefined && document.hostId !== hostId) {
    throw new IotmanoError(
      'conflict',
      `the data directory ${dataDirectory} is that of host "${document.hostId}", not of "${hostId}"; start the agent with --host-id ${document.hostId}, or with another --data`,
      { dataDirectory },
    );
  }
  const privateKey = await openKey(join(dataDirectory, 'host.key'), mustMakeKey);
  const certificate = await openCertificateFile(dataDirectory);
  const sealingKeys = await openSealingKeys(dataDirectory);
  const save = (next: IdentityDocument): Promise<void> =>
    replaceFileDurably(path, JSON.stringify({ schemaVersion: FORMAT.version, ...next }, undefined, 2));
  if (document === undefined) {
    document = { hostId, isEnrolled: false };
    await save(document);
  }
  if (mustMakeKey) {
    await certificate.clear();
    document = { ...document, isEnrolled: false };
    await save(document);
  }
  let current = document;
  const inTurn = createTurns();
  const change = (next: (before: IdentityDocument) => IdentityDocument): Promise<void> =>
    inTurn(async () => {
      const document = next(current);
      await save(document);
      current = document;
    });
  return {
    get document() {
      return current;
    },
    privateKey,
    publicJwk: publicJwkOf(privateKey),
    sealingKeys,
    certificate,
    update: (changes) => change((before) => ({ ...before, ...changes })),
    async forgetEnrolment() {
      await certificate.clear();
      await change(() => ({ hostId, isEnrolled: false }));
    },
  };
}

async function openKey(path: string, mustMakeKey: boolean): Promise<KeyObject> {
  const known = mustMakeKey
    ? undefined
    : await readKeyFile(
        path,
        'ed25519',
        "the host's key",
        'restore it, or move it away and enrol the host anew under another hostId',
      );
  if (known !== undefined) return known;
  const { privateKey } = generateKeyPairSync('ed25519');
  await writeKeyFile(path, privateKey);
  return privateKey;
}

function publicJwkOf(privateKey: KeyObject): HostIdentity['publicJwk'] {
  const { x } = createPublicKey(privateKey).export({ format: 'jwk' });
  return { kty: 'OKP', crv: 'Ed25519', x: x ?? '' };
}
