import { describe, expect, it } from 'vitest';
import { DEFAULT_TENANT } from '../../kernel/index.ts';
import { buildFunction, buildProvider, buildUnit, requirement } from '../../test/kit/descriptor-builder.ts';
import { createLifecycleBench, type LifecycleBench } from '../../test/kit/lifecycle-bench.ts';
import { onboardFunction } from '../../test/kit/simulated-host.ts';

const INSTANTIATE = { flavourId: 'default' };
const TERMINATE = { terminationType: 'GRACEFUL' };

function create(bench: LifecycleBench, name: string): string {
  return bench.lifecycle.vnf.create(DEFAULT_TENANT, { vnfdId: `vnfd-${name}`, vnfInstanceName: name }).id;
}

async function run(bench: LifecycleBench, name: string, bind: Record<string, string> = {}): Promise<string> {
  const id = create(bench, name);
  bench.lifecycle.vnf.instantiate(DEFAULT_TENANT, id, { ...INSTANTIATE, additionalParams: { bind } });
  await bench.converge();
  return id;
}

function operationOf(bench: LifecycleBench, id: string) {
  return bench.lifecycle.opOccs.get(DEFAULT_TENANT, id).document;
}

describe('instantiate and terminate', () => {
  it('runs a function on a host and takes it away again', async () => {
    const bench = createLifecycleBench([{ hostId: 'h1' }]);
    onboardFunction(bench.store, buildFunction('storage'));
    const id = create(bench, 'storage');
    const started = bench.lifecycle.vnf.instantiate(DEFAULT_TENANT, id, INSTANTIATE);
    expect(operationOf(bench, started).state).toBe('STARTING');
    await bench.converge();
    expect(operationOf(bench, started).state).toBe('COMPLETED');
    expect(bench.lifecycle.vnf.get(DEFAULT_TENANT, id).document.instantiationState).toBe('INSTANTIATED');
    expect(bench.host('h1').running()).toEqual([`${id}-main-g1-0@1 RUNNING`]);

    const ended = bench.lifecycle.vnf.terminate(DEFAULT_TENANT, id, TERMINATE);
    await bench.converge();
    expect(operationOf(bench, ended).state).toBe('COMPLETED');
    expect(bench.host('h1').running()).toEqual([]);
    expect([...bench.store.list('assignment'), ...bench.store.list('observed')]).toEqual([]);
    bench.lifecycle.vnf.delete(DEFAULT_TENANT, id);
    expect(bench.lifecycle.vnf.list(DEFAULT_TENANT)).toEqual([]);
  });

  it('refuses with the reasons when nothing fits, and leaves the instance as it was', async () => {
    const bench = createLifecycleBench([{ hostId: 'h1' }]);
    const unit = buildUnit({ resources: { cpuMillis: 100, memoryBytes: 2 ** 40 } });
    onboardFunction(bench.store, buildFunction('big', { units: [unit] }));
    const id = create(bench, 'big');
    const operation = bench.lifecycle.vnf.instantiate(DEFAULT_TENANT, id, INSTANTIATE);
    await bench.converge();
    expect(operationOf(bench, operation)).toMatchObject({
      state: 'ROLLED_BACK',
      error: {
        code: 'no-host-fits',
        detail:
          'big/main: no host for 1 instance: of 1 host, 1 lack memory: need 1024 GiB, most free 2 GiB; ' +
          'fits on 1 host if resources.memory of big/main were at most 2Gi',
      },
    });
    expect(bench.lifecycle.vnf.get(DEFAULT_TENANT, id).document).toMatchObject({
      instantiationState: 'NOT_INSTANTIATED',
      wanted: [],
    });
  });

  it('refuses a second operation while one is under way', async () => {
    const bench = createLifecycleBench([{ hostId: 'h1' }]);
    onboardFunction(bench.store, buildFunction('storage'));
    const id = create(bench, 'storage');
    bench.lifecycle.vnf.instantiate(DEFAULT_TENANT, id, INSTANTIATE);
    expect(() => bench.lifecycle.vnf.instantiate(DEFAULT_TENANT, id, INSTANTIATE)).toThrow(/is busy with/);
    expect(() => bench.lifecycle.vnf.terminate(DEFAULT_TENANT, id, TERMINATE)).toThrow(/is busy with/);
    expect(() => bench.lifecycle.vnf.delete(DEFAULT_TENANT, id)).toThrow(/is busy with/);
  });

  it('shows a plan that the operation then carries out, and changes nothing by it', async () => {
    const bench = createLifecycleBench([{ hostId: 'h1' }, { hostId: 'h2' }]);
    onboardFunction(bench.store, buildFunction('storage'));
    const id = create(bench, 'storage');
    const before = bench.store.acceptedRevision;
    const report = bench.lifecycle.vnf.planInstantiation(DEFAULT_TENANT, id, INSTANTIATE);
    expect(bench.store.acceptedRevision).toBe(before);
    expect(report.instances).toMatchObject([
      { function: 'storage', unit: 'main', hostId: 'h1', slot: 0, change: 'ADDED' },
    ]);
    bench.lifecycle.vnf.instantiate(DEFAULT_TENANT, id, INSTANTIATE);
    await bench.converge();
    expect(bench.host('h1').running()).toHaveLength(1);
  });
});

describe('bindings', () => {
  it('tell a client where its provider runs, and the provider who its client is', async () => {
    const bench = createLifecycleBench([{ hostId: 'h1' }]);
    onboardFunction(bench.store, buildProvider('broker'));
    onboardFunction(bench.store, buildFunction('processing', { requires: [requirement('broker')] }));
    const broker = await run(bench, 'broker');
    const processing = await run(bench, 'processing', { broker });
    const [ofClient] = bench.lifecycle.context.index.assignmentsOf(processing as never);
    const [ofProvider] = bench.lifecycle.context.index.assignmentsOf(broker as never);
    expect(ofClient?.document.workload.bindings.requires['broker']).toMatchObject({
      endpoints: [{ host: 'h1.test', port: 20_000 }],
      credential: { seed: 'seed-1' },
    });
    expect(ofProvider?.document.workload.bindings.clients).toEqual([
      expect.objectContaining({
        publicKey: 'public-1',
        access: { for: 'broker' },
        function: 'urn:test:function:processing',
      }),
    ]);
  });
});
