import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HostId } from '../../kernel/index.ts';
import { canonicalHash, canonicalJson, isSameJson, toWantedUnits, wantedVnfcs } from './index.ts';

const copies = fc.uniqueArray(
  fc.record({
    unit: fc.constantFrom('a', 'b'),
    generation: fc.constant(1),
    hostId: fc.constantFrom('h1', 'h2', 'h3').map((id) => id as HostId),
    slot: fc.integer({ min: 0, max: 5 }),
    epoch: fc.integer({ min: 1, max: 3 }),
  }),
  { selector: ({ unit, hostId, slot }) => `${unit} ${hostId} ${slot}` },
);

describe('wanted copies', () => {
  it('come out of wanted units as they went in, whatever their order', () => {
    fc.assert(
      fc.property(copies, (list) => {
        const units = toWantedUnits(list);
        expect(toWantedUnits(wantedVnfcs(units))).toEqual(units);
        expect(toWantedUnits(list.toReversed())).toEqual(units);
        expect(wantedVnfcs(units)).toHaveLength(list.length);
      }),
    );
  });
});

describe('canonical JSON', () => {
  it('says the same whatever the order of keys, and nothing of what is undefined', () => {
    expect(canonicalJson({ b: [1, { d: 1, c: undefined }], a: null })).toBe('{"a":null,"b":[1,{"d":1}]}');
    expect(canonicalHash({ a: 1, b: 2 })).toBe(canonicalHash({ b: 2, a: 1 }));
    expect(isSameJson([1, 2], [2, 1])).toBe(false);
  });

  it('is equal where values are the same, and only there', () => {
    const small = fc.jsonValue({ maxDepth: 3 });
    const withHoles = small.map((value) =>
      typeof value === 'object' && value !== null && !Array.isArray(value)
        ? { ...value, hole: undefined }
        : value,
    );
    fc.assert(
      fc.property(fc.oneof(small, withHoles), fc.oneof(small, withHoles), (a, b) => {
        const copy: unknown = JSON.parse(JSON.stringify(a));
        expect(isSameJson(a, copy)).toBe(true);
        expect(isSameJson(a, b)).toBe(canonicalJson(a) === canonicalJson(b));
      }),
      { numRuns: 500 },
    );
    for (const [a, b] of [
      [{ a: 1 }, { a: 1, b: 2 }],
      [{ a: 1, b: 2 }, { a: 1 }],
      [{ a: undefined }, { b: undefined }],
      [[1], { 0: 1 }],
      [null, {}],
      [{ toString: 1 }, {}],
    ])
      expect(isSameJson(a, b)).toBe(canonicalJson(a) === canonicalJson(b));
  });

  it('keeps what JSON keeps', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});
