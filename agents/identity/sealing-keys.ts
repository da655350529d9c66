import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { calculateJwkThumbprint } from 'jose/jwk/thumbprint';
import { syncDirectory } from '../../vim-drivers/host-files/index.ts';
import { readKeyFile, writeKeyFile } from './key-file.ts';

/** One key pair for sealed values: X25519. The private half never leaves this host. */
export interface SealingKey {
  /** RFC 7638, SHA-256: `kid` of what is sealed to it. */
  readonly id: string;
  readonly privateKey: KeyObject;
  readonly publicJwk: { readonly kty: 'OKP'; readonly crv: 'X25519'; readonly x: string };
}

/** The keys of this host for sealed values: the one that it tells, and, after a rotation, the one before it, until nothing needs that any more. */
export interface SealingKeys {
  /** What new values are to be sealed to. */
  readonly current: SealingKey;
  /** The key of that id, where it is known here. */
  find(id: string): SealingKey | undefined;
  /** A new current key; the one before it still opens what is on disk. Durable when it resolves. */
  rotate(): Promise<void>;
  /** Everything on disk is sealed to the current key: the one before it goes. */
  forgetPrevious(): Promise<void>;
}

const REMEDY =
  'restore it, or move it away: the orchestrator then seals everything anew as soon as it is reached';

/** Reads the keys in the data directory, or makes one. @throws IotmanoError `store-failed` */
export async function openSealingKeys(dataDirectory: string): Promise<SealingKeys> {
  const path = join(dataDirectory, 'sealing.key');
  const previousPath = `${path}.previous`;
  const read = async (file: string): Promise<SealingKey | undefined> => {
    const key = await readKeyFile(file, 'x25519', 'the key for sealed values', REMEDY);
    return key === undefined ? undefined : await sealingKey(key);
  };
  let current = (await read(path)) ?? (await makeKey(path));
  let previous = await read(previousPath);
  return {
    get current() {
      return current;
    },
    find: (id) => [current, previous].find((key) => key?.id === id),
    async rotate() {
      // Killed in between, there is no current key: the next start makes one, and still has the previous one.
      await rename(path, previousPath);
      await syncDirectory(dirname(path));
      previous = current;
      current = await makeKey(path);
    },
    async forgetPrevious() {
      if (previous === undefined) return;
      await rm(previousPath, { force: true });
      previous = undefined;
    },
  };
}

async function makeKey(path: string): Promise<SealingKey> {
  const { privateKey } = generateKeyPairSync('x25519');
  await writeKeyFile(path, privateKey);
  return await sealingKey(privateKey);
}

/** The pair that a private half makes. */
export async function sealingKey(privateKey: KeyObject): Promise<SealingKey> {
  const { x = '' } = createPublicKey(privateKey).export({ format: 'jwk' });
  const publicJwk = { kty: 'OKP', crv: 'X25519', x } as const;
  return { id: await calculateJwkThumbprint(publicJwk, 'sha256'), privateKey, publicJwk };
}
