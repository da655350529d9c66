import { describe, expect, it } from 'vitest';
import { DEFAULT_TENANT, type VnfInstanceId } from '../../kernel/index.ts';
import type { IoTServiceDescriptor } from '../../descriptors/index.ts';
import {
  buildConstituent,
  buildFunction,
  buildProvider,
  buildService,
  requirement,
} from '../../test/kit/descriptor-builder.ts';
import { createLifecycleBench, type LifecycleBench } from '../../test/kit/lifecycle-bench.ts';
import { onboardFunction, onboardService } from '../../test/kit/simulated-host.ts';

const INSTANTIATE = { nsFlavourId: 'default' };

/** broker ← processing ← gateway on each edge host. */
function cse(changes: Partial<IoTServiceDescriptor> = {}): IoTServiceDescriptor {
  return buildService(
    'cse',
    [
      buildConstituent('gateway', { coverage: { each: 'tier = device-edge' } }),
      buildConstituent('processing', { config: { cseId: '{{ parameters.cseId }}' } }),
      buildConstituent('broker'),
    ],
    { parameters: { schema: { type: 'object' }, defaults: { cseId: '/in' } }, ...changes },
  );
}

function start(descriptor = cse()): LifecycleBench {
  const bench = createLifecycleBench([
    { hostId: 'cloud-1' },
    { hostId: 'edge-1', facts: { tier: 'device-edge' } },
    { hostId: 'edge-2', facts: { tier: 'device-edge' } },
  ]);
  onboardFunction(bench.store, buildProvider('broker', { placement: cloudOnly() }));
  onboardFunction(
    bench.store,
    buildProvider('processing', { requires: [requirement('broker')], placement: cloudOnly() }),
  );
  onboardFunction(bench.store, buildFunction('gateway', { requires: [requirement('processing')] }));
  onboardService(bench.store, descriptor);
  return bench;
}

function cloudOnly() {
  return { tiers: ['cloud' as const], architectures: [], jurisdictions: [], require: [], prefer: [] };
}

function create(bench: LifecycleBench): string {
  return bench.services.ns.create(DEFAULT_TENANT, { nsdId: 'nsd-cse', nsName: 'cse', nsDescription: '' }).id;
}

async function deploy(bench: LifecycleBench): Promise<string> {
  const id = create(bench);
  bench.services.ns.instantiate(DEFAULT_TENANT, id, INSTANTIATE);
  await bench.converge();
  return id;
}

function service(bench: LifecycleBench, id: string) {
  return bench.services.ns.get(DEFAULT_TENANT, id).document;
}

/** Names of functions in the order in which their first copies were started, over all hosts. */
function startOrder(bench: LifecycleBench, id: string): string[] {
  const operations = bench.lifecycle.opOccs.list(DEFAULT_TENANT);
  const nameOf = new Map(Object.entries(service(bench, id).constituents).map(([name, vnf]) => [vnf, name]));
  return operations.map(({ document }) => nameOf.get(document.vnfInstanceId) ?? 'gone');
}

describe('a service', () => {
  it('comes up in the order of what its functions require, and ends in reverse', async () => {
    const bench = start();
    const id = await deploy(bench);
    expect(service(bench, id).state).toBe('INSTANTIATED');
    expect(startOrder(bench, id)).toEqual(['broker', 'processing', 'gateway']);
    expect(bench.host('cloud-1').running()).toHaveLength(2);
    expect(bench.host('edge-1').running()).toHaveLength(1);
    expect(bench.host('edge-2').running()).toHaveLength(1);

    const names = new Map(Object.entries(service(bench, id).constituents).map(([name, vnf]) => [vnf, name]));
    bench.services.ns.terminate(DEFAULT_TENANT, id, {});
    await bench.converge();
    const ended = bench.lifecycle.opOccs
      .list(DEFAULT_TENANT)
      .filter(({ document }) => document.operation === 'TERMINATE')
      .map(({ document }) => names.get(document.vnfInstanceId));
    expect(ended).toEqual(['gateway', 'processing', 'broker']);
    expect(service(bench, id)).toMatchObject({ state: 'NOT_INSTANTIATED', constituents: {} });
    expect(bench.hosts.flatMap((host) => host.running())).toEqual([]);
    expect([...bench.store.list('vnf-instance')]).toEqual([]);
    bench.services.ns.delete(DEFAULT_TENANT, id);
  });

  it('comes up with the packages that it was planned with, whatever becomes of them meanwhile', async () => {
    const bench = start();
    const id = create(bench);
    bench.services.ns.instantiate(DEFAULT_TENANT, id, INSTANTIATE);
    const planned = new Map(
      Object.values(service(bench, id).constituents).map((vnfId) => [
        vnfId,
        bench.store.get('vnf-instance', vnfId)?.document.vnfPkgId,
      ]),
    );
    for (const record of bench.store.list('vnf-package'))
      bench.store.commit([
        {
          op: 'update',
          kind: 'vnf-package',
          id: record.id,
          expectedRevision: record.revision,
          document: { ...record.document, operationalState: 'DISABLED' },
        },
      ]);
    await bench.converge();
    expect(service(bench, id).state).toBe('INSTANTIATED');
    for (const [vnfId, vnfPkgId] of planned)
      expect(bench.store.get('vnf-instance', vnfId)?.document.vnfPkgId).toBe(vnfPkgId);
  });

  it('puts its parameters into the configuration of its functions', async () => {
    const bench = start();
    const id = create(bench);
    bench.services.ns.instantiate(DEFAULT_TENANT, id, {
      ...INSTANTIATE,
      additionalParamsForNs: { cseId: '/mn-1' },
    });
    await bench.converge();
    const processing = service(bench, id).constituents['processing'] as VnfInstanceId;
    const [assignment] = bench.lifecycle.context.index.assignmentsOf(processing);
    expect(assignment?.document.workload.bindings.config).toEqual({ cseId: '/mn-1' });
  });

  it('is refused as a whole, with the reasons, where one function finds no host', () => {
    const bench = start(
      cse({ placement: [{ type: 'together', functions: ['broker', 'processing'], scope: 'zone' }] }),
    );
    const id = create(bench);
    const before = bench.store.acceptedRevision;
    expect(bench.services.ns.planInstantiation(DEFAULT_TENANT, id, INSTANTIATE)).toMatchObject({
      fits: false,
      reasons: [expect.stringContaining('lack the label zone'), expect.anything()],
    });
    expect(() => bench.services.ns.instantiate(DEFAULT_TENANT, id, INSTANTIATE)).toThrow(
      /broker\/main: no host/,
    );
    expect(bench.store.acceptedRevision).toBe(before);
  });

  it('shows the plan that it then carries out', async () => {
    const bench = start();
    const id = create(bench);
    const report = bench.services.ns.planInstantiation(DEFAULT_TENANT, id, INSTANTIATE);
    bench.services.ns.instantiate(DEFAULT_TENANT, id, INSTANTIATE);
    await bench.converge();
    const running = bench.hosts.flatMap(({ hostId, running }) => running().map(() => hostId));
    expect(report.instances.map(({ hostId }) => hostId).toSorted()).toEqual(running.toSorted());
  });

  it('fails temporarily when a function does, and goes on when it is tried again', async () => {
    const bench = start();
    bench.host('cloud-1').failStarts('', 'exited with code 1');
    const id = create(bench);
    const operation = bench.services.ns.instantiate(DEFAULT_TENANT, id, INSTANTIATE);
    await bench.converge();
    const failed = bench.services.opOccs.get(DEFAULT_TENANT, operation).document;
    expect(failed.state).toBe('FAILED_TEMP');
    expect(failed.error?.detail).toMatch(/broker: main-0 on cloud-1 was given up: exited with code 1/);

    bench.host('cloud-1').healStarts();
    bench.services.opOccs.retry(DEFAULT_TENANT, operation);
    await bench.converge();
    expect(bench.services.opOccs.get(DEFAULT_TENANT, operation).document.state).toBe('COMPLETED');
  });

  it('is rolled back to nothing', async () => {
    const bench = start();
    bench.host('edge-2').failStarts('', 'exited with code 1');
    const id = create(bench);
    const operation = bench.services.ns.instantiate(DEFAULT_TENANT, id, INSTANTIATE);
    await bench.converge();
    bench.services.opOccs.rollback(DEFAULT_TENANT, operation);
    await bench.converge();
    expect(bench.services.opOccs.get(DEFAULT_TENANT, operation).document.state).toBe('ROLLED_BACK');
    expect(bench.hosts.flatMap((host) => host.running())).toEqual([]);
    expect([...bench.store.list('assignment'), ...bench.store.list('vnf-instance')]).toEqual([]);
    bench.services.ns.delete(DEFAULT_TENANT, id);
  });

  it('heals what is not well, and nothing else', async () => {
    const bench = start();
    const id = await deploy(bench);
    bench.host('edge-1').strike('', 'UNHEALTHY');
    bench.host('edge-1').step(bench.store);
    bench.services.ns.heal(DEFAULT_TENANT, id, { healNsData: { degreeHealing: 'HEAL_RESTORE' } });
    await bench.converge();
    expect(bench.host('edge-1').running()).toEqual([expect.stringMatching(/@2 RUNNING$/)]);
    expect(bench.host('edge-2').running()).toEqual([expect.stringMatching(/@1 RUNNING$/)]);
    expect(bench.host('cloud-1').running()).toEqual([
      expect.stringMatching(/@1 RUNNING$/),
      expect.stringMatching(/@1 RUNNING$/),
    ]);
  });

  it('covers hosts that enrol later and leaves those that no longer match', async () => {
    const bench = start();
    await deploy(bench);
    const facts = bench.store.get('host-facts', 'edge-2');
    if (facts === undefined) throw new RangeError('edge-2 has no facts');
    bench.store.commit([
      {
        op: 'put',
        kind: 'host-facts',
        id: 'edge-2',
        tenant: facts.tenant,
        document: { ...facts.document, tier: 'cloud-edge' },
      },
    ]);
    await bench.converge();
    expect(bench.host('edge-2').running()).toEqual([]);
    bench.store.commit([
      { op: 'put', kind: 'host-facts', id: 'edge-2', tenant: facts.tenant, document: facts.document },
    ]);
    await bench.converge();
    expect(bench.host('edge-2').running()).toEqual([expect.stringMatching(/RUNNING$/)]);
  });
});
