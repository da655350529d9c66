import { describe, expect, it, vi } from 'vitest';
import { PassThrough } from 'node:stream';
import { SYSTEM_TENANT, createLogger, randomIds, systemClock, type HostId } from '../../kernel/index.ts';
import type { ApiRequest, ApiResponse, Route } from '../api/route.ts';
import { createInventory } from '../inventory/index.ts';
import { addHosts } from '../inventory/testkit/fleet.ts';
import { createMemoryStore, type MemoryStore } from '../store/index.ts';
import { diagnosticsOver } from '../diagnostics/testkit/diagnostics-over.ts';
import { createMco } from './index.ts';
import type { WantedMessage } from './messages.ts';
import { assignmentOf, keyOf } from './testkit/assignments.ts';
import { SP_ID, silentMonitoring } from './testkit/mco-bench.ts';
import { createWantedChanges } from './wanted-changes.ts';

const HOSTS = 1000;
const hostIds = Array.from({ length: HOSTS }, (_, index) => `gw-${index}` as HostId);

function createWantedRoute(store: MemoryStore): Route {
  const log = createLogger('many-polls', 'silent');
  const clock = systemClock;
  const inventory = createInventory({
    store,
    clock,
    ids: randomIds,
    random: (size) => Buffer.alloc(size),
    log,
  });
  const artifacts = { openArtifact: () => Promise.reject(new Error('not asked for')) };
  const diagnostics = diagnosticsOver(store).agents;
  const monitoring = silentMonitoring;
  const options = { store, clock, log, inventory, monitoring, artifacts, diagnostics, m2mSpId: SP_ID };
  const route = createMco(options).routes.find(({ path }) => path.endsWith('/wanted'));
  if (route === undefined) throw new Error('there is no wanted route');
  return route;
}

function pollOf(hostId: HostId, query: string, signal: AbortSignal): ApiRequest {
  return {
    method: 'GET',
    path: `/mco/v1/hosts/${hostId}/wanted`,
    params: { hostId },
    query: new URLSearchParams(query),
    headers: {
      'mco-version': '1.0',
      'mco-sp-id': SP_ID,
      'mco-boot-id': `boot-of-${hostId}`,
    },
    body: undefined,
    stream: new PassThrough(),
    caller: { tenant: SYSTEM_TENANT, role: 'agent', name: hostId, hostId, sessionId: sessionIdOf(hostId) },
    signal,
    origin: 'http://test',
    requestId: 'test',
    isStillCaller: () => true,
    idempotencyWrites: () => [],
  };
}

function sessionIdOf(hostId: HostId): string {
  return `session-of-${hostId}`;
}

function storeWithSessions(): MemoryStore {
  const store = createMemoryStore();
  addHosts(store, hostIds);
  store.commit(
    hostIds.map((hostId) => ({
      op: 'create',
      kind: 'session',
      id: sessionIdOf(hostId),
      tenant: SYSTEM_TENANT,
      document: { hostId, bootId: `boot-of-${hostId}`, expiresAt: '2099-01-01T00:00:00.000Z' },
    })),
  );
  return store;
}

describe('a change for a thousand hosts', () => {
  it('is told to some of them in each turn of the event loop, and to each of them once', async () => {
    const store = storeWithSessions();
    const changes = createWantedChanges(store);
    const told: HostId[] = [];
    for (const hostId of hostIds) changes.subscribe(hostId, () => told.push(hostId));
    await store.commit(hostIds.map((hostId) => assignmentOf(hostId, keyOf(1)))).durable;
    const atFirst = told.length;
    await vi.waitFor(() => expect(told).toHaveLength(HOSTS));
    expect(atFirst).toBeGreaterThan(0);
    expect(atFirst).toBeLessThan(HOSTS / 2);
    expect(new Set(told).size).toBe(HOSTS);
  });
});

describe('a thousand waiting polls', () => {
  // MCO-O-014
  it('are each answered for their own host’s change only, and the rest go on waiting', async () => {
    const store = storeWithSessions();
    const route = createWantedRoute(store);
    const gone = new AbortController();
    const first = await Promise.all(hostIds.map((hostId) => route.handle(pollOf(hostId, '', gone.signal))));
    await store.whenDurable();
    const since = Math.max(
      ...first.map(({ body }) => (body as WantedMessage).revision),
      store.durableRevision,
    );
    let answered = 0;
    const polls = hostIds.map(async (hostId) => {
      const answer = await route.handle(pollOf(hostId, `since=${since}&wait=10`, gone.signal));
      answered += 1;
      return answer;
    });
    await store.commit([assignmentOf('gw-7' as HostId, keyOf(1))]).durable;
    expect(await polls[7]).toMatchObject({ status: 200 });
    expect(answered).toBe(1);
    const begin = performance.now();
    await store.commit(hostIds.map((hostId) => assignmentOf(hostId, keyOf(2)))).durable;
    const answers: ApiResponse[] = await Promise.all(polls);
    const milliseconds = performance.now() - begin;
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    expect(milliseconds).toBeLessThan(2_000);
    gone.abort();
  });

  it('cost nothing once their clients have gone away', async () => {
    const store = storeWithSessions();
    const route = createWantedRoute(store);
    const gone = new AbortController();
    await Promise.all(hostIds.map((hostId) => route.handle(pollOf(hostId, '', gone.signal))));
    await store.whenDurable();
    const query = `since=${store.durableRevision}&wait=10`;
    const polls = Promise.all(hostIds.map((hostId) => route.handle(pollOf(hostId, query, gone.signal))));
    await new Promise((resolve) => setTimeout(resolve, 20));
    const begin = performance.now();
    gone.abort();
    await polls;
    expect(performance.now() - begin).toBeLessThan(2_000);
  });
});
