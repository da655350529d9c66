import { describe, expect, it } from 'vitest';
import { DEFAULT_TENANT, type TenantId, type VnfInstanceId } from '../../kernel/index.ts';
import type { IoTFunctionDescriptor } from '../../descriptors/index.ts';
import {
  buildConstituent,
  buildFunction,
  buildService,
  buildUnit,
} from '../../test/kit/descriptor-builder.ts';
import { createLifecycleBench, type LifecycleBench } from '../../test/kit/lifecycle-bench.ts';
import { onboardFunction, onboardService } from '../../test/kit/simulated-host.ts';
import type { Caller } from '../domain/index.ts';
import type { RelocationRequest } from './parse-relocation.ts';

const GIB = 2 ** 30;
const OFFLINE = { onDisconnect: 'keep', relocate: 'allowed', coldBoot: true, prefetch: [] } as const;
const ROOM_FOR_ONE = { memory: { totalBytes: GIB, allocatableBytes: GIB } };
const LARGE = [buildUnit({ resources: { cpuMillis: 100, memoryBytes: GIB } })];

const operator = (tenant: string = DEFAULT_TENANT): Caller => ({
  name: 'op',
  role: 'operator',
  tenant: tenant as TenantId,
});

const prefers = (...hosts: readonly string[]): IoTFunctionDescriptor['placement'] => ({
  tiers: [],
  architectures: [],
  jurisdictions: [],
  require: [],
  prefer: hosts.map((host, at) => ({ expression: `host = ${host}`, weight: 10 - at })),
});

async function run(bench: LifecycleBench, descriptor: IoTFunctionDescriptor): Promise<VnfInstanceId> {
  onboardFunction(bench.store, descriptor);
  const { productName, id: vnfdId } = descriptor.metadata;
  const { id } = bench.lifecycle.vnf.create(DEFAULT_TENANT, { vnfdId, vnfInstanceName: productName });
  bench.lifecycle.vnf.instantiate(DEFAULT_TENANT, id, { flavourId: 'default' });
  await bench.converge();
  return id as VnfInstanceId;
}

const plan = (bench: LifecycleBench, request: RelocationRequest) =>
  bench.lifecycle.relocation.plan(operator(), request);

async function carryOut(bench: LifecycleBench, request: RelocationRequest) {
  const started = bench.lifecycle.relocation.carryOut(operator(), request);
  await bench.converge();
  return started;
}

const operationsOf = (bench: LifecycleBench) =>
  bench.lifecycle.opOccs
    .list(DEFAULT_TENANT)
    .map(({ document }) => document)
    .filter(({ operation }) => operation === 'HEAL');

describe('a plan that drains a host', () => {
  it('is shown without changing anything, and carried out by HEAL operations whose cause names it', async () => {
    const bench = createLifecycleBench([{ hostId: 'h1' }, { hostId: 'h2' }, { hostId: 'h3' }]);
    const id = await run(bench, buildFunction('worker', { placement: prefers('h1', 'h3') }));
    const request = { kind: 'drain', hostIds: ['h1'] } as const;
    const shown = plan(bench, request);
    expect(shown.plan.moves).toMatchObject([
      { functionId: id, from: 'h1', to: 'h3', instances: 1, gain: -1 },
    ]);
    expect(operationsOf(bench)).toEqual([]);
    const started = await carryOut(bench, request);
    expect(started.operations).toMatchObject([{ vnfInstanceId: id, instances: 1 }]);
    expect(bench.host('h1').running()).toEqual([]);
    expect(bench.host('h3').running()).toEqual([`${id}-main-g1-0@2 RUNNING`]);
    expect(operationsOf(bench)).toMatchObject([
      {
        state: 'COMPLETED',
        operationParams: { cause: `placement plan ${started.placementPlanId} (drain)` },
      },
    ]);
    expect((await carryOut(bench, request)).operations).toEqual([]);
  });

  it('says why something stays: a kept volume, a descriptor that forbids it, coverage', async () => {
    const bench = createLifecycleBench([{ hostId: 'h1' }]);
    const volumes = [{ name: 'data', sizeBytes: 1, mount: '/data', keep: true, access: 'single' as const }];
    await run(bench, buildFunction('keeper', { units: [buildUnit({ volumes })] }));
    await run(bench, buildFunction('settled', { offline: { ...OFFLINE, relocate: 'forbidden' } }));
    onboardFunction(bench.store, buildFunction('probe'));
    const { id } = bench.lifecycle.vnf.create(DEFAULT_TENANT, {
      vnfdId: 'vnfd-probe',
      vnfInstanceName: 'probe',
    });
    bench.lifecycle.vnf.instantiate(DEFAULT_TENANT, id, {
      flavourId: 'default',
      additionalParams: { coverage: 'tier exists' },
    });
    await bench.converge();
    const { stuck } = plan(bench, { kind: 'drain', hostIds: ['h1'] }).plan;
    expect(stuck.some(({ isPassing }) => isPassing)).toBe(false);
    expect(Object.fromEntries(stuck.map(({ name, reason }) => [name, reason]))).toEqual({
      keeper: 'it keeps a volume on its host',
      settled: 'its descriptor forbids it (offline.relocate)',
      probe: 'it runs once on each host that it covers',
    });
  });

  it('says what will pass by itself: a function that is busy', async () => {
    const bench = createLifecycleBench([{ hostId: 'h1' }, { hostId: 'h2' }]);
    const free = await run(bench, buildFunction('free', { placement: prefers('h1') }));
    bench.lifecycle.vnf.heal(DEFAULT_TENANT, free, { cause: 'by hand' });
    const { stuck } = plan(bench, { kind: 'drain', hostIds: ['h1'] }).plan;
    expect(stuck).toMatchObject([
      { name: 'free', reason: expect.stringMatching(/^it is busy with operation/), isPassing: true },
    ]);
  });

  it('moves what belongs together as one, to where there is room for all of it', async () => {
    const bench = createLifecycleBench([
      { hostId: 'h1' },
      { hostId: 'h2', facts: ROOM_FOR_ONE },
      { hostId: 'h3' },
    ]);
    const changes = { units: LARGE, placement: prefers('h1', 'h2') };
    for (const name of ['front', 'store']) onboardFunction(bench.store, buildFunction(name, changes));
    onboardService(
      bench.store,
      buildService('pair', [buildConstituent('front'), buildConstituent('store')], {
        placement: [{ type: 'together', functions: ['front', 'store'], scope: 'host' }],
      }),
    );
    const { id } = bench.services.ns.create(DEFAULT_TENANT, {
      nsdId: 'nsd-pair',
      nsName: 'pair',
      nsDescription: '',
    });
    bench.services.ns.instantiate(DEFAULT_TENANT, id, { nsFlavourId: 'default' });
    await bench.converge();
    const { plan: made } = plan(bench, { kind: 'drain', hostIds: ['h1'] });
    expect(made.moves.map(({ step, to }) => `${step} ${to}`)).toEqual(['1 h3', '1 h3']);
    const { operations } = await carryOut(bench, { kind: 'drain', hostIds: ['h1'] });
    expect(operations).toHaveLength(2);
    expect([bench.host('h1').running(), bench.host('h2').running()]).toEqual([[], []]);
    expect(bench.host('h3').running()).toHaveLength(2);
    expect(operationsOf(bench).map(({ state }) => state)).toEqual(['COMPLETED', 'COMPLETED']);
  });

  it('has a single writer end where it was before it starts where the plan sends it', async () => {
    const bench = createLifecycleBench([{ hostId: 'h1' }, { hostId: 'h2' }, { hostId: 'h3' }]);
    const id = await run(
      bench,
      buildFunction('writer', {
        state: { writers: 'single', migratesFrom: [] },
        placement: prefers('h1', 'h3'),
      }),
    );
    bench.host('h1').isSilent = true;
    await carryOut(bench, { kind: 'drain', hostIds: ['h1'] });
    expect(bench.host('h3').running()).toEqual([]);
    bench.host('h1').isSilent = false;
    await bench.converge();
    expect(bench.host('h1').running()).toEqual([]);
    expect(bench.host('h3').running()).toEqual([`${id}-main-g1-0@2 RUNNING`]);
  });
});

describe('a plan that moves a function', () => {
  it('spares what the budget does not allow, and goes on when it is made again', async () => {
    const bench = createLifecycleBench([{ hostId: 'h1' }, { hostId: 'h2' }]);
    const three = [{ name: 'default', levels: [{ name: 'three', instances: { main: 3 } }] }];
    const id = await run(bench, buildFunction('worker', { flavours: three, placement: prefers('h1') }));
    const request = {
      kind: 'move',
      vnfInstanceId: id,
      toHostIds: ['h2'],
      budget: { maxAway: 2 },
    } as const;
    const first = await carryOut(bench, request);
    expect(first.plan.spared).toMatchObject([{ hostId: 'h1', instances: 1, limit: 'maxAway' }]);
    expect([bench.host('h1').running().length, bench.host('h2').running().length]).toEqual([1, 2]);
    await carryOut(bench, request);
    expect([bench.host('h1').running().length, bench.host('h2').running().length]).toEqual([0, 3]);
  });

  it('is refused for what is not there, not the caller’s, or says nothing to its kind', async () => {
    const bench = createLifecycleBench([{ hostId: 'h1' }]);
    const id = await run(bench, buildFunction('worker'));
    const refusal = (request: RelocationRequest, tenant?: string): string => {
      try {
        bench.lifecycle.relocation.plan(operator(tenant), request);
      } catch (error) {
        return String(error);
      }
      return 'not refused';
    };
    const move = { kind: 'move', vnfInstanceId: id } as const;
    expect(refusal(move, 'acme')).toContain('there is no VNF instance');
    expect(refusal({ ...move, toHostIds: ['h9'] })).toContain('toHostIds: there is no host h9');
    expect(refusal({ ...move, vduIds: ['side'] })).toContain('has no VDU side; it has: main');
    expect(refusal({ kind: 'move' })).toContain('needs one of: vnfInstanceId');
    expect(refusal({ kind: 'rebalance', hostIds: ['h1'] })).toContain(
      'hostIds says nothing to a plan of kind',
    );
    expect(refusal({ kind: 'drain', hostIds: ['h1'] }, 'acme')).toContain('tenant acme may move its own');
    expect(refusal({ kind: 'evacuate', expression: 'zone = = x' })).toContain('expression:');
  });
});

describe('a plan that rebalances', () => {
  it('postpones what needs the room that others leave, and moves it when it is made again', async () => {
    const bench = createLifecycleBench([
      { hostId: 'h1', facts: ROOM_FOR_ONE },
      { hostId: 'h2', facts: ROOM_FOR_ONE, host: { draining: true } },
      { hostId: 'h3', facts: ROOM_FOR_ONE },
    ]);
    const second = await run(
      bench,
      buildFunction('second', { units: LARGE, placement: prefers('h2', 'h1') }),
    );
    const first = await run(bench, buildFunction('first', { units: LARGE, placement: prefers('h1') }));
    const host = bench.store.get('host', 'h2');
    if (host === undefined) throw new RangeError('h2 is not enrolled');
    const document = { ...host.document, draining: false };
    bench.store.commit([{ op: 'put', kind: 'host', id: 'h2', tenant: host.tenant, document }]);
    const started = await carryOut(bench, { kind: 'rebalance' });
    expect(started.plan.moves.map(({ functionId, to }) => [functionId, to])).toEqual([
      [second, 'h2'],
      [first, 'h1'],
    ]);
    expect(started.postponedSteps).toEqual([2]);
    expect(bench.host('h2').running()).toEqual([`${second}-main-g1-0@2 RUNNING`]);
    expect((await carryOut(bench, { kind: 'rebalance' })).operations).toHaveLength(1);
    expect(bench.host('h1').running()).toEqual([`${first}-main-g1-0@2 RUNNING`]);
    expect((await carryOut(bench, { kind: 'rebalance' })).plan.moves).toEqual([]);
  });
});

describe('a heal that names hosts', () => {
  it('moves a copy that is well to the host named, and leaves the others', async () => {
    const bench = createLifecycleBench([{ hostId: 'h1' }, { hostId: 'h2' }, { hostId: 'h3' }]);
    const two = [{ name: 'default', levels: [{ name: 'two', instances: { main: 2 } }] }];
    const id = await run(bench, buildFunction('worker', { flavours: two, placement: prefers('h1') }));
    const additionalParams = { targetHosts: { 'main-1': 'h3' as never } };
    bench.lifecycle.vnf.heal(DEFAULT_TENANT, id, { additionalParams });
    await bench.converge();
    expect(bench.host('h1').running()).toEqual([`${id}-main-g1-0@1 RUNNING`]);
    expect(bench.host('h3').running()).toEqual([`${id}-main-g1-1@2 RUNNING`]);
  });

  it('is rolled back with the reasons where there is no room, and leaves the copy where it is', async () => {
    const bench = createLifecycleBench([{ hostId: 'h1' }, { hostId: 'h2', facts: ROOM_FOR_ONE }]);
    await run(bench, buildFunction('guest', { units: LARGE, placement: prefers('h2') }));
    const id = await run(bench, buildFunction('worker', { units: LARGE, placement: prefers('h1') }));
    const additionalParams = { targetHosts: { 'main-0': 'h2' as never } };
    bench.lifecycle.vnf.heal(DEFAULT_TENANT, id, { additionalParams });
    await bench.converge();
    expect(bench.host('h1').running()).toEqual([`${id}-main-g1-0@1 RUNNING`]);
    expect(operationsOf(bench)).toMatchObject([
      { state: 'ROLLED_BACK', error: { detail: expect.stringContaining('lack memory') } },
    ]);
  });

  it('is refused for a copy that keeps a volume, or a host that there is not', async () => {
    const bench = createLifecycleBench([{ hostId: 'h1' }, { hostId: 'h2' }]);
    const id = await run(bench, buildFunction('settled', { offline: { ...OFFLINE, relocate: 'forbidden' } }));
    const heal = (host: string) => () =>
      bench.lifecycle.vnf.heal(DEFAULT_TENANT, id, {
        additionalParams: { targetHosts: { 'main-0': host as never } },
      });
    expect(heal('h2')).toThrow('settled/main-0 stays where it is: its descriptor forbids it');
    expect(heal('h9')).toThrow('targetHosts: there is no host h9');
  });
});
