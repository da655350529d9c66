import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createFakeClock, type FakeClock } from '../../test/kit/fake-clock.ts';
import {
  SYSTEM_TENANT,
  randomIds,
  renderAgentProgram,
  silentLogger,
  systemClock,
  type HostId,
} from '../../kernel/index.ts';
import type { components } from '../../api-specs/generated/iotmano.ts';
import type { ApiClient } from '../../test/kit/api-client.ts';
import { startTestApi, type TestApi } from '../../test/kit/api-server.ts';
import type { AgentUpgradeFacts } from '../domain/index.ts';
import { FACTS, startMcoBench } from '../mco/testkit/mco-bench.ts';
import { openContentFiles, type ContentFiles } from '../packages/index.ts';
import { createMemoryStore, type MemoryStore } from '../store/index.ts';
import {
  agentUpgradeRoutes,
  createAgentReleases,
  createAgentUpgrades,
  createUpgradeEngine,
  type UpgradeEngine,
} from './index.ts';

type Release = components['schemas']['AgentRelease'];
type Upgrade = components['schemas']['AgentUpgrade'];

const RELEASES = '/iotmano/v1/agent_releases';
const UPGRADES = '/iotmano/v1/agent_upgrades';
const TYPE = 'application/octet-stream';

let directory: string;
let store: MemoryStore;
let files: ContentFiles;
let engine: UpgradeEngine;
let clock: FakeClock;
let api: TestApi;
let admin: ApiClient;
const away = new Set<string>();

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'agent-upgrades-'));
  files = await openContentFiles(directory, 1024 * 1024);
  store = createMemoryStore();
  clock = createFakeClock();
  away.clear();
  const inventory = { hasLease: (hostId: HostId) => !away.has(hostId) };
  const releases = createAgentReleases({ store, files, clock, ids: randomIds });
  const upgrades = createAgentUpgrades({ store, releases, clock, ids: randomIds });
  engine = createUpgradeEngine({ store, inventory, clock, log: silentLogger });
  releases.start();
  api = await startTestApi({
    store,
    clock: systemClock,
    routes: () => agentUpgradeRoutes({ releases, upgrades, engine }),
  });
  admin = api.clientFor('admin', 'system');
});
afterEach(async () => {
  await api.close();
  rmSync(directory, { recursive: true, force: true });
});

function program(version: string): Buffer<ArrayBuffer> {
  return Buffer.from(`${renderAgentProgram({ version, formats: { assignments: 2 } })}// code`);
}

function digestOf(version: string): string {
  return `sha256:${createHash('sha256').update(program(version)).digest('hex')}`;
}

async function add(version: string): Promise<Release> {
  const answer = await admin.post<Release>(RELEASES, undefined, {
    content: program(version),
    contentType: TYPE,
  });
  expect(answer.status).toBe(201);
  return answer.body;
}

function host(hostId: string, agentUpgrade?: AgentUpgradeFacts, version = '1.0.0'): void {
  const tenant = SYSTEM_TENANT;
  const base = {
    state: 'READY',
    roles: ['orchestration'],
    enrolledAt: '2026-11-30T08:00:00.000Z',
    tenants: [],
    draining: false,
    disputed: false,
    boots: [],
  } as const;
  const facts = {
    ...FACTS,
    sequence: 1,
    agentVersion: version,
    ...(agentUpgrade === undefined ? {} : { agentUpgrade }),
  };
  store.commit([
    { op: 'put', kind: 'host', id: hostId, tenant, document: base },
    { op: 'put', kind: 'host-facts', id: hostId, tenant, document: facts },
  ]);
}

/** The host does as it was ordered, or fails to. */
function obey(hostId: string, state: 'CONFIRMED' | 'ROLLED_BACK'): void {
  const order = store.get('agent-order', hostId)?.document;
  if (order === undefined) throw new Error(`${hostId} has no order`);
  const { orderId, version, artifact } = order;
  const digest = state === 'CONFIRMED' ? artifact.digest : digestOf('1.0.0');
  host(
    hostId,
    {
      possible: true,
      digest,
      order: { orderId, version, state, reason: 'it hung', at: '2026-11-30T08:00:00.000Z' },
    },
    version,
  );
  engine.settle();
}

function revoke(hostId: string): void {
  const record = store.get('host', hostId);
  if (record === undefined) throw new Error(`there is no ${hostId}`);
  const document = { ...record.document, revokedAt: '2026-11-30T09:00:00.000Z' };
  store.commit([{ op: 'put', kind: 'host', id: hostId, tenant: SYSTEM_TENANT, document }]);
}

function forget(hostId: string): void {
  store.commit(
    (['host', 'host-facts', 'agent-order'] as const).map((kind) => {
      const expectedRevision = store.get(kind, hostId)?.revision ?? 0;
      return { op: 'delete', kind, id: hostId, expectedRevision } as const;
    }),
  );
}

const alarms = () => [...store.list('alarm')].map(({ document }) => document);
const ordered = (): readonly string[] => [...store.list('agent-order')].map(({ id }) => id);

async function begin(more: object = {}): Promise<Upgrade> {
  const { id: agentReleaseId } = await add('2.0.0');
  const { body, status } = await admin.post<Upgrade>(UPGRADES, { agentReleaseId, ...more });
  expect(status).toBe(201);
  engine.settle();
  return body;
}

const read = async ({ id }: Upgrade): Promise<Upgrade> =>
  (await admin.get<Upgrade>(`${UPGRADES}/${id}`)).body;
const act = async ({ id }: Upgrade, task: string): Promise<number> =>
  (await admin.post(`${UPGRADES}/${id}/${task}`)).status;

describe('releases of the agent', () => {
  it('are taken in as they come, once, and say themselves which version they are', async () => {
    const release = await add('2.0.0');
    expect(release).toMatchObject({
      version: '2.0.0',
      digest: digestOf('2.0.0'),
      sizeBytes: program('2.0.0').length,
    });
    const again = await admin.post<Release>(RELEASES, undefined, {
      content: program('2.0.0'),
      contentType: TYPE,
    });
    expect([again.status, again.body.id]).toEqual([200, release.id]);
    expect((await files.openArtifact(release.digest)).sizeBytes).toBe(release.sizeBytes);
    const other = Buffer.concat([program('2.0.0'), Buffer.from('// other')]);
    const clash = await admin.post(RELEASES, undefined, { content: other, contentType: TYPE });
    expect(clash).toMatchObject({ status: 409, body: { detail: expect.stringContaining('remove release') } });
    const none = await admin.post(RELEASES, undefined, { content: 'console.log(1)', contentType: TYPE });
    expect(none).toMatchObject({
      status: 422,
      body: { detail: expect.stringContaining('its first line does not say so') },
    });
    expect((await admin.delete(`${RELEASES}/${release.id}`)).status).toBe(204);
    await expect(files.openArtifact(release.digest)).rejects.toThrow(/no artifact/);
  });

  it('leave no file behind where another program has their version', async () => {
    await add('2.0.0');
    const content = Buffer.concat([program('2.0.0'), Buffer.from(' of another kind')]);
    expect(await admin.post(RELEASES, undefined, { content, contentType: TYPE })).toMatchObject({
      status: 409,
    });
    expect(readdirSync(join(directory, 'artifacts'))).toEqual([digestOf('2.0.0').replace('sha256:', '')]);
  });

  it('have their file, also where the same program comes while it is removed', async () => {
    const slow: ContentFiles = {
      ...files,
      removeArtifacts: async (digests) => {
        await new Promise((resolve) => setTimeout(resolve, 200));
        await files.removeArtifacts(digests);
      },
    };
    const releases = createAgentReleases({ store, files: slow, clock, ids: randomIds });
    releases.start();
    const come = () => releases.add(Readable.from([program('2.0.0')]), new AbortController().signal);
    const { release } = await come();
    const [, { release: again }] = await Promise.all([releases.remove(release.id), come()]);
    expect(releases.get(again.id).document.digest).toBe(digestOf('2.0.0'));
    expect((await files.openArtifact(digestOf('2.0.0'))).sizeBytes).toBe(program('2.0.0').length);
  });

  it('keep their file until it is on disk that they are removed', async () => {
    const { id } = await add('2.0.0');
    store.disk.hold();
    const removing = admin.delete(`${RELEASES}/${id}`);
    while (store.get('agent-release', id) !== undefined)
      await new Promise((resolve) => setTimeout(resolve, 5));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(readdirSync(join(directory, 'artifacts'))).toHaveLength(1);
    store.disk.release();
    expect((await removing).status).toBe(204);
    expect(readdirSync(join(directory, 'artifacts'))).toEqual([]);
  });

  it('are nothing to tenants that only use hosts', async () => {
    const tenant = api.clientFor('admin', 'acme');
    expect((await tenant.get(RELEASES)).status).toBe(403);
    expect(
      (await tenant.post(RELEASES, undefined, { content: program('2.0.0'), contentType: TYPE })).status,
    ).toBe(403);
    expect((await api.clientFor('operator', 'system').get(UPGRADES)).status).toBe(200);
  });
});

describe('an upgrade of agents', () => {
  const able: AgentUpgradeFacts = { possible: true, digest: digestOf('1.0.0') };

  // MCO-O-082, MCO-O-099
  it('stops at the host that fails, takes back what others have not begun, and goes on when it is retried', async () => {
    for (const hostId of ['gw-1', 'gw-2', 'gw-3', 'gw-4']) host(hostId, able);
    const upgrade = await begin({ waves: [{ count: 1 }, { count: 3 }] });
    expect(ordered()).toEqual(['gw-1']);
    obey('gw-1', 'CONFIRMED');
    expect(ordered()).toEqual(['gw-1', 'gw-2', 'gw-3']);
    obey('gw-2', 'ROLLED_BACK');
    expect(await read(upgrade)).toMatchObject({
      operationState: 'FAILED_TEMP',
      error: { detail: 'gw-2 did not come up with the version: it hung; none may fail' },
      counts: { UPGRADED: 1, FAILED: 1, WAITING: 2 },
    });
    expect(ordered()).toEqual(['gw-1']);
    expect(alarms()).toMatchObject([
      {
        name: 'agent-upgrade-stopped',
        severity: 'MAJOR',
        source: { agentUpgradeId: upgrade.id },
        text: expect.stringContaining('to 2.0.0 has stopped: gw-2 did not come up with the version'),
      },
    ]);
    const { id: agentReleaseId } = await add('3.0.0');
    expect((await admin.post(UPGRADES, { agentReleaseId })).status).toBe(409);
    expect(await act(upgrade, 'retry')).toBe(204);
    expect(alarms()).toMatchObject([{ severity: 'CLEARED', clearedAt: expect.any(String) }]);
    expect(store.get('agent-order', 'gw-2')?.document.orderId).toBe(`${upgrade.id}-2`);
    for (const hostId of ['gw-2', 'gw-3', 'gw-4']) obey(hostId, 'CONFIRMED');
    expect(await read(upgrade)).toMatchObject({ operationState: 'COMPLETED', counts: { UPGRADED: 4 } });
    expect(ordered()).toEqual([]);
  });

  it('is held, cancelled and ended by its administrator, and refuses what its state does not allow', async () => {
    for (const hostId of ['gw-1', 'gw-2']) host(hostId, able);
    const upgrade = await begin({ waves: [{ count: 1 }] });
    expect(await act(upgrade, 'pause')).toBe(204);
    obey('gw-1', 'CONFIRMED');
    expect(ordered()).toEqual(['gw-1']);
    expect(await act(upgrade, 'resume')).toBe(204);
    expect(ordered()).toEqual(['gw-1', 'gw-2']);
    expect(await act(upgrade, 'retry')).toBe(409);
    expect(await act(upgrade, 'cancel')).toBe(204);
    expect(ordered()).toEqual([]);
    expect(await act(upgrade, 'pause')).toBe(409);
    expect(await act(upgrade, 'fail')).toBe(204);
    expect(await read(upgrade)).toMatchObject({
      operationState: 'FAILED',
      error: { detail: expect.stringContaining('cancelled') },
    });
  });

  // MCO-O-097, MCO-O-098
  it('is over when all that are heard have the version, and is there for those that come back', async () => {
    host('gw-1', able);
    host('gw-2', able);
    host('gw-3', { possible: false, reason: 'a checkout' });
    host('gw-4');
    away.add('gw-2');
    const upgrade = await begin({ waves: [] });
    obey('gw-1', 'CONFIRMED');
    expect(await read(upgrade)).toMatchObject({
      operationState: 'COMPLETED',
      counts: { UPGRADED: 1, AWAY: 1, IMPOSSIBLE: 2 },
      hosts: [
        { hostId: 'gw-2', standing: 'AWAY' },
        { hostId: 'gw-3', standing: 'IMPOSSIBLE', reason: 'a checkout' },
        { hostId: 'gw-4', standing: 'IMPOSSIBLE' },
        { hostId: 'gw-1', standing: 'UPGRADED' },
      ],
    });
    expect(ordered()).toEqual(['gw-2']);
    expect(await admin.delete(`${RELEASES}/${upgrade.agentReleaseId}`)).toMatchObject({ status: 409 });
  });

  it('counts a host as failed that is heard and does nothing about it for too long, and only while it is heard', async () => {
    host('gw-1', able);
    const upgrade = await begin({ waves: [], giveUpAfterSeconds: 60 });
    await clock.advance(50_000);
    away.add('gw-1');
    engine.settle();
    away.delete('gw-1');
    expect(await read(upgrade)).toMatchObject({ operationState: 'COMPLETED' });
    const second = await admin.post<Upgrade>(UPGRADES, {
      agentReleaseId: upgrade.agentReleaseId,
      waves: [],
      giveUpAfterSeconds: 60,
    });
    engine.settle();
    await clock.advance(61_000);
    engine.settle();
    expect(await read(second.body)).toMatchObject({
      operationState: 'FAILED_TEMP',
      error: { detail: expect.stringContaining('within 60 s; it has said nothing of it') },
    });
  });

  it('chooses hosts by their facts, watches each part, and refuses expressions that are none', async () => {
    host('gw-1', able);
    store.commit([
      {
        op: 'put',
        kind: 'host-facts',
        id: 'gw-2',
        tenant: SYSTEM_TENANT,
        document: { ...FACTS, sequence: 1, tier: 'cloud', agentUpgrade: able } as never,
      },
    ]);
    const upgrade = await begin({
      select: 'tier = device-edge',
      waves: [{ label: 'host = gw-1' }],
      bakeSeconds: 30,
    });
    obey('gw-1', 'CONFIRMED');
    expect(await read(upgrade)).toMatchObject({
      operationState: 'PROCESSING',
      wavesDone: 0,
      bakingSince: expect.any(String),
    });
    await clock.advance(31_000);
    engine.settle();
    expect(await read(upgrade)).toMatchObject({
      operationState: 'COMPLETED',
      wavesDone: 1,
      hosts: [{ hostId: 'gw-1' }],
    });
    const bad = await admin.post(UPGRADES, { agentReleaseId: upgrade.agentReleaseId, select: 'tier = = x' });
    expect(bad).toMatchObject({
      status: 422,
      body: { detail: expect.stringContaining('select: "tier = = x"') },
    });
    expect((await admin.post(UPGRADES, { agentReleaseId: 'none' })).status).toBe(404);
  });

  it('goes on without a host that is revoked or forgotten in the middle of its trial', async () => {
    for (const hostId of ['gw-1', 'gw-2', 'gw-3']) host(hostId, able);
    const upgrade = await begin({ waves: [{ count: 2 }] });
    expect(ordered()).toEqual(['gw-1', 'gw-2']);
    revoke('gw-1');
    engine.settle();
    expect(await read(upgrade)).toMatchObject({
      operationState: 'PROCESSING',
      counts: { IMPOSSIBLE: 1, UNDER_WAY: 2 },
    });
    forget('gw-2');
    obey('gw-3', 'CONFIRMED');
    expect(await read(upgrade)).toMatchObject({
      operationState: 'COMPLETED',
      counts: { UPGRADED: 1, IMPOSSIBLE: 1 },
      hosts: [{ hostId: 'gw-1', reason: expect.stringContaining('it was revoked at') }, { hostId: 'gw-3' }],
    });
    expect(ordered()).toEqual([]);
    expect((await admin.delete(`${RELEASES}/${upgrade.agentReleaseId}`)).status).toBe(204);
  });

  it('of no host is refused with the expression and the hosts there are', async () => {
    const { id: agentReleaseId } = await add('2.0.0');
    const none = await admin.post(UPGRADES, { agentReleaseId });
    expect(none).toMatchObject({ status: 422, body: { detail: expect.stringContaining('enrol one first') } });
    for (const number of Array.from({ length: 12 }).keys()) host(`gw-${number + 10}`, able);
    const missed = await admin.post(UPGRADES, { agentReleaseId, select: 'tier = nowhere' });
    expect(missed).toMatchObject({
      status: 422,
      body: {
        detail: expect.stringMatching(
          /select: "tier = nowhere" matches none of the hosts that have an agent \(gw-10, .*gw-19, and 2 more\)/,
        ),
      },
    });
    expect((await admin.get<Upgrade[]>(UPGRADES)).body).toEqual([]);
  });

  it('that is ended after it has stopped has no alarm any more, and a cancelled one never has any', async () => {
    host('gw-1', able);
    const upgrade = await begin({ waves: [] });
    obey('gw-1', 'ROLLED_BACK');
    expect(alarms()).toMatchObject([{ severity: 'MAJOR' }]);
    expect(await act(upgrade, 'fail')).toBe(204);
    expect(alarms()).toMatchObject([{ severity: 'CLEARED' }]);
    const { agentReleaseId } = upgrade;
    const second = (await admin.post<Upgrade>(UPGRADES, { agentReleaseId, waves: [] })).body;
    expect(await act(second, 'cancel')).toBe(204);
    expect(alarms()).toMatchObject([{ severity: 'CLEARED' }]);
  });
});

// MCO-O-099
it('a host that has an order is told so at once, gets the program of it and of no other, and hears when it is taken back', async () => {
  const { digest } = await add('2.0.0');
  const bench = await startMcoBench({ store, artifacts: files });
  try {
    const agent = await bench.agent('gw-1');
    const wanted = async (): Promise<{ agentUpgrade?: { version: string }; revision: number }> =>
      (
        await agent.request<{ agentUpgrade?: { version: string }; revision: number }>('GET', '/wanted', {
          query: { full: 'true' },
        })
      ).body;
    expect((await agent.request('GET', `/artifacts/${digest}`)).status).toBe(404);
    const { revision, agentUpgrade } = await wanted();
    expect(agentUpgrade).toBeUndefined();
    const waiting = agent.request('GET', '/wanted', { query: { since: String(revision), wait: '5' } });
    const document = {
      agentUpgradeId: 'u-1',
      orderId: 'u-1-1',
      version: '2.0.0',
      artifact: { digest, sizeBytes: 1 },
      confirmWithinSeconds: 60,
      orderedAt: '2026-11-30T08:00:00.000Z',
    };
    store.commit([{ op: 'put', kind: 'agent-order', id: 'gw-1', tenant: SYSTEM_TENANT, document }]);
    expect((await waiting).body).toMatchObject({
      agentUpgrade: { orderId: 'u-1-1', version: '2.0.0', artifact: { digest } },
    });
    expect((await agent.request('GET', `/artifacts/${digest}`)).status).toBe(200);
    const record = store.get('agent-order', 'gw-1');
    const news = agent.request('GET', '/wanted', {
      query: { since: String(store.durableRevision), wait: '5' },
    });
    store.commit([
      { op: 'delete', kind: 'agent-order', id: 'gw-1', expectedRevision: record?.revision ?? 0 },
    ]);
    expect((await news).body).not.toHaveProperty('agentUpgrade');
    expect((await agent.request('GET', `/artifacts/${digest}`)).status).toBe(404);
  } finally {
    await bench.close();
  }
});
