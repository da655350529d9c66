import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { afterEach, describe, expect, test } from 'vitest';
import { createFakeClock } from '../test/kit/fake-clock.ts';
import { DeviceClient, type DeviceRequest } from './device-client.ts';
import { prepareDevices, removeDevices } from './devices.ts';

const REQUEST: DeviceRequest = { method: 'GET', path: '/cse-in', originator: 'Ca', requestId: '1' };
const OPTIONS = { timeoutMilliseconds: 5_000, maxConnections: 10 };

let server: Server | undefined;
let client: DeviceClient | undefined;

async function serve(handler: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  server = createServer(handler);
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
}

afterEach(() => {
  client?.close();
  server?.closeAllConnections();
  server?.close();
});

describe('DeviceClient', () => {
  test('sends a primitive over HTTP and gives the response status code', async () => {
    let seen: IncomingMessage | undefined;
    const target = await serve((request, response) => {
      seen = request;
      response.writeHead(201, { 'X-M2M-RSC': 2001 }).end('{}');
    });
    client = new DeviceClient({ ...OPTIONS, token: 'secret' });
    const content = { 'm2m:cin': { con: 1 } };
    const answer = await client.send(target, { ...REQUEST, method: 'POST', ty: 4, content });
    expect(answer).toEqual({ rsc: 2001 });
    expect(seen?.headers).toMatchObject({
      'x-m2m-origin': 'Ca',
      'x-m2m-ri': '1',
      'content-type': 'application/json;ty=4',
      authorization: 'Bearer secret',
    });
  });

  test.each([
    [503, { 'X-M2M-RSC': '5103' }, { rsc: 5103, fault: 'X-M2M-RSC 5103' }],
    [502, {}, { rsc: 0, fault: 'HTTP 502 without X-M2M-RSC' }],
  ])('takes HTTP %s for a failure with its reason', async (status, headers, expected) => {
    const target = await serve((_request, response) => response.writeHead(status, headers).end());
    client = new DeviceClient(OPTIONS);
    expect(await client.send(target, REQUEST)).toEqual(expected);
  });

  test('gives up when no answer comes in time, and when nobody is there', async () => {
    const target = await serve(() => undefined);
    client = new DeviceClient({ ...OPTIONS, timeoutMilliseconds: 100 });
    expect(await client.send(target, REQUEST)).toEqual({ rsc: 0, fault: 'no answer in time' });
    expect(await client.send('http://127.0.0.1:1', REQUEST)).toMatchObject({ fault: 'ECONNREFUSED' });
  });

  test('sends again, once, what went over a kept connection that the other end had closed', async () => {
    const connections = new Set<unknown>([]);
    const target = await serve((request, response) => {
      const isNew = !connections.has(request.socket);
      connections.add(request.socket);
      if (isNew) response.writeHead(200, { 'X-M2M-RSC': 2000 }).end();
      else request.socket.destroy();
    });
    let resent = 0;
    client = new DeviceClient({ ...OPTIONS, onResent: () => (resent += 1) });
    expect(await client.send(target, REQUEST)).toEqual({ rsc: 2000 });
    expect(await client.send(target, REQUEST)).toEqual({ rsc: 2000 });
    expect([resent, connections.size]).toEqual([1, 2]);
  });

  test('does not send again what a new connection lost', async () => {
    let asked = 0;
    const target = await serve((request) => {
      asked += 1;
      request.socket.destroy();
    });
    client = new DeviceClient(OPTIONS);
    expect(await client.send(target, REQUEST)).toMatchObject({ rsc: 0, fault: 'ECONNRESET' });
    expect(asked).toBe(1);
  });
});

describe('the devices of a play', () => {
  const options = {
    count: 20,
    cseName: 'cse-in',
    run: 'r',
    atOnce: 4,
    targets: () => ['http://a', 'http://b'],
  };

  test('register an AE and a container each, tried again while the CSE is in passing trouble, and go again', async () => {
    const asked: string[] = [];
    let isTroubled = true;
    const ask = (target: string, { method, path, requestId }: DeviceRequest) => {
      asked.push(`${target} ${method} ${path} ${requestId}`);
      const rsc = isTroubled ? 5103 : method === 'DELETE' ? 2002 : path === '/cse-in' ? 4105 : 2001;
      isTroubled = false;
      return Promise.resolve({ rsc });
    };
    const clock = createFakeClock();
    const prepared = prepareDevices(ask, options, clock);
    await clock.advance(1_000);
    await prepared;
    expect(asked).toHaveLength(41);
    expect(asked.filter((line) => line === 'http://a POST /cse-in r-new-0-0')).toHaveLength(2);
    expect(asked).toContain('http://b POST /cse-in/load-3 r-new-1-3');
    await removeDevices(ask, options, clock);
    expect(asked).toHaveLength(61);
  });

  test('say what the CSE answered when it will not have them', async () => {
    const ask = () => Promise.resolve({ rsc: 4103, fault: 'X-M2M-RSC 4103' });
    await expect(prepareDevices(ask, options, createFakeClock())).rejects.toThrow(
      /device load-\d+: POST \/cse-in at http:\/\/[ab] gave X-M2M-RSC 4103; is it a oneM2M CSE/,
    );
  });
});
