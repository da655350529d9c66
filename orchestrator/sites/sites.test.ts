import { afterEach, describe, expect, it } from 'vitest';
import type { HostId } from '../../kernel/index.ts';
import { vnfcInstanceId, type AssignmentDocument } from '../domain/index.ts';
import { workloadId, type WorkloadKey } from '../../vim-drivers/index.ts';
import { readStream } from '../diagnostics/testkit/output-reader.ts';
import { assign, assignmentOf, keyOf, unassign } from '../mco/testkit/assignments.ts';
import { createMemoryStore } from '../store/index.ts';
import { eventually } from '../../test/kit/test-system.ts';
import {
  DOCKER,
  TOKEN,
  VIMS,
  startSitesBench,
  type SitesBench,
  type SitesBenchOptions,
} from './testkit/sites-bench.ts';

const HOST = 'cloud-1' as HostId;
/** Runs every second, and keeps what it was told. */
const EVERY_SECOND = {
  mode: 'schedule',
  cron: '* * * * * *',
  timeZone: 'UTC',
  concurrency: 'forbid',
  atMost: 1,
  startWithinSeconds: 600,
  history: { completed: 20, failed: 20 },
} as const;
/** Patience of the functions here, seconds. */
const PATIENCE = 1.5;
const benches: SitesBench[] = [];

afterEach(async () => {
  await Promise.all(benches.splice(0).map((bench) => bench.close()));
});

async function start(options?: SitesBenchOptions): Promise<SitesBench> {
  const bench = await startSitesBench(options);
  benches.push(bench);
  return bench;
}

async function end(bench: SitesBench): Promise<void> {
  benches.splice(benches.indexOf(bench), 1);
  await bench.close();
}

interface Vim {
  readonly health: { readonly state: string; readonly since: string; readonly reason?: string };
  readonly inventory?: { readonly capacity: object };
  readonly stateConfirmed: boolean;
}

async function vimOf({ admin }: SitesBench, vimId: string = HOST): Promise<Vim> {
  return (await admin.get<Vim>(`${VIMS}/${vimId}`)).body;
}

async function hostState({ admin }: SitesBench, hostId: string = HOST): Promise<string> {
  return (await admin.get<{ state: string }>(`/iotmano/v1/hosts/${hostId}`)).body.state;
}

function becomes(bench: SitesBench, state: string, vimId: string = HOST): Promise<Vim> {
  return eventually(`VIM ${vimId} is ${state}`, async () => {
    const vim = await vimOf(bench, vimId);
    return vim.health.state === state && vim;
  });
}

async function register(bench: SitesBench, vimId: string = HOST): Promise<void> {
  const { status } = await bench.admin.post(VIMS, { vimId, ...DOCKER });
  expect(status).toBe(201);
  await becomes(bench, 'REACHABLE', vimId);
}

function observed({ store }: SitesBench, key: WorkloadKey, hostId: string = HOST) {
  return store.get('observed', `${hostId}.${workloadId(key)}`)?.document.workload;
}

const runs = (bench: SitesBench, key: WorkloadKey, hostId: string = HOST) =>
  eventually(`${workloadId(key)} runs on ${hostId}`, () => {
    const found = observed(bench, key, hostId)?.instances[0];
    return found?.state === 'RUNNING' && found;
  });

const onPlatform = ({ world }: SitesBench, key: WorkloadKey, hostId: string = HOST) =>
  world.host(hostId as HostId).workloads.get(workloadId(key));

const standing = async ({ admin }: SitesBench): Promise<string[]> => {
  const { body } = await admin.get<{ name: string; perceivedSeverity: string }[]>('/iotmano/v1/alarms');
  return body.filter(({ perceivedSeverity }) => perceivedSeverity !== 'CLEARED').map(({ name }) => name);
};

describe('a VIM that is registered', () => {
  it('is a host as others are, with what it says of itself and what the operator states', async () => {
    const bench = await start();
    await bench.admin.post(VIMS, {
      vimId: HOST,
      ...DOCKER,
      extra: { tier: 'cloud-edge', labels: { zone: 'north' }, address: '192.0.2.7', jurisdiction: 'FR' },
    });
    await becomes(bench, 'REACHABLE');
    const { body } = await bench.admin.get(`/iotmano/v1/hosts/${HOST}`);
    expect(body).toMatchObject({
      hostId: HOST,
      vimType: 'docker',
      state: 'READY',
      stateConfirmed: true,
      facts: {
        tier: 'cloud-edge',
        labels: { zone: 'north' },
        address: '192.0.2.7',
        jurisdiction: 'FR',
        architecture: 'amd64',
        cpu: { allocatableMillis: 4000 },
        drivers: [{ name: 'fake', artifactTypes: ['process', 'container'] }],
      },
    });
    expect(await vimOf(bench)).toMatchObject({
      inventory: { capacity: { cpuMillis: 4000 } },
      assignments: 0,
    });
  });

  it('runs what is assigned to it, no less and no more, and what it measures is known', async () => {
    const bench = await start();
    await register(bench);
    await assign(bench.store, HOST, keyOf(1));
    await assign(bench.store, HOST, keyOf(2));
    await runs(bench, keyOf(1));
    await runs(bench, keyOf(2));
    const { revision } = await unassign(bench.store, HOST, keyOf(1)).then(() => ({
      revision: bench.store.acceptedRevision,
    }));
    await eventually(
      'the first is gone',
      () => onPlatform(bench, keyOf(1)) === undefined && observed(bench, keyOf(1)) === undefined,
    );
    expect(onPlatform(bench, keyOf(2))).toBeDefined();
    await eventually(
      'the removal is confirmed',
      () => (bench.store.get('host-applied', HOST)?.document.revision ?? 0) >= revision,
    );
    const { body } = await eventually('there are measurements', async () => {
      const answer = await bench.admin.get<{ metric: string }[]>('/iotmano/v1/measurements', {
        query: { hostId: HOST },
      });
      return answer.body.length > 0 && answer;
    });
    expect(body.map(({ metric }) => metric)).toContain('instance_memory_bytes');
  });

  it('is heard in time also when the last of those who are impatient has gone', async () => {
    const bench = await start();
    await register(bench);
    await assign(bench.store, HOST, keyOf(1), PATIENCE);
    await runs(bench, keyOf(1));
    // By now the lease is granted for the impatient one.
    await new Promise((resolve) => setTimeout(resolve, 700));
    await unassign(bench.store, HOST, keyOf(1));
    const states = new Set<string>();
    for (const end = performance.now() + 3 * PATIENCE * 1000; performance.now() < end;) {
      states.add(await hostState(bench));
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect([...states]).toEqual(['READY']);
  });

  it('is drained as others are', async () => {
    const bench = await start();
    await register(bench);
    const answer = await bench.admin.patch(`/iotmano/v1/hosts/${HOST}`, { draining: true });
    expect(answer).toMatchObject({ status: 200, body: { state: 'DRAINING' } });
  });

  it('goes with all that was known of it, once nothing is assigned there', async () => {
    const bench = await start();
    await register(bench);
    await assign(bench.store, HOST, keyOf(1));
    await runs(bench, keyOf(1));
    expect(await bench.admin.delete(`${VIMS}/${HOST}`)).toMatchObject({ status: 409 });
    expect(await bench.admin.delete(`/iotmano/v1/hosts/${HOST}`)).toMatchObject({
      status: 409,
      body: { detail: expect.stringContaining('vim rm') },
    });
    await unassign(bench.store, HOST, keyOf(1));
    await eventually('it can go', async () => (await bench.admin.delete(`${VIMS}/${HOST}`)).status === 204);
    expect(onPlatform(bench, keyOf(1))).toBeUndefined();
    const kinds = ['vim-connection', 'host', 'host-facts', 'host-applied', 'observed'] as const;
    expect(kinds.map((kind) => bench.store.count(kind))).toEqual([0, 0, 0, 0, 0]);
    expect(await bench.admin.get(`${VIMS}/${HOST}`)).toMatchObject({ status: 404 });
    await eventually('nothing drives it', () => bench.sites.siteOf(HOST) === undefined);
    await register(bench);
  });
});

describe('a VIM that goes away', () => {
  it('is shown as such, with the reason and what to do; its host is SUSPECT and then LOST; back, it is put right', async () => {
    const bench = await start();
    await register(bench);
    await assign(bench.store, HOST, keyOf(1), PATIENCE);
    await assign(bench.store, HOST, keyOf(2), PATIENCE);
    const before = await runs(bench, keyOf(1));
    await runs(bench, keyOf(2));
    bench.failuresOf(HOST).isUnreachable = true;
    const { health } = await becomes(bench, 'UNREACHABLE');
    expect(health.reason).toMatch(/^the fake host cannot be reached; check that the docker platform runs/);
    await eventually('the host is SUSPECT', async () => (await hostState(bench)) === 'SUSPECT');
    await eventually('the host is LOST', async () => (await hostState(bench)) === 'LOST');
    expect((await standing(bench)).toSorted()).toEqual(['host-lost', 'vim-unreachable']);
    // What runs there runs on; what is not wanted meanwhile goes when it is back.
    await unassign(bench.store, HOST, keyOf(2));
    expect(onPlatform(bench, keyOf(2))).toBeDefined();
    bench.failuresOf(HOST).isUnreachable = false;
    await becomes(bench, 'REACHABLE');
    await eventually('the host is READY', async () => (await hostState(bench)) === 'READY');
    await eventually('the other is gone', () => onPlatform(bench, keyOf(2)) === undefined);
    expect(await runs(bench, keyOf(1))).toEqual(before);
    expect(await standing(bench)).toEqual([]);
  });

  it('and comes back again and again, changes nothing that runs, and writes no more than that', async () => {
    const bench = await start();
    await register(bench);
    await assign(bench.store, HOST, keyOf(1), PATIENCE);
    const before = await runs(bench, keyOf(1));
    const revision = bench.store.acceptedRevision;
    for (let turn = 0; turn < 4; turn += 1) {
      bench.failuresOf(HOST).isUnreachable = true;
      await becomes(bench, 'UNREACHABLE');
      bench.failuresOf(HOST).isUnreachable = false;
      await becomes(bench, 'REACHABLE');
    }
    expect(await runs(bench, keyOf(1))).toEqual(before);
    expect(bench.store.acceptedRevision - revision).toBeLessThan(4 * 8);
  });

  it('by taking calls and never answering, holds up neither others nor the API nor the end', async () => {
    const bench = await start();
    await register(bench);
    await register(bench, 'cloud-2');
    await assign(bench.store, HOST, keyOf(1), PATIENCE);
    await runs(bench, keyOf(1));
    bench.failuresOf(HOST).slowMilliseconds = 3_600_000;
    const { health } = await becomes(bench, 'UNREACHABLE');
    expect(health.reason).toContain('did not answer within');
    await assign(bench.store, 'cloud-2' as HostId, keyOf(2), PATIENCE);
    await runs(bench, keyOf(2), 'cloud-2');
    const startedAt = performance.now();
    expect(await bench.admin.get(VIMS)).toMatchObject({ status: 200 });
    expect(await bench.admin.patch(`${VIMS}/${HOST}`, { extra: { labels: { a: 'b' } } })).toMatchObject({
      status: 200,
    });
    expect(performance.now() - startedAt).toBeLessThan(500);
    await end(bench);
    expect(performance.now() - startedAt).toBeLessThan(6000);
  });
});

describe('an orchestrator that is killed', () => {
  it('opens its VIMs again when it is back, and restarts nothing', async () => {
    const key = new Uint8Array(32).fill(7);
    const first = await start({ secretsKey: key });
    await first.admin.post(VIMS, {
      vimId: HOST,
      vimType: 'kubernetes',
      interfaceInfo: { endpoint: 'https://cluster.test:6443' },
      accessInfo: { bearerToken: TOKEN },
    });
    await becomes(first, 'REACHABLE');
    await assign(first.store, HOST, keyOf(1));
    const before = await runs(first, keyOf(1));
    await end(first);
    const second = await start({
      secretsKey: key,
      store: createMemoryStore({ disk: first.store.disk }),
      world: first.world,
    });
    await becomes(second, 'REACHABLE');
    expect(second.openings).toMatchObject([{ accessInfo: { bearerToken: TOKEN } }]);
    expect(second.openings[0]?.scope).toBe(first.openings[0]?.scope);
    await assign(second.store, HOST, keyOf(2));
    await runs(second, keyOf(2));
    expect(await runs(second, keyOf(1))).toEqual(before);
  });

  it('without the key of its store, shows the VIM as unreachable with what to do, and drives the others', async () => {
    const first = await start();
    await register(first, 'cloud-2');
    await first.admin.post(VIMS, {
      vimId: HOST,
      vimType: 'kubernetes',
      interfaceInfo: { endpoint: 'https://cluster.test:6443' },
      accessInfo: { bearerToken: TOKEN },
    });
    await becomes(first, 'REACHABLE');
    await end(first);
    const second = await start({ store: createMemoryStore({ disk: first.store.disk }), world: first.world });
    const { health } = await becomes(second, 'UNREACHABLE');
    expect(health.reason).toMatch(
      /credentials of VIM cloud-1 cannot be opened: .*secrets\.key.* give the credentials anew/,
    );
    await becomes(second, 'REACHABLE', 'cloud-2');
    const path = `${VIMS}/${HOST}`;
    expect(
      await second.admin.patch(path, { interfaceInfo: { endpoint: 'https://other.test' } }),
    ).toMatchObject({
      status: 422,
      body: { pointer: '/accessInfo' },
    });
    expect(await second.admin.patch(path, { accessInfo: { bearerToken: `${TOKEN}-2` } })).toMatchObject({
      status: 200,
    });
    await becomes(second, 'REACHABLE');
  });

  it('over a restored store, gives no orders until an operator confirms, and then newer ones than the VIM has seen', async () => {
    const bench = await start();
    await register(bench);
    await assign(bench.store, HOST, keyOf(1));
    await runs(bench, keyOf(1));
    const { revision, document } = bench.store.get('host', HOST) ?? never();
    bench.store.commit([
      {
        op: 'update',
        kind: 'host',
        id: HOST,
        expectedRevision: revision,
        document: { ...document, stateIds: { pinned: 'of-the-store-that-was-lost' } },
      },
    ]);
    await end(bench);
    bench.world.host(HOST).fence = { leaseNumber: 99, revision: 1e6 };
    const restored = await start({
      store: createMemoryStore({ disk: bench.store.disk }),
      world: bench.world,
    });
    await becomes(restored, 'REACHABLE');
    await unassign(restored.store, HOST, keyOf(1));
    expect(await standing(restored)).toEqual(['state-id-changed']);
    expect(await vimOf(restored)).toMatchObject({ stateConfirmed: false });
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(onPlatform(restored, keyOf(1))).toBeDefined();
    await restored.admin.patch(`/iotmano/v1/hosts/${HOST}`, { stateConfirmed: true });
    await eventually('it obeys', () => onPlatform(restored, keyOf(1)) === undefined);
    expect(await standing(restored)).toEqual([]);
  });
});

describe('a VIM that is to be reached at another place', () => {
  const MOVED = { interfaceInfo: { endpoint: 'unix:///run/other.sock' } };

  it('gets no orders until an operator confirms that it is the same platform, where functions are there', async () => {
    const bench = await start();
    await register(bench);
    await assign(bench.store, HOST, keyOf(1));
    await runs(bench, keyOf(1));
    expect(await bench.admin.patch(`${VIMS}/${HOST}`, MOVED)).toMatchObject({
      status: 200,
      body: { stateConfirmed: false },
    });
    await eventually('it was opened anew', () => bench.openings.length === 2);
    await becomes(bench, 'REACHABLE');
    await unassign(bench.store, HOST, keyOf(1));
    expect(await standing(bench)).toEqual(['state-id-changed']);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(onPlatform(bench, keyOf(1))).toBeDefined();
    await bench.admin.patch(`/iotmano/v1/hosts/${HOST}`, { stateConfirmed: true });
    await eventually('it obeys', () => onPlatform(bench, keyOf(1)) === undefined);
    expect(await standing(bench)).toEqual([]);
  });

  it('needs nobody’s word where nothing is there', async () => {
    const bench = await start();
    await register(bench);
    expect(await bench.admin.patch(`${VIMS}/${HOST}`, MOVED)).toMatchObject({
      status: 200,
      body: { stateConfirmed: true },
    });
    await becomes(bench, 'REACHABLE');
    await assign(bench.store, HOST, keyOf(1));
    await runs(bench, keyOf(1));
  });

  it('keeps its prefix of namespaces for as long as something is there, also where that is only being removed', async () => {
    const bench = await start();
    const interfaceInfo = { endpoint: 'https://cluster.test:6443' };
    const cluster = { vimId: HOST, vimType: 'kubernetes', interfaceInfo, accessInfo: { bearerToken: TOKEN } };
    expect(await bench.admin.post(VIMS, cluster)).toMatchObject({ status: 201 });
    await becomes(bench, 'REACHABLE');
    await assign(bench.store, HOST, keyOf(1));
    await runs(bench, keyOf(1));
    await eventually('it is reported', () => observed(bench, keyOf(1)) !== undefined);
    bench.failuresOf(HOST).isUnreachable = true;
    await unassign(bench.store, HOST, keyOf(1));
    const prefixed = { extra: { namespacePrefix: 'other' } };
    expect(await bench.admin.patch(`${VIMS}/${HOST}`, prefixed)).toMatchObject({ status: 409 });
  });
});

describe('the output of what runs on a VIM', () => {
  const pathOf = (key: WorkloadKey, hostId: string = HOST): string =>
    `/iotmano/v1/vnfc_instances/${vnfcInstanceId(hostId as HostId, key, 0)}/logs`;

  it('is read through the orchestrator by the tenant that it belongs to, and by no other', async () => {
    const bench = await start();
    await register(bench);
    await assign(bench.store, HOST, keyOf(1));
    await runs(bench, keyOf(1));
    const answer = await bench.admin.get<string>(pathOf(keyOf(1)), { query: { tail: '1' } });
    expect(answer).toMatchObject({ status: 200, body: expect.stringMatching(/^started as \d+\n$/) });
    expect(answer.headers['content-type']).toBe('text/plain; charset=utf-8');
    const framed = await readStream(bench.url + pathOf(keyOf(1)), bench.tokenFor('viewer'));
    await framed.done;
    expect(framed).toMatchObject({
      stdout: expect.stringMatching(/^started as/),
      end: { reason: 'COMPLETE' },
    });
    expect((await bench.clientFor('viewer', 'acme').get(pathOf(keyOf(1)))).status).toBe(404);
    expect((await bench.admin.get(pathOf(keyOf(2)))).status).toBe(404);
  });

  it('cannot be had while the VIM is away, and says so', async () => {
    const bench = await start();
    await register(bench);
    await assign(bench.store, HOST, keyOf(1));
    await runs(bench, keyOf(1));
    bench.failuresOf(HOST).isUnreachable = true;
    const { status, body } = await bench.admin.get<{ detail: string }>(pathOf(keyOf(1)));
    expect(status).toBe(503);
    expect(body.detail.length).toBeGreaterThan(10);
  });
});

describe('a command beside what runs on a VIM', () => {
  const begin = (
    bench: SitesBench,
    command: readonly string[],
    more: object = {},
    token = bench.tokenFor('operator'),
  ) => {
    const id = vnfcInstanceId(HOST, keyOf(1), 0);
    const body = { command, ...more };
    return readStream(`${bench.url}/iotmano/v1/vnfc_instances/${id}/exec`, token, { body });
  };
  const ready = async (): Promise<SitesBench> => {
    const bench = await start();
    await register(bench);
    await assign(bench.store, HOST, keyOf(1));
    await runs(bench, keyOf(1));
    return bench;
  };

  it('is run by the driver where that is switched on, and is in the audit log', async () => {
    const bench = await ready();
    expect(await begin(bench, ['true'])).toMatchObject({ status: 409 });
    await bench.admin.patch('/iotmano/v1/diagnostics', { exec: true });
    const reader = await begin(bench, ['fail', 'no', 'way']);
    await reader.done;
    expect(reader).toMatchObject({ stderr: 'no way\n', end: { reason: 'EXITED', exitCode: 1 } });
    const { body } = await bench.admin.get<object[]>('/iotmano/v1/audit_entries');
    expect(body.at(-1)).toMatchObject({
      hostId: HOST,
      command: ['fail', 'no', 'way'],
      end: { reason: 'EXITED', exitCode: 1, outputBytes: 7 },
    });
  });

  it('reads its input, and ends with its bounds, with its reader, or with the switch', async () => {
    const bench = await ready();
    await bench.admin.patch('/iotmano/v1/diagnostics', { exec: true });
    const token = bench.tokenFor('operator');
    const cat = await begin(bench, ['cat'], { hasInput: true }, token);
    await eventually('it has begun', () => cat.streamId !== '');
    await fetch(`${bench.url}/iotmano/v1/diagnostic_streams/${cat.streamId}/input?offset=0&end=true`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/octet-stream' },
      body: 'hello',
    });
    await cat.done;
    expect(cat).toMatchObject({ stdout: 'hello', end: { reason: 'EXITED', exitCode: 0 } });
    const [bytes, seconds, other] = await Promise.all([
      begin(bench, ['yes'], { maxBytes: 10_000 }),
      begin(bench, ['wait'], { maxSeconds: 0.1 }),
      begin(bench, ['wait']),
    ]);
    await Promise.all([bytes.done, seconds.done]);
    expect([bytes.end, seconds.end]).toEqual([{ reason: 'BYTES' }, { reason: 'SECONDS' }]);
    await bench.admin.patch('/iotmano/v1/diagnostics', { exec: false });
    await other.done;
    expect(other.end).toEqual({ reason: 'SWITCHED_OFF' });
  });
});

describe('a VIM that is to be forgotten', () => {
  it('obeys when it is registered again, whatever it was told before', async () => {
    const bench = await start();
    await register(bench);
    await bench.admin.delete(`${VIMS}/${HOST}`);
    // As by a store that was restored since.
    bench.world.host(HOST).fence = { leaseNumber: Math.floor(Date.now() / 1000) - 60, revision: 1e6 };
    await register(bench);
    await assign(bench.store, HOST, keyOf(1));
    await runs(bench, keyOf(1));
  });

  it('is asked then whether it can be reached, and kept while something of ours is there', async () => {
    const bench = await start();
    await register(bench);
    await assign(bench.store, HOST, keyOf(1));
    await runs(bench, keyOf(1));
    await end(bench);
    // It is not known to the process yet whether the VIM can be reached.
    const next = await start({ store: createMemoryStore({ disk: bench.store.disk }), world: bench.world });
    const { revision, document } = next.store.get('host', HOST) ?? never();
    const pinned = { ...document, stateIds: { pinned: 'another' } };
    next.store.commit([
      { op: 'update', kind: 'host', id: HOST, expectedRevision: revision, document: pinned },
    ]);
    await unassign(next.store, HOST, keyOf(1));
    expect(await next.admin.delete(`${VIMS}/${HOST}`)).toMatchObject({ status: 409 });
    next.failuresOf(HOST).isUnreachable = true;
    expect(await next.admin.delete(`${VIMS}/${HOST}`)).toMatchObject({ status: 204 });
  });
});

function never(): never {
  throw new RangeError('there is no such host');
}

describe('a schedule on a VIM', () => {
  it('is started by this process, each time once, also by the one that comes after it, and forgotten with the VIM', async () => {
    const first = await start();
    await register(first);
    const key = keyOf(1);
    const { document } = assignmentOf(HOST, key) as { readonly document: AssignmentDocument };
    const workload = { ...document.workload, spec: { ...document.workload.spec, run: EVERY_SECOND } };
    const id = `${HOST}.${workloadId(key)}`;
    await first.store.commit([
      { op: 'put', kind: 'assignment', id, tenant: key.tenant, document: { ...document, workload } },
    ]).durable;
    const scheduleOf = (bench: SitesBench) => observed(bench, key)?.schedule;
    const completed = (bench: SitesBench) =>
      scheduleOf(bench)?.runs.filter(({ state }) => state === 'COMPLETED') ?? [];
    await eventually('two runs have completed', () => completed(first).length >= 2);
    await end(first);
    const second = await start({ store: first.store, world: first.world });
    await becomes(second, 'REACHABLE');
    const before = completed(second).length;
    await eventually('it goes on', () => completed(second).length >= before + 2);
    const times = scheduleOf(second)?.runs.map(({ scheduledAt }) => scheduledAt) ?? [];
    expect(new Set(times).size).toBe(times.length);
    await unassign(second.store, HOST, key);
    await eventually('it is gone', () => observed(second, key) === undefined);
    expect((await second.admin.delete(`${VIMS}/${HOST}`)).status).toBe(204);
    expect([...second.store.list('schedule')]).toEqual([]);
  }, 60_000);
});
