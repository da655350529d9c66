import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createParser } from 'eventsource-parser';
import {
  DEFAULT_TENANT,
  randomIds,
  systemClock,
  type HostId,
  type TenantId,
  type VnfPkgId,
} from '../../kernel/index.ts';
import { startTestApi, type TestApi } from '../../test/kit/api-server.ts';
import type { RecordKind } from '../domain/index.ts';
import { createMemoryStore, type MemoryStore, type Write } from '../store/index.ts';
import { createAccessToken, eventRoutes } from './index.ts';

let store: MemoryStore;
let api: TestApi;

beforeEach(async () => {
  store = createMemoryStore({ changeLogLimit: 5 });
  api = await startTestApi({
    store,
    routes: () => eventRoutes({ store, clock: systemClock, heartbeatMilliseconds: 50, maxStreams: 2 }),
  });
});
afterEach(() => api.close());

const KEY = { tenant: DEFAULT_TENANT, vnfInstanceId: 'v', unit: 'u', generation: 1 };

function change(id: string, tenant = 'default'): void {
  store.commit([
    {
      op: 'put',
      kind: 'vnf-instance',
      id,
      tenant: tenant as TenantId,
      document: {
        name: `name-of-${id}`,
        description: '',
        vnfPkgId: 'p' as VnfPkgId,
        instantiationState: 'NOT_INSTANTIATED',
        config: { password: 'hunter2' },
        constraints: {},
        bind: {},
        credentials: { broker: { id: 'x', seed: 'very-secret-seed', publicKey: 'y' } },
        wanted: [],
        generations: 0,
        metadata: {},
      },
    },
  ]);
}

interface Received {
  readonly id: string | undefined;
  readonly event: string | undefined;
  readonly data: {
    readonly id: string;
    readonly revision: number;
    readonly name?: string;
    readonly kind: string;
  };
}

interface Stream {
  readonly events: Received[];
  readonly text: () => string;
  close(): void;
  readonly ended: Promise<void>;
}

async function open(query = '', headers: Record<string, string> = {}, tenant = 'default'): Promise<Stream> {
  const abort = new AbortController();
  const response = await fetch(`${api.url}/iotmano/v1/events${query}`, {
    headers: { authorization: `Bearer ${api.tokenFor('viewer', tenant)}`, ...headers },
    signal: abort.signal,
  });
  expect(response.status).toBe(200);
  const events: Received[] = [];
  let text = '';
  const parser = createParser({
    onEvent: ({ id, event, data }) => events.push({ id, event, data: JSON.parse(data) as Received['data'] }),
  });
  const ended = (async () => {
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) {
      const piece = decoder.decode(chunk as Uint8Array, { stream: true });
      text += piece;
      parser.feed(piece);
    }
  })().catch(() => undefined);
  return { events, text: () => text, close: () => abort.abort(), ended };
}

describe('the event stream', () => {
  test('tells what changes, in order, with a summary and without secrets', async () => {
    const stream = await open();
    change('one');
    change('two');
    await expect
      .poll(() => stream.events.map(({ data }) => data.name))
      .toEqual(['name-of-one', 'name-of-two']);
    expect(stream.events.map(({ id, data }) => Number(id) === data.revision)).toEqual([true, true]);
    expect(stream.text()).not.toMatch(/secret|hunter2/);
    stream.close();
  });

  test('tells of each kind what its document describes, and of no other kind', async () => {
    const documents: { readonly [Kind in RecordKind]?: object } = {
      'vnf-package': { onboardingState: 'ONBOARDED', descriptor: { metadata: { productName: 'p' } } },
      'ns-descriptor': { onboardingState: 'ONBOARDED', descriptor: { metadata: { name: 'n' } } },
      'vnf-instance': {
        instantiationState: 'INSTANTIATED',
        name: 'n',
        nsInstanceId: 'ns',
        constituent: 'c',
      },
      'vnf-lcm-op-occ': {
        state: 'FAILED',
        operation: 'HEAL',
        vnfInstanceId: 'v',
        nsLcmOpOccId: 'o',
        error: { detail: 'd' },
      },
      'ns-instance': { state: 'INSTANTIATED', name: 'n' },
      'ns-lcm-op-occ': { state: 'FAILED', operation: 'HEAL', nsInstanceId: 'ns', error: { detail: 'd' } },
      assignment: { hostId: 'h', workload: { key: KEY, instances: [{}] } },
      observed: {
        hostId: 'h',
        workload: {
          key: KEY,
          problem: 'p',
          instances: [{ slot: 0, epoch: 0, state: 'FAILED', restarts: 1, reason: 'r', ports: {} }],
        },
      },
      host: { state: 'READY', draining: false, disputed: false, tenants: [] },
      'agent-upgrade': { state: 'FAILED', version: '1.0.0', wavesDone: 0, error: { detail: 'd' } },
      'vim-connection': { vimType: 'docker', sealedAccess: 'very-secret-access' },
      alarm: { name: 'host-lost', severity: 'MAJOR', text: 't', source: { hostId: 'h', zone: 'z' } },
      session: { hostId: 'h' },
    };
    const all = createMemoryStore();
    const own = await startTestApi({
      store: all,
      routes: () => eventRoutes({ store: all, clock: systemClock }),
    });
    for (const [kind, document] of Object.entries(documents))
      all.commit([{ op: 'put', kind, id: 'x', tenant: DEFAULT_TENANT, document } as Write]);
    await all.whenDurable();
    // The client holds each event against the document.
    const { body } = await own.clientFor('admin').get<string>('/iotmano/v1/events', {
      query: { follow: 'false', since: '0' },
    });
    const kinds = [...body.matchAll(/"kind":"([a-z-]+)"/g)].map(([, kind]) => kind);
    expect(kinds).toEqual(Object.keys(documents).filter((kind) => kind !== 'session'));
    await own.close();
  });

  test('shows a change only when it is durable', async () => {
    const stream = await open();
    await store.whenDurable();
    store.disk.hold();
    change('late');
    await new Promise((resolve) => setTimeout(resolve, 120));
    expect(stream.events).toEqual([]);
    store.disk.release();
    await expect.poll(() => stream.events.length).toBe(1);
    stream.close();
  });

  test('goes on after the last event that a client has seen', async () => {
    const first = await open();
    change('one');
    await expect.poll(() => first.events.length).toBe(1);
    first.close();
    const last = first.events[0]?.id ?? '';
    change('two');
    const byHeader = await open('', { 'last-event-id': last });
    const byQuery = await open(`?follow=false&since=${last}`);
    await byQuery.ended;
    expect(byQuery.events.map(({ data }) => data.id)).toEqual(['two']);
    await expect.poll(() => byHeader.events.map(({ data }) => data.id)).toEqual(['two']);
    byHeader.close();
  });

  test('shows a tenant its own, and tokens to nobody', async () => {
    const stream = await open('', {}, 'other');
    change('foreign');
    change('own', 'other');
    api.tokenFor('viewer', 'other');
    store.commit([
      {
        op: 'put',
        kind: 'host',
        id: 'gw-1',
        tenant: 'system' as TenantId,
        document: {
          state: 'READY',
          roles: [],
          publicKey: {},
          enrolledAt: '2030-01-01T00:00:00Z',
          tenants: ['other' as TenantId],
          draining: false,
          disputed: false,
          boots: [],
        },
      },
      {
        op: 'put',
        kind: 'session',
        id: 'x',
        tenant: 'system' as TenantId,
        document: { hostId: 'gw-1' as HostId, bootId: 'b', expiresAt: '2030-01-01T00:00:00Z' },
      },
    ]);
    await expect.poll(() => stream.events.map(({ data }) => data.id)).toEqual(['own', 'gw-1']);
    stream.close();
  });

  test('a revision that the log no longer reaches is a 410 that says what to do', async () => {
    for (let index = 0; index < 12; index += 1) change(`v-${index}`);
    await store.whenDurable();
    const client = api.clientFor('viewer');
    for (const since of ['0', '99999']) {
      const { status, body } = await client.get<{ detail: string; oldestRevision: number }>(
        '/iotmano/v1/events',
        { query: { since } },
      );
      expect([status, body.detail]).toEqual([410, expect.stringContaining('read the resources anew')]);
      expect(body.oldestRevision).toBe(store.oldestRevision);
    }
  });

  test('without a revision a stream that does not follow begins where the log does', async () => {
    for (let index = 0; index < 12; index += 1) change(`v-${index}`);
    await store.whenDurable();
    const stream = await open('?follow=false');
    await stream.ended;
    expect(store.oldestRevision).toBeGreaterThan(0);
    expect(stream.events[0]?.data.revision).toBe(store.oldestRevision + 1);
    expect(stream.events.at(-1)?.data.name).toBe('name-of-v-11');
  });

  test('a stream on which nothing happens shows that it is alive', async () => {
    const stream = await open();
    await expect.poll(() => stream.text()).toContain(': alive');
    stream.close();
  });

  test.each(['is deleted', 'expires'])(
    'a stream ends, and tells nothing more, when its token %s',
    async (how) => {
      const options = { store, clock: systemClock, ids: randomIds, random: randomBytes };
      const validity = how === 'expires' ? { validSeconds: 1 } : {};
      const { record, token } = createAccessToken(
        options,
        { name: 'gone', role: 'viewer', ...validity },
        DEFAULT_TENANT,
      );
      const stream = await open('', { authorization: `Bearer ${token}` });
      change('before');
      await expect.poll(() => stream.events.length).toBeGreaterThan(0);
      const told = stream.events.length;
      if (how === 'expires') await new Promise((resolve) => setTimeout(resolve, 1000));
      else
        store.commit([
          { op: 'delete', kind: 'access-token', id: record.id, expectedRevision: record.revision },
        ]);
      change('after');
      await stream.ended;
      expect(stream.events).toHaveLength(told);
    },
  );

  test('more streams than allowed are refused until one ends', async () => {
    const streams = [await open(), await open()];
    const client = api.clientFor('viewer');
    const refused = await fetch(`${api.url}/iotmano/v1/events`, {
      headers: { authorization: `Bearer ${api.tokenFor('viewer')}` },
    });
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '1']);
    for (const stream of streams) stream.close();
    await expect.poll(async () => (await client.get('/iotmano/v1/events?follow=false')).status).toBe(200);
  });

  test('closing the server ends every stream', async () => {
    const stream = await open();
    await api.close();
    await stream.ended;
    expect(stream.text()).toContain('retry:');
  });
});
