import { createAccount, createOperator, fromSeed } from '@nats-io/nkeys';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { signingKey } from './signing-key.ts';

it('signs and is named as the pair of the library with the same seed', () => {
  fc.assert(
    fc.property(fc.constantFrom(createOperator, createAccount), fc.uint8Array(), (create, input) => {
      const seed = Buffer.from(create().getSeed());
      const [ours, theirs] = [signingKey(seed.toString()), fromSeed(seed)];
      expect(ours.getPublicKey()).toBe(theirs.getPublicKey());
      expect(Buffer.from(ours.sign(input))).toEqual(Buffer.from(theirs.sign(input)));
      expect(theirs.verify(input, ours.sign(input))).toBe(true);
    }),
    { numRuns: 25 },
  );
});

it('takes nothing that is no seed', () => {
  expect(() => signingKey('SAnothing')).toThrow(/checksum|seed|invalid/i);
});
