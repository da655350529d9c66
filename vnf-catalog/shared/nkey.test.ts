import { createUser, fromPublic, fromSeed } from '@nats-io/nkeys';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { nkeyName } from '../../kernel/index.ts';
import { nkeyPublicFromSeed, signWithSeed } from './nkey.ts';

function newKey(): { seed: string; publicKey: string } {
  const { d = '', x = '' } = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  return { seed: d, publicKey: x };
}

describe('nkeys', () => {
  test('a raw public key gets the name that the NATS library can read back', () => {
    for (let round = 0; round < 50; round += 1) {
      const { seed, publicKey } = newKey();
      const name = nkeyName(publicKey);
      expect(name).toMatch(/^U[A-Z2-7]{55}$/);
      expect(nkeyPublicFromSeed(seed)).toBe(name);
      const nonce = randomBytes(16).toString('base64url');
      const signature = Buffer.from(signWithSeed(seed, nonce), 'base64');
      expect(fromPublic(name).verify(Buffer.from(nonce), signature)).toBe(true);
      expect(fromPublic(name).verify(Buffer.from(`${nonce}x`), signature)).toBe(false);
    }
  });

  test('a key of the NATS library has the same name here', () => {
    const user = createUser();
    const raw = (fromSeed(user.getSeed()) as unknown as { getRawSeed(): Uint8Array }).getRawSeed();
    expect(nkeyPublicFromSeed(Buffer.from(raw).toString('base64url'))).toBe(user.getPublicKey());
  });
});
