import { describe, expect, it } from 'vitest';
import { DEFAULT_TENANT, type HostId, type VnfInstanceId } from '../../../kernel/index.ts';
import {
  buildFunction,
  buildProvider,
  buildUnit,
  requirement,
} from '../../../test/kit/descriptor-builder.ts';
import { createLifecycleBench, type LifecycleBench } from '../../../test/kit/lifecycle-bench.ts';
import { onboardFunction } from '../../../test/kit/simulated-host.ts';
import type { HostDocument } from '../../domain/index.ts';
import { startOperation } from '../operation-records.ts';
import { occupancyOf } from '../../inventory/index.ts';

const FAST = { retireMilliseconds: 0 };
const TWO = { flavours: [{ name: 'default', levels: [{ name: 'small', instances: { main: 2 } }] }] };

async function run(
  bench: LifecycleBench,
  descriptor: ReturnType<typeof buildFunction>,
  additionalParams: object = {},
): Promise<string> {
  onboardFunction(bench.store, descriptor);
  const { id } = bench.lifecycle.vnf.create(DEFAULT_TENANT, { vnfdId: descriptor.metadata.id });
  bench.lifecycle.vnf.instantiate(DEFAULT_TENANT, id, { flavourId: 'default', additionalParams });
  await bench.converge();
  return id;
}

function setHost({ store }: LifecycleBench, hostId: string, changes: Partial<HostDocument>): void {
  const record = store.get('host', hostId);
  if (record === undefined) throw new RangeError(`no host ${hostId}`);
  const { id, tenant, document } = record;
  store.commit([{ op: 'put', kind: 'host', id, tenant, document: { ...document, ...changes } }]);
}

function hostOf(bench: LifecycleBench, id: string): string {
  return bench.hosts.find((host) => host.running().some((name) => name.startsWith(id)))?.hostId ?? 'nowhere';
}

/** A worker whose copies start on no other host than the one that it is on. */
async function runBesideFailure(bench: LifecycleBench): Promise<string> {
  const id = await run(bench, buildFunction('worker'));
  const old = hostOf(bench, id);
  for (const host of bench.hosts) if (host.hostId !== old) host.failStarts('-g1-', 'exited with code 1');
  return id;
}

function operations(bench: LifecycleBench, id: string) {
  return bench.lifecycle.opOccs
    .list(DEFAULT_TENANT)
    .filter(({ document }) => document.vnfInstanceId === id && document.operation === 'HEAL')
    .map(({ document }) => document);
}

describe('a host that is drained', () => {
  it('keeps what runs there until it is well elsewhere and its clients use that, and ends empty', async () => {
    const bench = createLifecycleBench(
      ['h1', 'h2', 'h3'].map((hostId) => ({ hostId })),
      {
        retireMilliseconds: 2_000,
      },
    );
    const broker = await run(bench, buildProvider('broker'));
    const client = await run(bench, buildFunction('client', { requires: [requirement('broker')] }), {
      bind: { broker },
      constraints: { hosts: ['h3'] },
    });
    const old = hostOf(bench, broker);
    const told = () =>
      bench.lifecycle.context.index
        .assignmentsOf(client as VnfInstanceId)[0]
        ?.document.workload.bindings.requires['broker']?.endpoints.map(({ instance }) => instance);
    const [before] = told() ?? [];
    setHost(bench, old, { draining: true });
    await bench.converge();
    const holders = () =>
      bench.hosts.filter((host) => host.running().some((name) => name.startsWith(broker)));
    expect(holders()).toHaveLength(2);
    expect(told()).toHaveLength(1);
    expect(told()).not.toContain(before);
    expect(occupancyOf(bench.store, old as HostId)).toMatchObject({ assignedInstances: 1, isEmpty: false });
    await bench.clock.advance(3_000);
    await bench.converge();
    expect(holders()).toHaveLength(1);
    expect(hostOf(bench, broker)).not.toBe(old);
    expect(occupancyOf(bench.store, old as HostId)).toMatchObject({ isEmpty: true });
    expect(operations(bench, broker)).toMatchObject([
      { state: 'COMPLETED', rollout: { from: `hosts ${old}` } },
    ]);
  });

  it('moves to the hosts that a plan has chosen in the same way', async () => {
    const bench = createLifecycleBench([{ hostId: 'h1' }, { hostId: 'h2' }, { hostId: 'h3' }], FAST);
    const id = await run(bench, buildFunction('worker'));
    const old = hostOf(bench, id);
    const target = old === 'h3' ? 'h2' : 'h3';
    const most: number[] = [];
    bench.lifecycle.vnf.heal(DEFAULT_TENANT, id, {
      additionalParams: { targetHosts: { 'main-0': target as HostId } },
    });
    for (let round = 0; round < 12; round += 1) {
      bench.lifecycle.engine.lookAtAll();
      await bench.store.whenDurable();
      for (const host of bench.hosts) host.step(bench.store);
      most.push(
        bench.hosts.flatMap((host) => host.running()).filter((text) => text.endsWith('RUNNING')).length,
      );
    }
    await bench.converge();
    expect(hostOf(bench, id)).toBe(target);
    expect([Math.min(...most), Math.max(...most)]).toEqual([1, 2]);
    expect(bench.lifecycle.vnf.get(DEFAULT_TENANT, id).document.wanted).toMatchObject([
      { hosts: [{ hostId: target, instances: [{ slot: 0 }] }] },
    ]);
  });

  it('leaves the old copy alone where the new one does not start, and heals on', async () => {
    const bench = createLifecycleBench([{ hostId: 'h1' }, { hostId: 'h2' }], FAST);
    const id = await run(bench, buildFunction('worker'));
    const old = hostOf(bench, id);
    const other = old === 'h1' ? 'h2' : 'h1';
    bench.host(other).failStarts('-g1-', 'exited with code 1');
    setHost(bench, old, { draining: true });
    await bench.converge();
    expect(bench.host(old).running()).toEqual([`${id}-main-g1-0@1 RUNNING`]);
    expect(operations(bench, id)[0]).toMatchObject({ state: 'FAILED' });
    bench.host(other).healStarts();
    for (let round = 0; round < 6; round += 1) {
      await bench.clock.advance(30_000);
      await bench.converge();
    }
    expect(hostOf(bench, id)).toBe(other);
    expect(bench.hosts.flatMap((host) => host.running())).toHaveLength(1);
  });

  it('is no reason to keep an operator waiting between two attempts', async () => {
    const bench = createLifecycleBench([{ hostId: 'h1' }, { hostId: 'h2' }], FAST);
    const id = await runBesideFailure(bench);
    setHost(bench, hostOf(bench, id), { draining: true });
    for (let round = 0; round < 4; round += 1) {
      await bench.converge();
      expect(bench.lifecycle.vnf.get(DEFAULT_TENANT, id).document).not.toHaveProperty('activeOpOcc');
      await bench.clock.advance(4_000);
    }
    expect(operations(bench, id).length).toBeGreaterThan(1);
    expect(operations(bench, id).every(({ state }) => state === 'FAILED')).toBe(true);
    const op = bench.lifecycle.vnf.terminate(DEFAULT_TENANT, id, { terminationType: 'GRACEFUL' });
    await bench.converge();
    expect(bench.lifecycle.opOccs.get(DEFAULT_TENANT, op).document.state).toBe('COMPLETED');
  });

  it('lets what is well go on undisturbed when the drain is taken back before the next attempt', async () => {
    const bench = createLifecycleBench([{ hostId: 'h1' }, { hostId: 'h2' }], FAST);
    const id = await runBesideFailure(bench);
    const old = hostOf(bench, id);
    setHost(bench, old, { draining: true });
    await bench.converge();
    await bench.clock.advance(1_000);
    await bench.converge();
    setHost(bench, old, { draining: false });
    await bench.converge();
    await bench.clock.advance(60_000);
    await bench.converge();
    expect(bench.host(old).running()).toEqual([`${id}-main-g1-0@1 RUNNING`]);
    expect(operations(bench, id)).toHaveLength(1);
  });

  it('restarts nothing where a heal by itself has not begun when the drain is taken back', async () => {
    const bench = createLifecycleBench([{ hostId: 'h1' }, { hostId: 'h2' }], FAST);
    const id = await run(bench, buildFunction('worker', TWO));
    const { context } = bench.lifecycle;
    const record = bench.lifecycle.vnf.get(DEFAULT_TENANT, id);
    const { writes } = startOperation(context, id as VnfInstanceId, DEFAULT_TENANT, record, {
      operation: 'HEAL',
      operationParams: { additionalParams: { vnfcInstanceIds: ['main-0', 'main-1'], elsewhere: true } },
      isAutomaticInvocation: true,
    });
    context.commit(writes);
    await bench.converge();
    expect(operations(bench, id)).toMatchObject([{ state: 'COMPLETED' }]);
    expect(bench.hosts.flatMap((host) => host.running()).every((text) => text.includes('@1 '))).toBe(true);
  });

  it('is not asked to move again by a plan before it is time, unless an operator names the function', async () => {
    const bench = createLifecycleBench([{ hostId: 'h1' }, { hostId: 'h2' }], FAST);
    const id = await runBesideFailure(bench);
    const old = hostOf(bench, id);
    const caller = { name: 'op', role: 'operator', tenant: DEFAULT_TENANT } as const;
    const drain = { kind: 'drain', hostIds: [old] } as const;
    const { relocation } = bench.lifecycle;
    expect(relocation.carryOut(caller, drain).operations).toHaveLength(1);
    await bench.converge();
    expect(operations(bench, id)).toMatchObject([{ state: 'FAILED' }]);
    const again = relocation.carryOut(caller, drain);
    expect(again.operations).toEqual([]);
    expect(again.plan.stuck).toMatchObject([
      { functionId: id, reason: expect.stringMatching(/^it waits .*until 2030-/) },
    ]);
    bench.host(old === 'h1' ? 'h2' : 'h1').healStarts();
    const move = { kind: 'move', vnfInstanceId: id } as const;
    expect(relocation.carryOut(caller, move).operations).toHaveLength(1);
    await bench.converge();
    expect(hostOf(bench, id)).not.toBe(old);
  });

  it('serves on where it was when an operator gives up a move that does not succeed', async () => {
    const bench = createLifecycleBench([{ hostId: 'h1' }, { hostId: 'h2' }], FAST);
    const id = await run(bench, buildFunction('worker'));
    const old = hostOf(bench, id);
    const other = (old === 'h1' ? 'h2' : 'h1') as HostId;
    bench.host(other).failStarts('-g1-', 'exited with code 1');
    const op = bench.lifecycle.vnf.heal(DEFAULT_TENANT, id, {
      additionalParams: { targetHosts: { 'main-0': other } },
    });
    await bench.converge();
    expect(bench.lifecycle.opOccs.get(DEFAULT_TENANT, op).document.state).toBe('FAILED_TEMP');
    bench.lifecycle.opOccs.fail(DEFAULT_TENANT, op);
    await bench.converge();
    expect(bench.host(old).running()).toEqual([`${id}-main-g1-0@1 RUNNING`]);
    expect(bench.host(other).running()).toEqual([]);
  });

  it('ends a single writer before it starts elsewhere, as ever', async () => {
    const bench = createLifecycleBench([{ hostId: 'h1' }, { hostId: 'h2' }], FAST);
    const id = await run(
      bench,
      buildFunction('writer', {
        state: { writers: 'single', migratesFrom: [] },
        offline: {
          onDisconnect: 'stop-after',
          stopAfterSeconds: 8,
          relocate: 'allowed',
          coldBoot: true,
          prefetch: [],
        },
      }),
    );
    const old = hostOf(bench, id);
    setHost(bench, old, { draining: true });
    for (let round = 0; round < 12; round += 1) {
      bench.lifecycle.engine.lookAtAll();
      await bench.store.whenDurable();
      for (const host of bench.hosts) host.step(bench.store);
      expect(bench.hosts.flatMap((host) => host.running()).length).toBeLessThanOrEqual(1);
    }
    await bench.converge();
    expect(hostOf(bench, id)).not.toBe(old);
  });
});

describe('a host that is cordoned', () => {
  it('keeps what is there, also what covers it, and gets nothing new', async () => {
    const bench = createLifecycleBench([{ hostId: 'h1' }, { hostId: 'h2' }], FAST);
    const gateway = await run(bench, buildFunction('gateway'), { coverage: 'tier = cloud' });
    const big = buildFunction('big', {
      units: [buildUnit({ resources: { cpuMillis: 100, memoryBytes: 2 ** 30 } })],
    });
    setHost(bench, 'h1', { cordoned: true });
    await bench.converge();
    expect(bench.host('h1').running()).toEqual([`${gateway}-main-g1-0@1 RUNNING`]);
    expect(hostOf(bench, await run(bench, big))).toBe('h2');
    setHost(bench, 'h1', { cordoned: false });
    expect(hostOf(bench, await run(bench, buildFunction('third')))).toBe('h1');
  });
});
