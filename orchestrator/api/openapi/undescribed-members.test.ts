import { describe, expect, test } from 'vitest';
import type { JsonObject } from './load-documents.ts';
import { undescribedMembers } from './undescribed-members.ts';

const files = new Map<string, JsonObject>([
  ['http://other.invalid/a.yaml', { Named: { type: 'object', properties: { href: { type: 'string' } } } }],
]);
const NAMED = { $ref: 'http://other.invalid/a.yaml#/Named' };
const properties = { a: { type: 'integer' } };
const CONDITION = JSON.parse(
  JSON.stringify({ if: {}, THEN: { properties }, else: NAMED }).replace('THEN', 'then'),
) as JsonObject;

describe('what no property names', () => {
  test.each<readonly [string, JsonObject, unknown, readonly string[]]>([
    ['a member', { properties }, { a: 1, b: 2 }, ['/b']],
    ['one beside an open schema', { properties, additionalProperties: true }, { a: 1, b: 2 }, ['/b']],
    ['one of an object without properties', { type: 'object' }, { a: 1 }, ['/a']],
    ['one that has the name of what all objects have', { properties }, { toString: 1 }, ['/toString']],
    ['one of an item', { items: { properties } }, [{ a: 1 }, { 'b/c': 2 }], ['/1/b~1c']],
    ['one of a property', { properties: { x: { properties } } }, { x: { b: 1 } }, ['/x/b']],
    ['one of what is referred to', NAMED, { href: '', rel: '' }, ['/rel']],
    ['one of a map', { additionalProperties: { properties } }, { any: { a: 1, b: 2 } }, ['/any/b']],
    ['one that only another place names', { properties: { x: NAMED } }, { x: { x: 1 } }, ['/x/x']],
  ])('is told: %s', (_what, schema, value, places) => {
    expect(undescribedMembers(files, schema, value)).toEqual(places);
  });
});

describe('what is described', () => {
  test.each<readonly [string, JsonObject, unknown]>([
    ['a plain value', { type: 'string' }, 'text'],
    ['nothing', { type: ['object', 'null'], properties }, null],
    ['a member that an alternative names', { oneOf: [{ properties }, NAMED] }, { a: 1, href: '' }],
    ['a member that a part names', { properties, allOf: [{ anyOf: [NAMED] }] }, { a: 1, href: '' }],
    ['a member under a condition', CONDITION, { a: 1, href: '' }],
    [
      'members of an item in two alternatives',
      { anyOf: [{ type: 'integer' }, { items: NAMED }] },
      [{ href: '' }],
    ],
    ['the members of a map', { additionalProperties: { type: 'integer' } }, { any: 1 }],
    ['whatever is in an object that may hold anything', { additionalProperties: true }, { any: { deep: 1 } }],
  ])('is not told: %s', (_what, schema, value) => {
    expect(undescribedMembers(files, schema, value)).toEqual([]);
  });
});
