import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { matchesOriginator, parseAddress, shortOriginator } from './address.ts';

const CSE = { cseId: '/id-in', cseName: 'cse-in' };

describe('an address', () => {
  test.each([
    ['cse-in/ae/cnt', 'cse-in/ae/cnt'],
    ['-/ae', 'cse-in/ae'],
    ['-', 'cse-in'],
    ['Cae', 'Cae'],
    ['/id-in', 'cse-in'],
    ['/id-in/cse-in/ae', 'cse-in/ae'],
    ['/id-in/Cae', 'Cae'],
    ['//sp.example/id-in/-/ae', 'cse-in/ae'],
  ])('%s is %s here', (address, to) => {
    expect(parseAddress(address, CSE)).toEqual({ kind: 'here', to });
  });

  test.each(['/id-other/cse/ae', '/id-inn/x', '//sp/id-other'])('%s is not of this CSE', (address) => {
    expect(parseAddress(address, CSE)).toEqual({ kind: 'elsewhere' });
  });

  test.each(['', 'cse-in/', 'cse-in//ae', 'cse-in/a b', 'cse-in/ä', 'a\u0000'])(
    '%j is refused',
    (address) => {
      expect(parseAddress(address, CSE)).toMatchObject({ kind: 'invalid' });
    },
  );

  test('whatever it is, parsing it never throws, and what is here has only sound segments', () => {
    fc.assert(
      fc.property(fc.string(), (address) => {
        const parsed = parseAddress(address, CSE);
        return parsed.kind !== 'here' || /^[A-Za-z0-9._~-]+(\/[A-Za-z0-9._~-]+)*$/.test(parsed.to);
      }),
    );
  });
});

describe('an originator', () => {
  test('is the same with and without its CSE-ID', () => {
    expect(shortOriginator('/id-in/Cae', '/id-in')).toBe('Cae');
    expect(shortOriginator('/id-other/Cae', '/id-in')).toBe('/id-other/Cae');
  });

  test.each([
    ['all', 'Cany', true],
    ['Cae', 'Cae', true],
    ['Cae', 'Caee', false],
    ['C*', 'Csensor', true],
    ['C*9', 'Cs9', true],
    ['C*9', 'Cs8', false],
    ['C.*', 'Cxx', false],
    ['', '', true],
  ])('pattern %j and originator %j: %s', (pattern, originator, isMatch) => {
    expect(matchesOriginator(pattern, originator)).toBe(isMatch);
  });
});
