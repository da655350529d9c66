import { calculateJwkThumbprint, importJWK, type CryptoKey } from 'jose';
import { IotmanoError } from '../../kernel/index.ts';

/** Public half of a host's key: Ed25519. */
export interface HostPublicKey {
  readonly kty: 'OKP';
  readonly crv: 'Ed25519';
  readonly x: string;
}

/**
 * A key that signatures can be checked with.
 * @throws IotmanoError `invalid-parameter` where it is no point of the curve
 */
export async function importPublicKey({ x }: { readonly x?: string | undefined }): Promise<CryptoKey> {
  try {
    return await importJWK<HostPublicKey>({ kty: 'OKP', crv: 'Ed25519', x: x ?? '' }, 'EdDSA');
  } catch (error) {
    throw new IotmanoError(
      'invalid-parameter',
      'publicKey is not an Ed25519 public key; send the JWK of the key pair that the host has made',
      { pointer: '/publicKey' },
      error,
    );
  }
}

/** RFC 7638, SHA-256, base64url: what two keys are compared by. */
export async function thumbprint({ x }: { readonly x?: string | undefined }): Promise<string> {
  return await calculateJwkThumbprint({ kty: 'OKP', crv: 'Ed25519', x: x ?? '' }, 'sha256');
}
