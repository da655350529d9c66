import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { matchesPattern } from './name-pattern.ts';

const word = fc.stringMatching(/^[ab]{0,8}$/);
const pattern = fc.stringMatching(/^[ab*]{0,8}$/);

test('a pattern matches what the same pattern of a regular expression matches', () => {
  fc.assert(
    fc.property(pattern, word, (text, name) => {
      expect(matchesPattern(text, name)).toBe(new RegExp(`^${text.replaceAll('*', '.*')}$`).test(name));
    }),
    { numRuns: 2_000 },
  );
});

test('a pattern made to be slow is answered at once', () => {
  const started = performance.now();
  expect(matchesPattern(`${'*a'.repeat(50_000)}b`, 'a'.repeat(512))).toBe(false);
  expect(performance.now() - started).toBeLessThan(200);
});
