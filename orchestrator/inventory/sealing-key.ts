import { CompactEncrypt, importJWK } from 'jose';
import { IotmanoError } from '../../kernel/index.ts';

/** Public half of the key that a host opens sealed values with: X25519 (RFC 8037). */
export interface HostSealingKey {
  readonly kty: 'OKP';
  readonly crv: 'X25519';
  readonly x: string;
}

/**
 * The key of a proof. A value is sealed to it for a trial: a point that nothing can be sealed to must not be found out when a wanted state is answered.
 * @throws IotmanoError `unauthorized` where it is no such key
 */
export async function parseSealingKey(claim: unknown): Promise<HostSealingKey | undefined> {
  if (claim === undefined) return undefined;
  const { kty, crv, x } = (typeof claim === 'object' && claim !== null ? claim : {}) as Record<
    string,
    unknown
  >;
  try {
    if (kty !== 'OKP' || crv !== 'X25519' || typeof x !== 'string')
      throw new TypeError('another kind of key');
    const key: HostSealingKey = { kty, crv, x };
    await sealTo(key, 'none', new Uint8Array());
    return key;
  } catch (error) {
    throw new IotmanoError(
      'unauthorized',
      'the claim "sealingKey" of the proof is not an X25519 public key; tell the JWK of the key pair that sealing-key.json describes',
      {},
      error,
    );
  }
}

/** Seals to the key of a host: JWE in compact form, ECDH-ES with A256GCM (RFC 7516, RFC 8037). */
export async function sealTo(
  { x }: { readonly x?: string | undefined },
  keyId: string,
  content: Uint8Array,
): Promise<string> {
  return await new CompactEncrypt(content)
    .setProtectedHeader({ alg: 'ECDH-ES', enc: 'A256GCM', kid: keyId })
    .encrypt(await importJWK({ kty: 'OKP', crv: 'X25519', x: x ?? '' }, 'ECDH-ES'));
}
