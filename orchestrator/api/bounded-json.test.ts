import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MAX_JSON_DEPTH, parseBoundedJson } from './bounded-json.ts';

describe('JSON from outside', () => {
  test('is read as JSON.parse reads it, as long as it is shallow', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 10, noUnicodeString: false }), (value) => {
        const text = JSON.stringify(value);
        fc.pre(!text.includes('"__proto__":'));
        expect(parseBoundedJson(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  test('may hold brackets and quotes in its strings', () => {
    const text = JSON.stringify({ a: '['.repeat(500), 'b"\\': '{"' });
    expect(parseBoundedJson(text)).toEqual(JSON.parse(text));
  });

  test.each([
    ['['.repeat(MAX_JSON_DEPTH + 1) + ']'.repeat(MAX_JSON_DEPTH + 1), 'nested deeper'],
    ['{"a":{"b":[1,1e400]}}', 'body/a/b: a number is too large'],
    ['1e400', 'a number is too large'],
    ['{"x":{"__proto__":1}}', 'body/x: the member name "__proto__"'],
    ['{"\\u005f_proto__":1}', 'the member name "__proto__"'],
    ['{"a":', 'not valid JSON'],
  ])('%.40s is refused with its place', (text, message) => {
    expect(() => parseBoundedJson(text)).toThrow(message);
  });

  test('exactly as deep as allowed is taken', () => {
    expect(() => parseBoundedJson('['.repeat(MAX_JSON_DEPTH) + ']'.repeat(MAX_JSON_DEPTH))).not.toThrow();
  });
});
