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
import { createSimulatedHost, onboardFunction, onboardService } from '../../test/kit/simulated-host.ts';

/** Three of them fill a host. */
function third(name: string, priority: number, changes: Partial<IoTFunctionDescriptor> = {}) {
  const { placement } = buildFunction(name);
  return buildFunction(name, {
    units: [buildUnit({ resources: { cpuMillis: 1300, memoryBytes: 2 ** 20 } })],
    placement: { ...placement, priority },
    ...changes,
  });
}

async function run(bench: LifecycleBench, descriptor: IoTFunctionDescriptor, tenant = DEFAULT_TENANT) {
  onboardFunction(bench.store, descriptor);
  const { productName, id: vnfdId } = descriptor.metadata;
  const { id } = bench.lifecycle.vnf.create(tenant, { vnfdId, vnfInstanceName: productName });
  bench.lifecycle.vnf.instantiate(tenant, id, { flavourId: 'default' });
  await bench.converge();
  return id as VnfInstanceId;
}

const stateOf = (bench: LifecycleBench, id: VnfInstanceId) =>
  bench.lifecycle.vnf.get(DEFAULT_TENANT, id).document.instantiationState;

describe('a function of a higher priority', () => {
  it('takes the place of one of a lower priority, which goes elsewhere as soon as there is room', async () => {
    const bench = createLifecycleBench([{ hostId: 'h1' }]);
    const low = await run(bench, third('low', 0));
    for (const name of ['mid-1', 'mid-2']) await run(bench, third(name, 1));
    const high = await run(bench, third('high', 2));
    expect(bench.host('h1').running().join()).toContain(high);
    expect(bench.host('h1').running().join()).not.toContain(low);
    expect(bench.alarms).toContainEqual(
      expect.objectContaining({ vnfInstanceId: low, name: 'no-host-for-healing' }),
    );
    const late = createSimulatedHost({ hostId: 'h2', clock: bench.clock });
    late.enrol(bench.store);
    for (let round = 0; round < 5; round += 1) {
      await bench.converge();
      late.step(bench.store);
    }
    expect(late.running().join()).toContain(low);
  });

  it('lets the one that left come back where it was once there is room', async () => {
    const bench = createLifecycleBench([{ hostId: 'h1' }]);
    const low = await run(bench, third('low', 0));
    for (const name of ['mid-1', 'mid-2']) await run(bench, third(name, 1));
    const high = await run(bench, third('high', 2));
    bench.lifecycle.vnf.terminate(DEFAULT_TENANT, high, { terminationType: 'GRACEFUL' });
    await bench.converge();
    expect(bench.host('h1').running().join()).toContain(low);
  });

  it('disturbs no more than it may, none of its own rank, and nothing that cannot go elsewhere', async () => {
    const bench = createLifecycleBench([{ hostId: 'h1' }], { maxEvictions: 1 });
    const { offline } = buildFunction('x');
    await run(bench, third('stays', 0, { offline: { ...offline, relocate: 'forbidden' } }));
    await run(bench, third('equal', 2));
    await run(bench, third('low', 0));
    const wide = buildUnit({ resources: { cpuMillis: 2600, memoryBytes: 2 ** 20 } });
    expect(stateOf(bench, await run(bench, third('wide', 2, { units: [wide] })))).toBe('NOT_INSTANTIATED');
    expect(stateOf(bench, await run(bench, third('first', 2)))).toBe('INSTANTIATED');
    expect(stateOf(bench, await run(bench, third('second', 2)))).toBe('NOT_INSTANTIATED');
  });

  it('does so for a whole service in one commit', async () => {
    const bench = createLifecycleBench([{ hostId: 'h1' }]);
    for (const name of ['low-1', 'low-2', 'low-3']) await run(bench, third(name, 0));
    onboardFunction(bench.store, third('high', 5));
    onboardService(bench.store, buildService('s', [buildConstituent('high')]));
    const { id } = bench.services.ns.create(DEFAULT_TENANT, {
      nsdId: 'nsd-s',
      nsName: 's',
      nsDescription: '',
    });
    const before = bench.host('h1').running();
    const plan = bench.services.ns.planInstantiation(DEFAULT_TENANT, id, { nsFlavourId: 'default' });
    expect(plan.fits).toBe(true);
    expect(bench.host('h1').running()).toEqual(before);
    bench.services.ns.instantiate(DEFAULT_TENANT, id, { nsFlavourId: 'default' });
    await bench.converge();
    expect(bench.services.ns.get(DEFAULT_TENANT, id).document.state).toBe('INSTANTIATED');
    expect(bench.host('h1').running()).toHaveLength(3);
  });

  it('never takes the place of what belongs to another tenant', async () => {
    const bench = createLifecycleBench([{ hostId: 'h1' }]);
    for (const name of ['low-1', 'low-2', 'low-3']) await run(bench, third(name, 0));
    const other = 'other' as TenantId;
    const descriptor = third('high', 5);
    onboardFunction(bench.store, descriptor);
    const [record] = [...bench.store.list('vnf-package')].filter(({ id }) => id === 'pkg-high');
    if (record !== undefined)
      bench.store.commit([
        { op: 'put', kind: 'vnf-package', id: 'pkg-foreign', tenant: other, document: record.document },
      ]);
    const { id } = bench.lifecycle.vnf.create(other, { vnfdId: 'vnfd-high' });
    expect(bench.lifecycle.vnf.planInstantiation(other, id, { flavourId: 'default' }).fits).toBe(false);
  });

  it('does not move what a look at the inventory has booked for a moment only', async () => {
    const bench = createLifecycleBench([{ hostId: 'h1' }]);
    const { offline } = buildFunction('x');
    const stays = await run(bench, third('stays', 0, { offline: { ...offline, relocate: 'forbidden' } }));
    for (const name of ['mid-1', 'mid-2']) await run(bench, third(name, 7));
    const host = bench.store.get('host', 'h1');
    if (host !== undefined) bench.lifecycle.explainHost(DEFAULT_TENANT, host);
    bench.lifecycle.vnf.planHeal(DEFAULT_TENANT, stays, {});
    expect(stateOf(bench, await run(bench, third('high', 5)))).toBe('NOT_INSTANTIATED');
    expect(bench.host('h1').running().join()).toContain(stays);
  });

  it('leaves alone what is busy with an operation', async () => {
    const bench = createLifecycleBench([{ hostId: 'h1' }]);
    const busy = await run(bench, third('busy', 0));
    for (const name of ['mid-1', 'mid-2']) await run(bench, third(name, 7));
    bench.host('h1').isSilent = true;
    bench.lifecycle.vnf.heal(DEFAULT_TENANT, busy, {});
    bench.lifecycle.engine.lookAtAll();
    expect(stateOf(bench, await run(bench, third('high', 5)))).toBe('NOT_INSTANTIATED');
  });
});

describe('a copy that has made room and is not gone yet', () => {
  it('comes back, also where the function is healed meanwhile', async () => {
    const bench = createLifecycleBench([{ hostId: 'h1' }, { hostId: 'h2' }]);
    const flavours = [{ name: 'default', levels: [{ name: 'small', instances: { main: 2 } }] }];
    const low = await run(bench, third('low', 0, { flavours }));
    for (const name of ['m1', 'm2', 'm3', 'm4']) await run(bench, third(name, 1));
    onboardFunction(bench.store, third('high', 2));
    const { id } = bench.lifecycle.vnf.create(DEFAULT_TENANT, { vnfdId: 'vnfd-high' });
    bench.lifecycle.vnf.instantiate(DEFAULT_TENANT, id, { flavourId: 'default' });
    bench.lifecycle.engine.lookAtAll();
    bench.lifecycle.vnf.heal(DEFAULT_TENANT, low, {});
    await bench.converge();
    for (const { id, document } of Array.from(bench.store.list('vnf-instance')))
      if (['m1', 'm2'].includes(document.name))
        bench.lifecycle.vnf.terminate(DEFAULT_TENANT, id, { terminationType: 'GRACEFUL' });
    await bench.converge();
    for (const { id, document } of bench.lifecycle.opOccs.list(DEFAULT_TENANT))
      if (document.state === 'FAILED_TEMP') bench.lifecycle.opOccs.retry(DEFAULT_TENANT, id);
    await bench.converge();
    const running = bench.hosts.flatMap((host) => host.running()).filter((copy) => copy.includes(low));
    expect(running).toHaveLength(2);
  });
});
