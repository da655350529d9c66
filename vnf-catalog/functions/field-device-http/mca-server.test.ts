import { request as httpRequest } from 'node:http';
import { afterEach, describe, expect, test } from 'vitest';
import { RSC, type ResponsePrimitive } from '../../shared/index.ts';
import { serveMca, type McaServer } from './mca-server.ts';

interface Answer {
  readonly status: number;
  readonly rsc: number;
  readonly retryAfter: string | undefined;
}

const LIMITS = { maxInFlight: 3, maxInFlightBytes: 300_000 };
const SETTINGS = {
  cseId: '/id-in',
  credentials: [],
  maxBodyBytes: 200_000,
  drainMilliseconds: 300,
  ...LIMITS,
};

let server: McaServer;
let release: (() => void)[] = [];

async function serve(): Promise<void> {
  const process = (): Promise<ResponsePrimitive> =>
    new Promise((resolve) => release.push(() => resolve({ rsc: RSC.created })));
  server = await serveMca(
    { host: '127.0.0.1', port: 0 },
    () => SETTINGS,
    process,
    () => undefined,
  );
}

function post(bytes: number): Promise<Answer> {
  const body = JSON.stringify({ 'm2m:cin': { con: 'x'.repeat(bytes) } });
  return new Promise((resolve, reject) => {
    const headers = {
      'X-M2M-Origin': 'Ca',
      'X-M2M-RI': '1',
      'X-M2M-RVI': '4',
      'Content-Type': 'application/json;ty=4',
      'Content-Length': Buffer.byteLength(body),
    };
    const options = { host: '127.0.0.1', port: server.port, path: '/cse-in/c', method: 'POST', headers };
    const outgoing = httpRequest(options, (response) => {
      response.resume();
      const rsc = Number(response.headers['x-m2m-rsc']);
      resolve({ status: response.statusCode ?? 0, rsc, retryAfter: response.headers['retry-after'] });
    });
    outgoing.once('error', reject);
    outgoing.end(body);
  });
}

async function untilInFlight(count: number): Promise<void> {
  while (release.length < count) await new Promise((resolve) => setTimeout(resolve, 5));
}

const ACCEPTED = { status: 201, rsc: RSC.created, retryAfter: undefined };
const COME_AGAIN = { status: 503, rsc: RSC.targetNotReachable, retryAfter: '1' };

describe('the server of Mca', () => {
  afterEach(async () => {
    release.forEach((each) => each());
    release = [];
    await server.drain();
  });

  test('answers more requests than it may hold with the word when to come again, and then takes them', async () => {
    await serve();
    const held = [post(10), post(10), post(10)];
    await untilInFlight(3);
    expect(await post(10)).toEqual(COME_AGAIN);
    release.forEach((each) => each());
    expect(await Promise.all(held)).toEqual([ACCEPTED, ACCEPTED, ACCEPTED]);
    const next = post(10);
    await untilInFlight(4);
    release.at(-1)?.();
    expect(await next).toEqual(ACCEPTED);
  });

  test('does the same with more content than it may hold', async () => {
    await serve();
    const held = post(180_000);
    await untilInFlight(1);
    expect(await post(180_000)).toEqual(COME_AGAIN);
    const small = post(10);
    await untilInFlight(2);
    release.forEach((each) => each());
    expect(await Promise.all([held, small])).toEqual([ACCEPTED, ACCEPTED]);
    expect(server.inFlight()).toBe(0);
  });

  test('lets a device finish sending what is too large, so that it reads why that was refused', async () => {
    await serve();
    for (let round = 0; round < 10; round += 1)
      expect(await post(4_000_000)).toEqual({ status: 400, rsc: RSC.badRequest, retryAfter: undefined });
  });

  test('tells who spreads load at once that it drains, takes requests a while longer, and closes each connection after its answer', async () => {
    await serve();
    const url = `http://127.0.0.1:${server.port}/`;
    const ask = (): Promise<Response> => fetch(url, { method: 'OPTIONS' });
    const ready = await ask();
    expect([ready.status, ready.headers.get('allow')]).toEqual([200, 'GET, POST, PUT, DELETE, OPTIONS']);
    const held = post(10);
    await untilInFlight(1);
    const drained = server.drain();
    expect((await ask()).status).toBe(503);
    const late = post(10);
    await untilInFlight(2);
    release.forEach((each) => each());
    expect(await Promise.all([held, late])).toEqual([ACCEPTED, ACCEPTED]);
    await drained;
    await expect(ask()).rejects.toThrow(/fetch failed/);
  });
});
