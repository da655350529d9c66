import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseHttpRequest, type HttpRequest, type ParsedRequest } from './parse-http-request.ts';

const HEADERS: Readonly<Record<string, string | string[]>> = {
  'x-m2m-origin': 'Cdevice',
  'x-m2m-ri': 'r1',
  'x-m2m-rvi': '4',
};
let keys = 0;

interface Change extends Partial<Omit<HttpRequest, 'headers'>> {
  readonly headers?: Readonly<Record<string, string | string[]>>;
}

function parse(change: Change): ParsedRequest {
  const { headers = HEADERS, ...rest } = change;
  const distinct = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value].flat()]));
  const request = { method: 'GET', url: '/cse-in', body: '', ...rest, headers: distinct };
  return parseHttpRequest(request, () => `new-${(keys += 1)}`);
}

function create(change: Change = {}): ParsedRequest {
  const headers = { ...HEADERS, 'content-type': 'application/json;ty=4' };
  return parse({ method: 'POST', url: '/cse-in/cnt', headers, body: '{"m2m:cin":{"con":"1"}}', ...change });
}

function keyOf(parsed: ParsedRequest): string {
  return parsed.isValid ? parsed.primitive.key : 'invalid';
}

describe('an HTTP request', () => {
  test('becomes a primitive that knows nothing of HTTP', () => {
    expect(create()).toMatchObject({
      isValid: true,
      primitive: {
        op: 1,
        ty: 4,
        to: 'cse-in/cnt',
        fr: 'Cdevice',
        rqi: 'r1',
        rvi: '4',
        pc: { 'm2m:cin': { con: '1' } },
      },
    });
    expect(parse({ method: 'DELETE', url: '/~/id-in/cse-in/a' })).toMatchObject({
      primitive: { op: 4, to: '/id-in/cse-in/a' },
    });
    expect(parse({ url: '/_/sp/id-in/a' })).toMatchObject({ primitive: { op: 2, to: '//sp/id-in/a' } });
    expect(
      parse({ url: '/-/a?rcn=4&fu=1&ty=3&ty=4+23&lbl=x&lbl=y&lim=5&ofst=2&lvl=1&drt=2&rt=3' }),
    ).toMatchObject({
      primitive: { rcn: 4, drt: 2, fc: { fu: 1, ty: [3, 4, 23], lbl: ['x', 'y'], lim: 5, ofst: 2, lvl: 1 } },
    });
  });

  test('with a POST and no type is a notification', () => {
    const headers = { ...HEADERS, 'content-type': 'application/json' };
    expect(create({ headers, body: '{"m2m:sgn":{}}' })).toMatchObject({ primitive: { op: 5 } });
  });

  test('needs no originator to register an AE, and one for anything else', () => {
    const { 'x-m2m-origin': _, ...headers } = HEADERS;
    const register = { ...headers, 'content-type': 'application/vnd.onem2m-res+json; ty=2' };
    expect(create({ headers: register })).toMatchObject({ isValid: true, primitive: { fr: '', ty: 2 } });
    expect(parse({ headers })).toMatchObject({ isValid: false, rsc: 4000 });
  });

  test.each<[string, Change, number]>([
    ['no request id', { headers: { 'x-m2m-origin': 'C', 'x-m2m-rvi': '4' } }, 4000],
    ['no release', { headers: { 'x-m2m-origin': 'C', 'x-m2m-ri': '1' } }, 4000],
    ['an unknown release', { headers: { ...HEADERS, 'x-m2m-rvi': '9' } }, 4001],
    ['an unknown method', { method: 'PATCH' }, 4005],
    ['no address', { url: '/' }, 4000],
    ['an unknown parameter', { url: '/a?foo=1' }, 4000],
    ['a parameter that is not supported', { url: '/a?atrl=con' }, 5001],
    ['a non-blocking response type', { url: '/a?rt=1' }, 5001],
    ['a limit that is no number', { url: '/a?lim=many' }, 4000],
    [
      'another content type',
      { method: 'PUT', headers: { ...HEADERS, 'content-type': 'text/xml' }, body: '<a/>' },
      4015,
    ],
    ['two originators', { headers: { ...HEADERS, 'x-m2m-origin': ['Ca', 'Cb'] } }, 4000],
    ['one originator twice', { headers: { ...HEADERS, 'x-m2m-origin': ['Ca', 'Ca'] } }, 4000],
    ['no type to discover', { url: '/cse-in?fu=1&ty=' }, 4000],
    [
      'content that is not JSON',
      { method: 'PUT', headers: { ...HEADERS, 'content-type': 'application/json' }, body: '{' },
      4000,
    ],
    [
      'content that is nested too deep',
      {
        method: 'PUT',
        headers: { ...HEADERS, 'content-type': 'application/json' },
        body: `{"a":${'['.repeat(90_000)}${']'.repeat(90_000)}}`,
      },
      4000,
    ],
    [
      'content that is a list',
      { method: 'PUT', headers: { ...HEADERS, 'content-type': 'application/json' }, body: '[]' },
      4000,
    ],
  ])('with %s is refused', (_, change, rsc) => {
    expect(parse(change)).toMatchObject({ isValid: false, rsc, reason: expect.any(String) as unknown });
  });

  test('has one key however often it is sent, and another when it asks for something else', () => {
    const key = keyOf(create());
    expect(keyOf(create())).toBe(key);
    const others = [
      create({ body: '{"m2m:cin":{"con":"2"}}' }),
      create({ url: '/cse-in/other' }),
      create({ headers: { ...HEADERS, 'x-m2m-ri': 'r2', 'content-type': 'application/json;ty=4' } }),
      create({ headers: { ...HEADERS, 'x-m2m-origin': 'Cx', 'content-type': 'application/json;ty=4' } }),
    ].map(keyOf);
    expect(new Set([key, ...others]).size).toBe(5);
  });

  test('of a device without an AE-ID has a key of its own each time', () => {
    const body = '{"m2m:ae":{"api":"Nx","rr":false}}';
    for (const originator of ['', 'C', 'S']) {
      const headers = { ...HEADERS, 'x-m2m-origin': originator, 'content-type': 'application/json;ty=2' };
      expect(keyOf(create({ headers, body }))).not.toBe(keyOf(create({ headers, body })));
    }
  });

  test('whatever it is, gets a verdict', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.string(), fc.string(), (path, query, type, body) => {
        const headers = { ...HEADERS, 'content-type': type };
        for (const method of ['GET', 'POST', 'PUT', 'DELETE']) {
          expect(typeof parse({ method, url: `/${path}?${query}`, headers, body }).isValid).toBe('boolean');
        }
      }),
    );
  });
});
