import { createPrivateKey, type KeyObject } from 'node:crypto';

/** PKCS #8 of an Ed25519 private key, up to the 32 bytes of the seed (RFC 8410). */
const PKCS8_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex');

/** The Ed25519 private key of a seed of 32 bytes. */
export function ed25519KeyOfSeed(seed: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.concat([PKCS8_HEAD, seed]), format: 'der', type: 'pkcs8' });
}
