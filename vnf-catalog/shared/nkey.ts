import { createPublicKey, sign, type KeyObject } from 'node:crypto';
import { ed25519KeyOfSeed, nkeyName } from '../../kernel/index.ts';

/** The NATS name of the key that a seed makes. @param seed 32 bytes, base64url */
export function nkeyPublicFromSeed(seed: string): string {
  const exported = createPublicKey(privateKey(seed)).export({ format: 'jwk' });
  return nkeyName(exported.x ?? '');
}

/** Signature over the server's nonce, in the base64 that NATS expects. */
export function signWithSeed(seed: string, nonce: string): string {
  return sign(null, Buffer.from(nonce), privateKey(seed)).toString('base64');
}

function privateKey(seed: string): KeyObject {
  return ed25519KeyOfSeed(Buffer.from(seed, 'base64url'));
}
