import { CompactEncrypt, calculateJwkThumbprint, compactDecrypt, importJWK, type JWK } from 'jose';
import type { components } from '../api-specs/generated/mco.ts';

type Schemas = components['schemas'];

/** Public half of a key for sealed values. */
export type SealingKey = Schemas['sealing-key'];

/** Values, sealed to the key of a host as `sealed` of assignment.json says. @throws where nothing can be sealed to the key */
export async function seal({ kty, crv, x }: SealingKey, values: Schemas['sealed-values']): Promise<string> {
  const kid = await calculateJwkThumbprint({ kty, crv, x }, 'sha256');
  return await new CompactEncrypt(Buffer.from(JSON.stringify(values)))
    .setProtectedHeader({ alg: 'ECDH-ES', enc: 'A256GCM', kid })
    .encrypt(await importJWK({ kty, crv, x }, 'ECDH-ES'));
}

/** What is sealed. @throws where it is not sealed to that key, or is no JSON */
export async function unseal(sealed: string, privateKey: JWK): Promise<unknown> {
  const { plaintext } = await compactDecrypt(sealed, await importJWK(privateKey, 'ECDH-ES'), {
    keyManagementAlgorithms: ['ECDH-ES'],
    contentEncryptionAlgorithms: ['A256GCM'],
  });
  return JSON.parse(Buffer.from(plaintext).toString('utf8')) as unknown;
}
