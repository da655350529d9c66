import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { validateCreate, validateUpdate } from './validate-content.ts';

describe('the content of a creation', () => {
  test.each<[string, number, unknown]>([
    ['an AE', 2, { 'm2m:ae': { rn: 'a', api: 'Nx', rr: true, srv: ['4'], poa: ['http://h/'] } }],
    ['a container', 3, { 'm2m:cnt': { mni: 5, mbs: 100, lbl: ['a'], et: '20301231T000000' } }],
    ['an empty container', 3, { 'm2m:cnt': {} }],
    ['a contentInstance', 4, { 'm2m:cin': { con: { any: ['thing'] }, cnf: 'application/json:0' } }],
    ['a policy', 1, { 'm2m:acp': { pv: { acr: [{ acor: ['Ca'], acop: 63 }] }, pvs: { acr: [] } } }],
    ['a subscription', 23, { 'm2m:sub': { nu: ['Ca'], nct: 1, enc: { net: [3], chty: [4] } } }],
    ['one that asks for its creator', 3, { 'm2m:cnt': { cr: null } }],
  ])('is taken when it is %s', (_, ty, content) => {
    expect(validateCreate(ty, content)).toMatchObject({ isValid: true });
  });

  test.each<[string, number, unknown, RegExp]>([
    ['another type', 3, { 'm2m:cin': {} }, /one object "m2m:cnt"/],
    ['two members', 3, { 'm2m:cnt': {}, 'm2m:cin': {} }, /one object/],
    ['an unknown attribute', 3, { 'm2m:cnt': { foo: 1 } }, /foo is not an attribute/],
    ['an attribute of the CSE', 3, { 'm2m:cnt': { cni: 1 } }, /cni is not permitted/],
    ['a given resource id', 3, { 'm2m:cnt': { ri: 'x' } }, /ri is not permitted/],
    ['a given creator', 3, { 'm2m:cnt': { cr: 'Cme' } }, /cr must be null/],
    ['no mandatory attribute', 2, { 'm2m:ae': { api: 'Nx', rr: true } }, /srv is missing/],
    ['a wrong App-ID', 2, { 'm2m:ae': { api: 'x', rr: true, srv: ['4'] } }, /api must begin/],
    ['no content', 4, { 'm2m:cin': {} }, /con is missing/],
    ['a negative limit', 3, { 'm2m:cnt': { mni: -1 } }, /mni must be a whole number/],
    ['a wrong time', 3, { 'm2m:cnt': { et: 'tomorrow' } }, /et must be a time/],
    ['a reserved name', 3, { 'm2m:cnt': { rn: 'la' } }, /rn is not a possible/],
    ['a name with a slash', 3, { 'm2m:cnt': { rn: 'a/b' } }, /rn is not a possible/],
    ['a name that the CSE gives', 4, { 'm2m:cin': { rn: 'cin5', con: '' } }, /rn is not a possible/],
    [
      'a rule with a time window',
      1,
      { 'm2m:acp': { pv: { acr: [{ acor: ['all'], acop: 1, acco: [] }] }, pvs: {} } },
      /acco is not supported/,
    ],
    [
      'a batch that is not supported',
      23,
      { 'm2m:sub': { nu: ['a'], bn: { num: 2 } } },
      /bn is not supported/,
    ],
    ['an unknown event', 23, { 'm2m:sub': { nu: ['a'], enc: { net: [5] } } }, /net must be/],
    ['no target', 23, { 'm2m:sub': { nu: [] } }, /nu/],
  ])('is refused, in words, when it has %s', (_, ty, content, reason) => {
    const result = validateCreate(ty, content);
    expect(result).toMatchObject({ isValid: false, reason: expect.stringMatching(reason) as unknown });
  });

  test('whatever it is, checking it gives a verdict', () => {
    fc.assert(
      fc.property(fc.constantFrom(1, 2, 3, 4, 23), fc.jsonValue(), fc.jsonValue(), (ty, value, other) => {
        const names = { 1: 'm2m:acp', 2: 'm2m:ae', 3: 'm2m:cnt', 4: 'm2m:cin', 23: 'm2m:sub' };
        const member = names[ty as 1];
        for (const content of [
          value,
          { [member]: value },
          { [member]: { pv: value, nu: other, enc: value, mni: other } },
        ]) {
          expect(typeof validateCreate(ty, content).isValid).toBe('boolean');
          expect(typeof validateUpdate(ty, content).isValid).toBe('boolean');
        }
      }),
    );
  });
});

describe('the content of an update', () => {
  test('sets attributes, and removes those that are null', () => {
    expect(validateUpdate(3, { 'm2m:cnt': { mni: 3, lbl: null } })).toEqual({
      isValid: true,
      set: { mni: 3 },
      unset: ['lbl'],
    });
  });

  test.each<[unknown, RegExp]>([
    [{ 'm2m:cnt': { rn: 'new' } }, /rn is not permitted/],
    [{ 'm2m:cnt': { et: null } }, /et cannot be removed/],
    [{ 'm2m:cnt': { cni: null } }, /cni is not permitted/],
    [{ 'm2m:ae': {} }, /one object "m2m:cnt"/],
    [{ 'm2m:cnt': { acpi: ['a'], lbl: ['x'] } }, /only attribute/],
    [{ 'm2m:cnt': { constructor: 'x' } }, /is not an attribute/],
    [JSON.parse('{"m2m:cnt":{"__proto__":{}}}'), /is not an attribute/],
    [{ 'm2m:cnt': { et: '20309999T000000' } }, /et must be a time/],
    [{ 'm2m:cnt': { et: '20300231T000000' } }, /et must be a time/],
  ])('%j is refused', (content, reason) => {
    expect(validateUpdate(3, content)).toMatchObject({
      isValid: false,
      reason: expect.stringMatching(reason) as unknown,
    });
  });
});
