import { sign } from 'node:crypto';
import { fromSeed, type KeyPair } from '@nats-io/nkeys';
import { ed25519KeyOfSeed } from '../../../kernel/index.ts';

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
/** Kind of the seed, and of the key. */
const PREFIX_BYTES = 2;
const SEED_BYTES = 32;

/**
 * A pair of keys that signs as that of the library does. That one computes in JavaScript, some twenty milliseconds for each JWT, in which an
 * orchestrator whose hosts all enrol at once would do nothing else.
 * @throws NKeysError where it is no seed
 */
export function signingKey(seed: string): KeyPair {
  const pair = fromSeed(Buffer.from(seed));
  const [publicKey, privateKey] = [pair.getPublicKey(), pair.getPrivateKey()];
  const key = ed25519KeyOfSeed(rawSeedOf(seed));
  return Object.assign(pair, {
    getPublicKey: () => publicKey,
    getPrivateKey: () => privateKey,
    sign: (input: Uint8Array): Uint8Array => sign(null, input, key),
  });
}

/** @param seed base32 (RFC 4648) of prefix, seed and checksum, which `fromSeed` has verified */
function rawSeedOf(seed: string): Uint8Array {
  const bits = Array.from(seed, (letter) => BASE32.indexOf(letter).toString(2).padStart(5, '0')).join('');
  const bytes = Array.from({ length: Math.floor(bits.length / 8) }, (_, index) =>
    Number.parseInt(bits.slice(index * 8, index * 8 + 8), 2),
  );
  return Uint8Array.from(bytes.slice(PREFIX_BYTES, PREFIX_BYTES + SEED_BYTES));
}
