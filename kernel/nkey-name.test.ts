import { fromPublic } from '@nats-io/nkeys';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { nkeyName } from './nkey-name.ts';

it('names a key so that the library of NATS reads it back, and takes no other name', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (raw) => {
      const name = nkeyName(Buffer.from(raw).toString('base64url'));
      expect(name).toMatch(/^U[A-Z2-7]{55}$/);
      expect(fromPublic(name).getPublicKey()).toBe(name);
      const other = `${name.slice(0, 20)}${name[20] === 'A' ? 'B' : 'A'}${name.slice(21)}`;
      expect(() => fromPublic(other)).toThrow(/checksum|invalid/i);
    }),
  );
});
