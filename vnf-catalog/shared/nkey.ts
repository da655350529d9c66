import { createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { nkeyName } from '../../kernel/index.ts';

/** PKCS #8 of an Ed25519 private key, up to the 32 bytes of the seed (RFC 8410). */
const PKCS8_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex');

/** The NATS name of the key that a seed makes. @param seed 32 bytes, base64url */
export function nkeyPublicFromSeed(seed: string): string {
  const exported = createPublicKey(privateKey(seed)).export({ format: 'jwk' });
  return nkeyName(exported.x ?? '');
}

/** Signature over the server's nonce, in the base64 that NATS expects. */
export function signWithSeed(seed: string, nonce: string): string {
  return sign(null, Buffer.from(nonce), privateKey(seed)).toString('base64');
}

function privateKey(seed: string): ReturnType<typeof createPrivateKey> {
  const key = Buffer.concat([PKCS8_HEAD, Buffer.from(seed, 'base64url')]);
  return createPrivateKey({ key, format: 'der', type: 'pkcs8' });
}
