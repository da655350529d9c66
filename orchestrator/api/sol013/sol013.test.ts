import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { IotmanoError } from '../../../kernel/index.ts';
import type { ApiRequest } from '../route-types.ts';
import {
  etagOf,
  listResponse,
  matchesFilter,
  mergePatch,
  parseFilter,
  parseSelectors,
  requireIfMatch,
  type ResourceShape,
} from './index.ts';

const SUBJECT = {
  id: 'a1',
  size: 12,
  on: true,
  'odd/name,@~': 'x',
  tags: ['red', 'green'],
  nested: { deep: [{ v: 1 }, { v: 7 }], '@key': 'literal' },
  labels: { site: 'north', ring: 'canary' },
  when: '2026-11-22T18:00:00Z',
};

function outcomeOf(text: string): string {
  try {
    return matchesFilter(parseFilter(text), SUBJECT) ? 'matches' : 'does not';
  } catch (error) {
    return error instanceof IotmanoError ? error.code : String(error);
  }
}

describe('filter', () => {
  test.each([
    ['(eq,id,a1)', true],
    ['(eq,id,a2)', false],
    ['(neq,id,a2)', true],
    ['(gt,size,9)', true],
    ['(lt,size,9)', false],
    ['(gte,size,12);(lte,size,12)', true],
    ['(eq,size,12);(eq,id,b)', false],
    ['(eq,on,true)', true],
    ['(in,id,b,a1)', true],
    ['(nin,id,b,c)', true],
    ['(nin,id,b,a1)', false],
    ['(cont,id,1,z)', true],
    ['(ncont,id,1)', false],
    ['(eq,tags,green)', true],
    ['(eq,nested/deep/v,7)', true],
    ['(gt,nested/deep/v,7)', false],
    ['(eq,labels/site,north)', true],
    ['(eq,labels/@key,ring)', true],
    ['(eq,labels/@key,zone)', false],
    ['(eq,nested/~bkey,literal)', true],
    ['(eq,odd~1name~a~b~0,x)', true],
    ["(eq,id,'a1')", true],
    ["(eq,id,'it''s, (odd)')", false],
    ['(eq,absent,1)', false],
    ['(neq,absent,1)', false],
    ['(gt,when,2026-01-01T00:00:00Z)', true],
  ])('%s is %s', (text, expected) => {
    expect(matchesFilter(parseFilter(text), SUBJECT)).toBe(expected);
  });

  test.each([
    '',
    'id',
    '(eq,id)',
    '(eq,id,1',
    '(like,id,1)',
    '(eq,id,1,2)',
    '(eq,id,1)(eq,id,1)',
    "(eq,id,'x)",
    '(eq,a//b,1)',
    '(eq,~x,1)',
    '(eq,,1)',
  ])('%j is refused with its position', (text) => {
    expect(() => parseFilter(text)).toThrow(/^filter: .* at character \d+; /);
  });

  test('a value that is quoted is found again whatever it holds', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (value) => {
        const text = `(eq,x,'${value.replaceAll("'", "''")}')`;
        expect(matchesFilter(parseFilter(text), { x: value })).toBe(true);
      }),
    );
  });

  test('no text makes it fail otherwise than with a refusal', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...Array.from("(),;'~/@eqin0a1b ")) }), (text) => {
        expect(['matches', 'does not', 'invalid-filter']).toContain(outcomeOf(text));
      }),
    );
  });
});

const SHAPE: ResourceShape = {
  attributes: ['id', 'a', 'b', 'links'],
  optionalComplex: ['a', 'b'],
  excludedByDefault: ['a'],
};
const RESOURCE = { id: '1', a: { x: 1, y: { z: 2, w: 3 } }, b: [{ p: 1, q: 2 }], links: {} };

describe('selectors', () => {
  test.each([
    ['', { id: '1', b: RESOURCE.b, links: {} }],
    ['exclude_default', { id: '1', b: RESOURCE.b, links: {} }],
    ['all_fields', RESOURCE],
    ['fields=a', { id: '1', a: RESOURCE.a, links: {} }],
    ['fields=a/y/z,b/p', { id: '1', a: { y: { z: 2 } }, b: [{ p: 1 }], links: {} }],
    ['exclude_fields=b,a/y/w', { id: '1', a: { x: 1, y: { z: 2 } }, links: {} }],
    ['fields=a&exclude_default', RESOURCE],
  ])('%s', (query, expected) => {
    expect(parseSelectors(new URLSearchParams(query), SHAPE)(RESOURCE)).toEqual(expected);
  });

  test.each([
    'fields=nope',
    'fields=',
    'fields=a&exclude_fields=b',
    'all_fields&fields=a',
    'exclude_fields=a&exclude_default',
  ])('%s is refused', (query) => {
    expect(() => parseSelectors(new URLSearchParams(query), SHAPE)).toThrow(/use one of|is empty/);
  });
});

describe('paging', () => {
  const rows = Array.from({ length: 450 }, (_, index) => ({ id: String(index).padStart(4, '0') }));
  const request = (query: string): ApiRequest =>
    ({
      query: new URLSearchParams(query),
      origin: 'http://h',
      path: '/p',
      headers: {},
    }) as unknown as ApiRequest;

  test('following the links gives every resource once, in order', () => {
    const seen: string[] = [];
    let query = 'filter=(neq,id,0003)';
    for (let pages = 0; pages < 5 && query !== ''; pages += 1) {
      const { headers, body } = listResponse(request(query), rows, ({ id }) => ({ id }));
      seen.push(...(body as { id: string }[]).map(({ id }) => id));
      query = /\?(.*)>; rel="next"/.exec(headers?.['Link'] ?? '')?.[1] ?? '';
    }
    expect(seen).toEqual(rows.map(({ id }) => id).filter((id) => id !== '0003'));
  });

  test('a marker that is not ours is refused', () => {
    expect(() => listResponse(request('nextpage_opaque_marker=zzz'), rows, (row) => row)).toThrow(
      'follow the Link',
    );
  });
});

describe('merge patch (RFC 7396)', () => {
  test.each([
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: 'foo' }, 'bar', 'bar'],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [[1, 2], { a: 'b', c: null }, { a: 'b' }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ])('%j with %j is %j', (target, patch, expected) => {
    expect(mergePatch(target, patch)).toEqual(expected);
  });

  test('cannot change prototypes', () => {
    mergePatch({}, JSON.parse('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}'));
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});

test('If-Match lets pass the version that is there, a list with it, and *', () => {
  const at = (header?: string) => () =>
    requireIfMatch({ headers: { 'if-match': header } } as unknown as ApiRequest, { revision: 7 });
  for (const header of [undefined, '*', etagOf({ revision: 7 }), '"1", "7"'])
    expect(at(header)).not.toThrow();
  for (const header of ['"8"', '7', 'W/"7"']) expect(at(header)).toThrow('read it again');
});
