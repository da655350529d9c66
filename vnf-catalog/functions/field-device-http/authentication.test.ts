import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { isAuthentic, parseCredentials } from './authentication.ts';

const hashOf = (token: string): string => createHash('sha256').update(token).digest('hex');
const CREDENTIALS = parseCredentials([
  { originator: 'Cone', tokenSha256: hashOf('secret-1') },
  { originator: 'Cs*r', tokenSha256: hashOf('secret-2') },
]);

describe('authentication', () => {
  test.each([
    ['Cone', 'Bearer secret-1', true],
    ['Cone', 'bearer secret-1', true],
    ['Cone', 'Bearer secret-2', false],
    ['Cone', 'secret-1', false],
    ['Cone', undefined, false],
    ['Csensor', 'Bearer secret-2', true],
    ['Csr', 'Bearer secret-2', true],
    ['Cs', 'Bearer secret-2', false],
    ['Cother', 'Bearer secret-1', false],
    ['', 'Bearer secret-1', false],
  ])('originator %j with %j: %s', (originator, authorization, isProven) => {
    expect(isAuthentic(CREDENTIALS, originator, authorization)).toBe(isProven);
  });

  test('everybody is believed where nothing is configured', () => {
    expect(isAuthentic([], 'Cany', undefined)).toBe(true);
  });

  test('credentials that hold a token in the clear are refused', () => {
    expect(() => parseCredentials([{ originator: 'C', tokenSha256: 'secret' }])).toThrow(
      /"credentials"\[0\]/,
    );
  });
});
