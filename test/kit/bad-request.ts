import * as fc from 'fast-check';
import type { Route } from '../../orchestrator/api/index.ts';

export interface BadRequest {
  readonly route: Route;
  /** What is bad about it. */
  readonly kind: string;
  /** As they go over the wire; `@TOKEN@` stands for the token. */
  readonly bytes: Buffer;
  /** The client stops sending before the body is whole. */
  readonly endsEarly?: boolean;
}

interface Parts {
  readonly method: string;
  readonly target: string;
  readonly headers: readonly string[];
  readonly body?: Buffer;
}

const CONTENT_TYPES: Readonly<Record<Route['body'], string | undefined>> = {
  none: undefined,
  json: 'application/json',
  'optional-json': 'application/json',
  'merge-patch': 'application/merge-patch+json',
  form: 'application/x-www-form-urlencoded',
  stream: 'application/zip',
};

/** Requests that are wrong in one way each, over all routes. */
export function generateBadRequest(
  routes: readonly Route[],
  bodyMembers: (method: string, path: string) => readonly string[],
): fc.Arbitrary<BadRequest> {
  return fc.constantFrom(...routes).chain((route) => {
    const takesJson = ['json', 'optional-json', 'merge-patch'].includes(route.body);
    const forAll = [badTarget(route), badHeaders(route), badProtocol(route), badMethod(route)];
    const forJson = [
      wrongJson(route),
      wrongMember(route, bodyMembers(route.method, route.path)),
      wrongMember(route, bodyMembers(route.method, route.path)),
      brokenJson(route),
      wrongContentType(route),
      truncated(route),
      huge(route),
    ];
    const forOthers = route.body === 'none' ? [unwantedBody(route)] : [wrongContentType(route)];
    return fc.oneof(...forAll, ...(takesJson ? [...forJson, ...forJson] : forOthers));
  });
}

/** Ids that exist nowhere: nothing of these requests may succeed. */
function pathOf(route: Route, value = 'no-such-id'): string {
  return route.path.replaceAll(/\{(\w+)\}/g, (_match, name: string) => (name === 'hostId' ? 'gw-1' : value));
}

function wire({ method, target, headers, body }: Parts): Buffer {
  const head = [
    `${method} ${target} HTTP/1.1`,
    'Host: localhost',
    'Connection: close',
    'Authorization: Bearer @TOKEN@',
    ...headers,
  ];
  return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`, 'latin1'), body ?? Buffer.alloc(0)]);
}

function withBody(route: Route, body: Buffer, contentType = CONTENT_TYPES[route.body]): Buffer {
  return wire({
    method: route.method,
    target: pathOf(route),
    headers: [
      ...(contentType === undefined ? [] : [`Content-Type: ${contentType}`]),
      `Content-Length: ${body.length}`,
    ],
    body,
  });
}

const ODD_TEXT = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom(
    '\u0000',
    '\ud800',
    '\u202e',
    '\ufeff',
    '../../etc/passwd',
    '𝕏'.repeat(50),
    '',
    '__proto__',
    'constructor',
  ),
);

/** Values that no schema of ours has at the top. */
function wrongJson(route: Route): fc.Arbitrary<BadRequest> {
  const value = fc.oneof(
    fc.constantFrom(null, true, 7, -1e308, 'text', [], [[]], [{}]),
    fc.array(fc.jsonValue({ maxDepth: 4 }), { maxLength: 5 }),
    fc
      .dictionary(
        ODD_TEXT.filter((name) => name !== ''),
        fc.jsonValue({ maxDepth: 3 }),
        { minKeys: 1, maxKeys: 5 },
      )
      .map((members) => ({
        'no-member-of-any-schema': 1,
        ...members,
      })),
  );
  return value.map((body) => ({
    route,
    kind: 'wrong JSON',
    bytes: withBody(route, Buffer.from(JSON.stringify(body))),
  }));
}

/** The right members, one of them with a value that no member of ours takes. */
function wrongMember(route: Route, names: readonly string[]): fc.Arbitrary<BadRequest> {
  const wrong = fc.constantFrom<unknown>([[[]]], [[{ a: [[]] }]]);
  const other = fc.oneof(ODD_TEXT, fc.integer(), fc.jsonValue({ maxDepth: 3 }));
  return fc
    .tuple(
      fc.constantFrom(...(names.length === 0 ? ['none'] : names)),
      wrong,
      fc
        .subarray([...names])
        .chain((some) => fc.tuple(...some.map((name) => other.map((value) => [name, value])))),
    )
    .map(([name, value, rest]) => ({
      route,
      kind: 'wrong member',
      bytes: withBody(
        route,
        Buffer.from(JSON.stringify({ ...(Object.fromEntries(rest) as object), [name]: value })),
      ),
    }));
}

function brokenJson(route: Route): fc.Arbitrary<BadRequest> {
  const body = fc.oneof(
    fc
      .constantFrom(
        '{',
        '{"a":',
        '[1,',
        '"',
        '{"a":1e999}',
        '{"__proto__":1}',
        "{'a':1}",
        'NaN',
        '{}{}',
        '\ufeff{',
        '[',
        '{"a":01}',
      )
      .map((text) => Buffer.from(text)),
    fc
      .constantFrom('[', '{"a":')
      .chain((open) => fc.integer({ min: 65, max: 20_000 }).map((depth) => Buffer.from(open.repeat(depth)))),
    fc.uint8Array({ minLength: 1, maxLength: 200 }).map((bytes) => Buffer.from([0xff, ...bytes])),
  );
  return body.map((bytes) => ({ route, kind: 'broken JSON', bytes: withBody(route, bytes) }));
}

function wrongContentType(route: Route): fc.Arbitrary<BadRequest> {
  return fc
    .constantFrom(
      'text/plain',
      'application/xml',
      'application/json;charset=utf-16',
      'multipart/form-data; boundary=x',
      'x',
      ';;;',
      '/',
    )
    .map((contentType) => ({
      route,
      kind: 'wrong content type',
      bytes: withBody(route, Buffer.from('{"a":1}'), contentType),
    }));
}

function unwantedBody(route: Route): fc.Arbitrary<BadRequest> {
  return fc.constantFrom('{}', 'x', '0'.repeat(5000)).map((text) => ({
    route,
    kind: 'body where none is taken',
    bytes: withBody(route, Buffer.from(text), 'application/json'),
  }));
}

function truncated(route: Route): fc.Arbitrary<BadRequest> {
  return fc.constantFrom('{"a":', '{', '{}').map((text) => ({
    route,
    kind: 'truncated body',
    bytes: wire({
      method: route.method,
      target: pathOf(route),
      headers: [`Content-Type: ${CONTENT_TYPES[route.body] ?? ''}`, 'Content-Length: 999'],
      body: Buffer.from(text),
    }),
  }));
}

function huge(route: Route): fc.Arbitrary<BadRequest> {
  return fc.constantFrom(
    { route, kind: 'huge by its length', bytes: withHugeLength(route) },
    { route, kind: 'huge string', bytes: withBody(route, Buffer.from(`{"x":"${'y'.repeat(100_000)}"}`)) },
    { route, kind: 'huge list', bytes: withBody(route, Buffer.from(`[${'1,'.repeat(50_000)}1]`)) },
  );
}

function withHugeLength(route: Route): Buffer {
  return wire({
    method: route.method,
    target: pathOf(route),
    headers: [`Content-Type: ${CONTENT_TYPES[route.body] ?? ''}`, 'Content-Length: 99999999999'],
    body: Buffer.from('{'),
  });
}

function badTarget(route: Route): fc.Arbitrary<BadRequest> {
  const suffix = fc.oneof(
    fc.constantFrom(
      '?%ff',
      '?%',
      '?nonsense=1',
      '?filter=(eq',
      '?filter=)(',
      '?all_fields=1&fields=x',
      '?since=-1',
      '/',
      '/%00',
      '?a[b]=c',
      '?=',
    ),
    ODD_TEXT.filter((text) => text !== '').map((text) => `?${encodeOdd(text)}no-such=1`),
  );
  return suffix.map((text) => ({
    route,
    kind: 'bad target',
    bytes: wire({ method: route.method, target: `${pathOf(route)}${text}`, headers: [] }),
  }));
}

/** Lone surrogates have no UTF-8. */
function encodeOdd(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}

function badHeaders(route: Route): fc.Arbitrary<BadRequest> {
  const header = fc.constantFrom(
    `X-Long: ${'x'.repeat(20_000)}`,
    'Content-Length: -1',
    'Content-Length: 1\r\nContent-Length: 2',
    'Transfer-Encoding: chunked\r\nContent-Length: 3',
    'Bad Header: 1',
    ': empty',
    'Host: a\r\nHost: b\r\nTransfer-Encoding: nonsense',
    'Expect: the-impossible',
    'X-Nul: a\u0000b',
  );
  return header.map((line) => ({
    route,
    kind: 'bad header',
    bytes: wire({ method: route.method, target: pathOf(route), headers: [line] }),
  }));
}

function badProtocol(route: Route): fc.Arbitrary<BadRequest> {
  return (
    fc
      .constantFrom(
        `${route.method} ${pathOf(route)}\r\n\r\n`,
        `${route.method} ${pathOf(route)} HTTP/9.9\r\nHost: x\r\n\r\n`,
        `${route.method}${pathOf(route)} HTTP/1.1\r\n\r\n`,
        `\u0016\u0003\u0001 ${pathOf(route)}\r\n\r\n`,
        `${route.method} ${pathOf(route)} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer wrong\r\n\r\n`,
      )
      // The first of them is HTTP 1.0 at its barest, which health answers; a public route does not look at the token.
      .filter(
        (text) => route.access !== 'public' || (!text.includes('Bearer wrong') && text.includes(' HTTP/')),
      )
      .map((text) => ({ route, kind: 'bad protocol', bytes: Buffer.from(text, 'latin1') }))
  );
}

function badMethod(route: Route): fc.Arbitrary<BadRequest> {
  return fc.constantFrom('OPTIONS', 'PROPFIND', 'TRACE', 'BREW').map((method) => ({
    route,
    kind: 'bad method',
    bytes: wire({ method, target: pathOf(route), headers: [] }),
  }));
}
