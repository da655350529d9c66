import { connect } from '@nats-io/transport-node';
import * as fc from 'fast-check';
import { createServer, type Server } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isServiceMissing } from '../test/kit/services.ts';
import { accountStored, loadSensors, playSensors, readStored, registerSensors } from './demo-devices.ts';
import { digestOf } from './functions/road-traffic/figures.ts';
import {
  McaClient,
  RSC,
  SUBJECT,
  inboxPrefixOf,
  nkeyPublicFromSeed,
  signWithSeed,
  type McaAnswer,
} from './shared/index.ts';
import { newKey, TestCse } from './testkit/test-cse.ts';

interface TrafficFigures {
  readonly notifications: number;
  readonly unique: number;
  readonly duplicates: number;
  readonly digest: string;
  readonly subscriptions: readonly string[];
}

describe.skipIf(isServiceMissing('nats-server'))('the virtual CSE as processes', () => {
  let cse: TestCse;
  const client = new McaClient();
  let requests = 0;

  const ask = (
    originator: string,
    method: 'GET' | 'POST' | 'PUT' | 'DELETE',
    path: string,
    rest: { ty?: number; content?: unknown; requestId?: string } = {},
  ): Promise<McaAnswer> => {
    requests += 1;
    const request = { originator, method, path, requestId: `test-${requests}`, ...rest };
    return client.request(cse.gateways[0] ?? '', request, 30_000);
  };
  const figures = async (): Promise<TrafficFigures> =>
    (await (await fetch(`${cse.trafficUrl}/figures`)).json()) as TrafficFigures;
  const until = async (isSo: () => Promise<boolean>, milliseconds = 20_000): Promise<void> => {
    const end = performance.now() + milliseconds;
    while (!(await isSo())) {
      expect(performance.now()).toBeLessThan(end);
      await sleep(50);
    }
  };

  beforeAll(async () => {
    cse = await TestCse.start({
      processing: 2,
      config: {
        'road-traffic': { lookForSensorsSeconds: 0.2 },
        'field-device-http': { attemptTimeoutMilliseconds: 500 },
      },
    });
  }, 60_000);
  afterAll(async () => {
    client.close();
    await cse?.stop();
  });

  test('a sensor registers, writes and reads through the gateway, step by step as clause 7.2.2 describes', async () => {
    const fr = 'Cflow';
    const ae = { 'm2m:ae': { rn: 'flow', api: 'Nflow', rr: false, srv: ['4'] } };
    expect((await ask(fr, 'POST', '/cse-in', { ty: 2, content: ae })).rsc).toBe(RSC.created);
    expect((await ask(fr, 'POST', '/cse-in', { ty: 2, content: ae })).rsc).toBe(RSC.conflict);
    const container = { 'm2m:cnt': { rn: 'values', mni: 2 } };
    expect((await ask(fr, 'POST', '/cse-in/flow', { ty: 3, content: container })).rsc).toBe(RSC.created);
    for (const con of ['1', '2', '3']) {
      const created = await ask(fr, 'POST', '/cse-in/flow/values', {
        ty: 4,
        content: { 'm2m:cin': { con } },
      });
      expect(created.rsc).toBe(RSC.created);
    }
    const parent = await ask(fr, 'GET', '/cse-in/flow/values');
    expect(parent.content['m2m:cnt']).toMatchObject({ cni: 2, cbs: 2, st: 3 });
    expect((await ask(fr, 'GET', '/cse-in/flow/values/la')).content['m2m:cin']).toMatchObject({ con: '3' });
    expect((await ask(fr, 'GET', '/cse-in/flow/values/ol')).content['m2m:cin']).toMatchObject({ con: '2' });
    expect((await ask('Cstranger', 'GET', '/cse-in/flow/values/la')).rsc).toBe(RSC.originatorHasNoPrivilege);
    expect((await ask(fr, 'GET', '/cse-in/flow/nothing')).rsc).toBe(RSC.notFound);
    expect((await ask(fr, 'DELETE', '/cse-in/flow')).rsc).toBe(RSC.deleted);
    expect((await ask(fr, 'GET', '/cse-in/flow/values')).rsc).toBe(RSC.notFound);
  });

  test('a request that a device repeats under its X-M2M-RI is done once and answered the same', async () => {
    const fr = 'Crepeat';
    await ask(fr, 'POST', '/cse-in', {
      ty: 2,
      content: { 'm2m:ae': { rn: 'repeat', api: 'Nr', rr: false, srv: ['4'] } },
    });
    await ask(fr, 'POST', '/cse-in/repeat', { ty: 3, content: { 'm2m:cnt': { rn: 'values' } } });
    const value = { ty: 4, content: { 'm2m:cin': { con: 'once' } }, requestId: 'the-same' };
    const answers = await Promise.all(
      [1, 2, 3, 4].map(() => ask(fr, 'POST', '/cse-in/repeat/values', value)),
    );
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect((await ask(fr, 'GET', '/cse-in/repeat/values')).content['m2m:cnt']).toMatchObject({
      cni: 1,
      st: 1,
    });
    const removal = { requestId: 'gone' };
    expect((await ask(fr, 'DELETE', '/cse-in/repeat/values/la', removal)).rsc).toBe(RSC.deleted);
    expect((await ask(fr, 'DELETE', '/cse-in/repeat/values/la', removal)).rsc).toBe(RSC.deleted);
    expect((await ask(fr, 'DELETE', '/cse-in/repeat/values/la')).rsc).toBe(RSC.notFound);
  });

  describe('subscriptions of others', () => {
    let target: Server;
    let url = '';
    let isWilling = true;
    const received: unknown[] = [];
    beforeAll(async () => {
      target = createServer((request, response) => {
        let body = '';
        request.on('data', (chunk: Buffer) => (body += chunk.toString()));
        request.on('end', () => {
          received.push(JSON.parse(body));
          response.writeHead(isWilling ? 200 : 403, { 'X-M2M-RSC': isWilling ? 2000 : 4101 }).end();
        });
      });
      await new Promise<void>((resolve) => {
        target.listen(0, '127.0.0.1', resolve);
      });
      const address = target.address();
      url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/`;
    });
    afterAll(() => {
      target.close();
      target.closeAllConnections();
    });

    test('a target is asked before a subscription is created for it, and is then notified', async () => {
      const fr = 'Csubscriber';
      await ask(fr, 'POST', '/cse-in', {
        ty: 2,
        content: { 'm2m:ae': { rn: 'subscriber', api: 'Ns', rr: false, srv: ['4'] } },
      });
      await ask(fr, 'POST', '/cse-in/subscriber', { ty: 3, content: { 'm2m:cnt': { rn: 'values' } } });
      const subscription = { 'm2m:sub': { rn: 'sub', nu: [url], nct: 3, enc: { net: [3] } } };
      isWilling = false;
      const refused = await ask(fr, 'POST', '/cse-in/subscriber/values', { ty: 23, content: subscription });
      expect(refused.rsc).toBe(RSC.subscriptionCreatorHasNoPrivilege);
      isWilling = true;
      expect(
        (await ask(fr, 'POST', '/cse-in/subscriber/values', { ty: 23, content: subscription })).rsc,
      ).toBe(RSC.created);
      expect(received.at(-1)).toMatchObject({ 'm2m:sgn': { vrq: true, cr: fr } });
      const created = await ask(fr, 'POST', '/cse-in/subscriber/values', {
        ty: 4,
        content: { 'm2m:cin': { con: 'x' } },
      });
      const { ri } = created.content['m2m:cin'] as { ri: string };
      const notification = {
        nev: { rep: { 'm2m:uri': ri }, net: 3 },
        sur: '/id-in/cse-in/subscriber/values/sub',
      };
      await until(async () =>
        received.some((one) => JSON.stringify(one) === JSON.stringify({ 'm2m:sgn': notification })),
      );
      const dead = { 'm2m:sub': { nu: ['http://127.0.0.1:1/'], enc: { net: [3] } } };
      const unreachable = await ask(fr, 'POST', '/cse-in/subscriber/values', { ty: 23, content: dead });
      expect(unreachable.rsc).toBe(RSC.subscriptionVerificationInitiationFailed);
    });
  });

  test('a function may not publish, listen or answer on the subjects of another', async () => {
    const connectAs = async (name: 'field-device-http' | 'subscription-notification') => {
      const { seed } = cse.keys[name];
      const nkey = nkeyPublicFromSeed(seed);
      const authenticator = (nonce?: string) => ({ nkey, sig: signWithSeed(seed, nonce ?? '') });
      return connect({
        servers: `127.0.0.1:${cse.brokerPort}`,
        authenticator,
        inboxPrefix: inboxPrefixOf(nkey),
      });
    };
    const gateway = await connectAs('field-device-http');
    const violations: string[] = [];
    void (async () => {
      for await (const status of gateway.status())
        if (status.type === 'error') violations.push(status.error.message);
    })();
    try {
      // The notification function may look at resources; the gateway may not.
      const notification = await connectAs('subscription-notification');
      const sight = await notification.request(SUBJECT.storageLook, JSON.stringify({ to: 'cse-in' }), {
        timeout: 2_000,
      });
      expect(sight.json()).toMatchObject({ found: true });
      await notification.close();
      await expect(gateway.request(SUBJECT.storageLook, '{}', { timeout: 500 })).rejects.toThrow(
        /permission|timeout/i,
      );
      gateway.subscribe(SUBJECT.request);
      gateway.subscribe('_INBOX.>');
      gateway.subscribe('>');
      await gateway.flush();
      await until(async () => violations.length >= 4, 2_000);
      expect(violations.every((violation) => /permissions violation/i.test(violation))).toBe(true);
    } finally {
      await gateway.close();
    }
    const { seed } = newKey();
    const unknown = { nkey: nkeyPublicFromSeed(seed), sig: '' };
    const authenticator = (nonce?: string) => ({ ...unknown, sig: signWithSeed(seed, nonce ?? '') });
    await expect(
      connect({ servers: `127.0.0.1:${cse.brokerPort}`, authenticator, maxReconnectAttempts: 0 }),
    ).rejects.toThrow(/authorization/i);
    await expect(
      connect({ servers: `127.0.0.1:${cse.brokerPort}`, maxReconnectAttempts: 0 }),
    ).rejects.toThrow(/authorization/i);
  });

  test('nothing acknowledged is lost, stored twice or not notified while processing, storage and broker are killed', async () => {
    const sensors = loadSensors();
    const devices = { gateways: cse.gateways, deadlineMs: 30_000 };
    await registerSensors(sensors, devices);
    await until(async () => (await figures()).subscriptions.length === sensors.length);
    const abort = new AbortController();
    const playing = playSensors({ ...devices, sensors, rows: 2_000, speed: 30_000, signal: abort.signal });
    for (const name of [
      'processing-0',
      'storage',
      'broker',
      'notification',
      'processing-1',
      'storage',
      'gateway-0',
    ]) {
      await sleep(500);
      await cse.kill(name);
      cse.run(name);
      await cse.untilReady(name);
    }
    await sleep(500);
    abort.abort();
    const played = await playing;
    const stored = await readStored(sensors, devices);
    const account = accountStored(stored, played);
    expect(played.refused).toEqual([]);
    expect(played.acknowledged).toBeGreaterThan(200);
    expect(account).toMatchObject({ missing: [], duplicates: 0 });
    // At most the one request that each device was cut off in is of unknown fate.
    expect(account.storedUnacknowledged).toBeLessThanOrEqual(sensors.length);
    await until(async () => (await figures()).unique === account.stored);
    expect((await figures()).digest).toBe(digestOf(account.resourceIds));
    for (const sensor of sensors) {
      const container = await ask(sensor.originator, 'GET', `/${sensor.container}`);
      const count = stored.filter((value) => value.sensor === sensor.name).length;
      expect(container.content['m2m:cnt']).toMatchObject({ cni: count, st: count });
    }
  }, 120_000);

  test('the broker ends when nats-server does, and nats-server when the broker does', async () => {
    process.kill(cse.natsServerPid(), 'SIGKILL');
    await until(async () => cse.hasEnded('broker'));
    cse.run('broker');
    await cse.untilReady('broker');
    const pid = cse.natsServerPid();
    await cse.kill('broker', 'SIGKILL');
    await until(async () => !isAlive(pid));
    cse.run('broker');
    await cse.untilReady('broker');
    await cse.untilReady('storage');
    await until(async () => (await ask('CAdmin', 'GET', '/cse-in')).rsc === RSC.ok);
  }, 60_000);

  test('a client that leaves the bindings is cut off, and let in again when it is back', async () => {
    let clients: unknown;
    cse.rebind('broker', (bindings) => {
      ({ clients } = bindings);
      return {
        ...bindings,
        clients: (bindings['clients'] as { id: string }[]).filter(({ id }) => id !== 'request-processing'),
      };
    });
    await until(async () => (await fetch(cse.readyUrl('processing-0'))).status === 503);
    cse.rebind('broker', (bindings) => ({ ...bindings, clients }));
    await cse.untilReady('processing-0');
    await until(async () => (await ask('CAdmin', 'GET', '/cse-in')).rsc === RSC.ok);
  }, 60_000);

  test('a function follows a broker that is reached elsewhere, and a new key', async () => {
    const key = newKey();
    cse.rebind('broker', (bindings) => {
      const clients = bindings['clients'] as { id: string; publicKey: string }[];
      const change = (client: { id: string; publicKey: string }) =>
        client.id === 'data-storage' ? { ...client, publicKey: key.publicKey } : client;
      return { ...bindings, clients: clients.map(change) };
    });
    await until(async () => (await fetch(cse.readyUrl('storage'))).status === 503);
    cse.rebind('storage', (bindings) => {
      const { broker } = bindings['requires'] as { broker: { endpoints: object[]; credential: object } };
      const credential = { ...broker.credential, seed: key.seed };
      const endpoints = [{ host: '127.0.0.1', port: 1, instance: 'gone' }, ...broker.endpoints];
      return { ...bindings, requires: { broker: { ...broker, credential, endpoints } } };
    });
    await cse.untilReady('storage');
    await until(async () => (await ask('CAdmin', 'GET', '/cse-in')).rsc === RSC.ok);
    cse.rebind('storage', (bindings) => {
      const { broker } = bindings['requires'] as { broker: { endpoints: object[] } };
      return { ...bindings, requires: { broker: { ...broker, endpoints: broker.endpoints.slice(1) } } };
    });
    await until(async () => cse.log('storage').split('bindings reloaded').length > 2);
    await cse.untilReady('storage');
    await until(async () => (await ask('CAdmin', 'GET', '/cse-in')).rsc === RSC.ok);
  }, 60_000);

  test('a gateway that is stopped finishes what is under way', async () => {
    for (const name of ['processing-0', 'processing-1']) cse.signal(name, 'SIGSTOP');
    const answers = Promise.all(Array.from({ length: 20 }, () => ask('CAdmin', 'GET', '/cse-in')));
    await sleep(100);
    const stopped = cse.kill('gateway-0', 'SIGTERM');
    await sleep(100);
    for (const name of ['processing-0', 'processing-1']) cse.signal(name, 'SIGCONT');
    await stopped;
    expect((await answers).every(({ rsc }) => rsc === RSC.ok)).toBe(true);
    await cse.kill('processing-1', 'SIGTERM');
    for (const name of ['processing-1', 'gateway-0']) cse.run(name);
    await Promise.all(['processing-1', 'gateway-0'].map((name) => cse.untilReady(name)));
  }, 60_000);

  test('requests of any kind are answered as what they are, and end no function', async () => {
    const path = fc.oneof(
      fc.constantFrom('/cse-in', '/cse-in/flow', '/id-in', '/~/id-in', '/_/sp/id-in/x'),
      fc.webPath(),
    );
    const members = fc.constantFrom(
      'm2m:cin',
      'm2m:cnt',
      'm2m:ae',
      'm2m:acp',
      'm2m:sub',
      'm2m:cb',
      '__proto__',
    );
    const content = fc
      .tuple(members, fc.jsonValue())
      .map(([name, value]) => `{"${name}":${JSON.stringify(value)}}`);
    const request = fc.record({
      method: fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'PATCH'),
      path,
      query: fc.oneof(
        fc.constantFrom('', 'fu=1', 'rcn=4&lim=x', 'ty=3+4', 'atrl=a'),
        fc.webQueryParameters(),
      ),
      type: fc.constantFrom('1', '2', '3', '4', '5', '9', '23', '1000', 'x'),
      body: fc.oneof(content, fc.json(), fc.string()),
      originator: fc.constantFrom('CAdmin', 'Cany', '', 'Sx', 'x', '*', 'all'),
    });
    const statuses = new Set<number>([]);
    for (const { method, path, query, type, body, originator } of fc.sample(request, 600)) {
      requests += 1;
      const headers = {
        'X-M2M-Origin': originator,
        'X-M2M-RI': `any-${requests}`,
        'X-M2M-RVI': '4',
        'Content-Type': `application/json;ty=${type}`,
      };
      const init = method === 'GET' ? { method, headers } : { method, headers, body };
      const answer = await fetch(`${cse.gateways[0]}${path}?${query}`, init);
      expect(answer.headers.get('x-m2m-rsc')).toMatch(/^[245]\d{3}$/);
      await answer.arrayBuffer();
      statuses.add(answer.status);
    }
    // 501 is what TS-0009 makes of 5001, not implemented.
    expect([...statuses].filter((status) => status >= 500 && status !== 501)).toEqual([]);
    expect(cse.members().filter((name) => cse.hasEnded(name))).toEqual([]);
  }, 60_000);

  test('every function writes metrics that Prometheus can read', async () => {
    for (const name of cse.members()) {
      const lines = (await cse.metrics(name)).trim().split('\n');
      expect(
        lines.filter((line) => !/^(# (HELP|TYPE) |[a-z_]+(\{[^}]*\})? -?[0-9.e+-]+$)/.test(line)),
      ).toEqual([]);
      expect(lines.some((line) => line.startsWith('process_resident_memory_bytes '))).toBe(true);
    }
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
