import { request as httpRequest, type IncomingMessage } from 'node:http';
import { gzipSync } from 'node:zlib';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startTestApi, type TestApi } from '../../test/kit/api-server.ts';
import type { ApiRequest, ApiResponse, Route } from './index.ts';

let api: TestApi;
let handle: (request: ApiRequest) => Promise<ApiResponse>;

/** Routes that stand for others of their kind; what they do is up to each test. */
const routes: readonly Route[] = [
  {
    method: 'POST',
    path: '/vnfpkgm/v2/vnf_packages',
    access: ['operator'],
    body: 'json',
    handle: (request) => handle(request),
  },
  {
    method: 'GET',
    path: '/vnfpkgm/v2/vnf_packages/{vnfPkgId}/artifacts/{artifactPath}',
    access: ['operator'],
    body: 'none',
    multiSegment: 'artifactPath',
    handle: (request) => handle(request),
  },
];

beforeEach(async () => {
  api = await startTestApi({ routes: () => routes });
});
afterEach(() => api.close());

const ARTIFACT = '/vnfpkgm/v2/vnf_packages/p/artifacts';

describe('a request', () => {
  test('may be compressed, within the bounds of what it unpacks to', async () => {
    handle = async ({ body }) => ({ status: 201, body });
    const send = (content: Uint8Array<ArrayBuffer>, encoding: string) =>
      fetch(`${api.url}/vnfpkgm/v2/vnf_packages`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${api.tokenFor('operator')}`,
          'content-type': 'application/json',
          'content-encoding': encoding,
        },
        body: content,
      });
    const good = await send(new Uint8Array(gzipSync('{"userDefinedData":{"a":1}}')), 'gzip');
    expect([good.status, await good.json()]).toEqual([201, { userDefinedData: { a: 1 } }]);
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024, ' '));
    expect((await send(new Uint8Array(bomb), 'gzip')).status).toBe(413);
    expect((await send(new Uint8Array([1, 2, 3]), 'gzip')).status).toBe(400);
    expect((await send(new Uint8Array([1, 2, 3]), 'br')).status).toBe(415);
  });

  test('reaches a handler with a path of several segments decoded once', async () => {
    handle = async ({ params }) => ({
      status: 200,
      headers: { 'Content-Type': 'application/octet-stream' },
      text: params['artifactPath'] ?? '',
    });
    const { body } = await api.clientFor('operator').get(`${ARTIFACT}/a/b%2520c/d.txt`);
    expect(body).toBe('a/b%20c/d.txt');
  });

  test('is aborted for its handler when the client goes away', async () => {
    let gone: (value: string) => void = () => {};
    const wasGone = new Promise<string>((resolve) => (gone = resolve));
    handle = async ({ signal }) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      gone('aborted');
      return { status: 204 };
    };
    const abort = new AbortController();
    const asking = api
      .clientFor('operator')
      .get(`${ARTIFACT}/x`, { signal: abort.signal })
      .catch(() => 'cut');
    setTimeout(() => abort.abort(), 50);
    expect([await asking, await wasGone]).toEqual(['cut', 'aborted']);
  });
});

describe('an answer', () => {
  test('is for programs: never cached, sniffed or embedded, and names its request', async () => {
    handle = async () => ({
      status: 200,
      headers: { 'Content-Type': 'application/octet-stream' },
      text: 'x',
    });
    const { headers } = await api.clientFor('operator').get(`${ARTIFACT}/x`);
    expect(headers).toMatchObject({
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    });
    expect(headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
    expect(headers['x-powered-by']).toBeUndefined();
  });

  test('that breaks while it streams cuts the connection instead of ending it well', async () => {
    handle = async () => ({
      status: 200,
      headers: { 'Content-Type': 'application/octet-stream', 'Content-Length': '1000' },
      stream: Readable.from(
        (async function* () {
          yield Buffer.from('half');
          throw new Error('disk');
        })(),
      ),
    });
    await expect(api.clientFor('operator').get(`${ARTIFACT}/x`)).rejects.toThrow(/fetch failed|terminated/);
  });
});

describe('closing the server', () => {
  test('lets an answer under way finish, and ends a poll', async () => {
    handle = async ({ signal }) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      return { status: 200, headers: { 'Content-Type': 'application/octet-stream' }, text: 'polled' };
    };
    const asking = api.clientFor('operator').get(`${ARTIFACT}/x`);
    await new Promise((resolve) => setTimeout(resolve, 50));
    await api.close();
    expect((await asking).body).toBe('polled');
  });

  test('cuts what does not end', async () => {
    handle = () => new Promise(() => {});
    const asking = api.clientFor('operator').get(`${ARTIFACT}/x`);
    asking.catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 50));
    await api.close();
    await expect(asking).rejects.toThrow(/fetch failed|terminated/);
  });
});

test('a refused upload that is still being sent gets its answer', async () => {
  const { hostname, port } = new URL(api.url);
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const request = httpRequest(
      {
        hostname,
        port,
        method: 'POST',
        path: '/vnfpkgm/v2/vnf_packages',
        headers: { 'content-length': 5_000_000 },
      },
      resolve,
    );
    request.on('error', reject);
    request.end(Buffer.alloc(5_000_000));
  });
  expect(answer.statusCode).toBe(401);
});
