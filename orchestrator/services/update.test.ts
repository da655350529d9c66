import { describe, expect, it } from 'vitest';
import { DEFAULT_TENANT } from '../../kernel/index.ts';
import type { IoTFunctionDescriptor, IoTServiceDescriptor } from '../../descriptors/index.ts';
import {
  buildConstituent,
  buildFunction,
  buildProvider,
  buildService,
  requirement,
} from '../../test/kit/descriptor-builder.ts';
import { createLifecycleBench, type LifecycleBench } from '../../test/kit/lifecycle-bench.ts';
import { onboardFunction, onboardService } from '../../test/kit/simulated-host.ts';

const UPGRADE = {
  strategy: 'rolling',
  maxUnavailable: 0,
  maxSurge: 1,
  healthyForSeconds: 0,
  autoRollback: true,
} as const;
const HOSTS = ['h1', 'h2', 'h3'].map((hostId) => ({ hostId }));

function onboardBoth(
  bench: LifecycleBench,
  descriptor: IoTFunctionDescriptor,
  changes: Partial<IoTFunctionDescriptor> = {},
): void {
  const { metadata } = descriptor;
  onboardFunction(bench.store, descriptor);
  const next = { ...metadata, id: `${metadata.id}-2`, softwareVersion: '1.1.0' };
  onboardFunction(
    bench.store,
    { ...descriptor, ...changes, metadata: next },
    DEFAULT_TENANT,
    `pkg-${metadata.productName}-2`,
  );
}

async function deploy(
  upgrade?: IoTServiceDescriptor['upgrade'],
  nextBroker: Partial<IoTFunctionDescriptor> = {},
) {
  const bench = createLifecycleBench(HOSTS, { retireMilliseconds: 0 });
  onboardBoth(bench, buildProvider('broker', { upgrade: UPGRADE }), nextBroker);
  onboardBoth(bench, buildProvider('processing', { upgrade: UPGRADE, requires: [requirement('broker')] }));
  onboardBoth(bench, buildFunction('gateway', { upgrade: UPGRADE, requires: [requirement('processing')] }));
  onboardService(
    bench.store,
    buildService(
      'cse',
      [
        buildConstituent('gateway', { version: '1.0.0 || 1.1.0', coverage: { each: 'tier = cloud' } }),
        buildConstituent('processing', { version: '1.0.0 || 1.1.0' }),
        buildConstituent('broker', { version: '1.0.0 || 1.1.0' }),
      ],
      upgrade === undefined ? {} : { upgrade },
    ),
  );
  for (const name of ['broker', 'processing', 'gateway']) disable(bench, `pkg-${name}-2`, true);
  const { ns } = bench.services;
  const { id } = ns.create(DEFAULT_TENANT, { nsdId: 'nsd-cse', nsName: 'cse', nsDescription: '' });
  ns.instantiate(DEFAULT_TENANT, id, { nsFlavourId: 'default' });
  await bench.converge();
  for (const name of ['broker', 'processing', 'gateway']) disable(bench, `pkg-${name}-2`, false);
  return { bench, id };
}

/** A service is made of the highest enabled version. */
function disable({ store }: LifecycleBench, id: string, isDisabled: boolean): void {
  const record = store.get('vnf-package', id);
  if (record === undefined) throw new RangeError(`no package ${id}`);
  const operationalState = isDisabled ? ('DISABLED' as const) : ('ENABLED' as const);
  const document = { ...record.document, operationalState };
  store.commit([{ op: 'put', kind: 'vnf-package', id, tenant: record.tenant, document }]);
}

function update(bench: LifecycleBench, id: string, names: readonly string[]): string {
  const { constituents } = bench.services.ns.get(DEFAULT_TENANT, id).document;
  return bench.services.ns.update(DEFAULT_TENANT, id, {
    updateType: 'CHANGE_VNFPKG',
    changeVnfPackageData: names.map((name) => ({
      vnfInstanceId: constituents[name] ?? '',
      vnfdId: `vnfd-${name}-2`,
    })),
  });
}

const operation = (bench: LifecycleBench, op: string) =>
  bench.services.opOccs.get(DEFAULT_TENANT, op).document;

function versions({ store }: LifecycleBench): readonly string[] {
  return [...store.list('vnf-instance')]
    .map(({ document }) => `${document.constituent} ${document.vnfPkgId}`)
    .toSorted();
}

describe('an update of a service', () => {
  it('changes the functions that are named, providers before those that use them', async () => {
    const { bench, id } = await deploy();
    const begun: string[] = [];
    const op = update(bench, id, ['gateway', 'processing', 'broker']);
    bench.store.subscribe(({ entries }) => {
      for (const { kind, record } of entries)
        if (kind === 'vnf-lcm-op-occ' && record !== undefined) {
          const { vnfInstanceId, operation: type } = record.document as {
            vnfInstanceId: string;
            operation: string;
          };
          const name = bench.store.get('vnf-instance', vnfInstanceId)?.document.constituent ?? '';
          if (type === 'CHANGE_VNFPKG' && !begun.includes(name)) begun.push(name);
        }
    });
    await bench.converge();
    expect(operation(bench, op).state).toBe('COMPLETED');
    expect(begun).toEqual(['broker', 'processing', 'gateway']);
    expect(versions(bench)).toEqual([
      'broker pkg-broker-2',
      'gateway pkg-gateway-2',
      'processing pkg-processing-2',
    ]);
  });

  it('goes back with all that it has changed when one function is not well', async () => {
    const { bench, id } = await deploy();
    const { constituents } = bench.services.ns.get(DEFAULT_TENANT, id).document;
    for (const host of bench.hosts)
      host.failStarts(`${constituents['processing']}-main-g2`, 'exited with code 1');
    const op = update(bench, id, ['gateway', 'processing', 'broker']);
    await bench.converge();
    expect(operation(bench, op)).toMatchObject({
      state: 'ROLLED_BACK',
      error: {
        detail: expect.stringMatching(/^processing: processing 1.1.0 is not well: .*exited with code 1/),
      },
    });
    expect(versions(bench)).toEqual([
      'broker pkg-broker',
      'gateway pkg-gateway',
      'processing pkg-processing',
    ]);
    expect(bench.services.ns.get(DEFAULT_TENANT, id).document.activeOpOcc).toBeUndefined();
    const states = bench.hosts.flatMap((host) => host.running()).map((text) => text.split(' ')[1]);
    expect(states).toEqual(Array.from({ length: 5 }, () => 'RUNNING'));
  });

  it('waits for a decision where a function does not come up in its old version either, and goes on from there', async () => {
    const { bench, id } = await deploy();
    const { constituents } = bench.services.ns.get(DEFAULT_TENANT, id).document;
    const broker = `${constituents['broker']}-main-`;
    const op = update(bench, id, ['broker']);
    bench.services.engine.lookAtAll();
    bench.lifecycle.engine.lookAtAll();
    for (const host of bench.hosts) {
      host.failStarts(broker, 'exited with code 1');
      host.strike(broker, 'FAILED', 'exited with code 1');
    }
    bench.services.opOccs.cancel(DEFAULT_TENANT, op, 'FORCEFUL');
    bench.services.engine.lookAtAll();
    bench.lifecycle.engine.lookAtAll();
    bench.services.engine.lookAtAll();
    bench.services.opOccs.rollback(DEFAULT_TENANT, op);
    await bench.converge();
    expect(operation(bench, op)).toMatchObject({
      state: 'FAILED_TEMP',
      error: { detail: expect.stringMatching(/^broker: it cannot go back: .*exited with code 1/) },
    });
    for (const host of bench.hosts) {
      host.healStarts();
      host.strike(broker, 'RUNNING');
    }
    await bench.converge();
    bench.services.opOccs.rollback(DEFAULT_TENANT, op);
    await bench.converge();
    expect(operation(bench, op).state).toBe('ROLLED_BACK');
    expect(versions(bench)).toContain('broker pkg-broker');
  });

  it('keeps others from changing the functions that it names', async () => {
    const { bench, id } = await deploy();
    const { constituents } = bench.services.ns.get(DEFAULT_TENANT, id).document;
    const change = (name: string) => () =>
      bench.lifecycle.vnf.changePackage(DEFAULT_TENANT, constituents[name] ?? '', {
        vnfdId: `vnfd-${name}-2`,
      });
    update(bench, id, ['gateway']);
    expect(change('gateway')).toThrow(/is changed by the update \S+ of its service; wait until that is over/);
    expect(change('broker')).not.toThrow();
  });

  it('stops on its way back where a function would have to read state that it does not know', async () => {
    const state = { writers: 'many' as const, schema: 2, migratesFrom: [] };
    const { bench, id } = await deploy(undefined, { state });
    const { constituents } = bench.services.ns.get(DEFAULT_TENANT, id).document;
    for (const host of bench.hosts)
      host.failStarts(`${constituents['processing']}-main-g2`, 'exited with code 1');
    const op = update(bench, id, ['processing', 'broker']);
    await bench.converge();
    expect(operation(bench, op)).toMatchObject({
      state: 'FAILED_TEMP',
      error: { detail: expect.stringMatching(/there is no way back: broker 1.1.0 has state of schema 2/) },
    });
    expect(versions(bench)).toContain('broker pkg-broker-2');
  });

  it('fails again, and only once, where the one that failed has state that its old version does not read', async () => {
    const state = { writers: 'many' as const, schema: 2, migratesFrom: [] };
    const { bench, id } = await deploy(undefined, { state });
    const { constituents } = bench.services.ns.get(DEFAULT_TENANT, id).document;
    for (const host of bench.hosts)
      host.failStarts(`${constituents['broker']}-main-g2`, 'exited with code 1');
    const op = update(bench, id, ['broker']);
    await bench.converge();
    expect(operation(bench, op).state).toBe('FAILED_TEMP');
    bench.services.opOccs.rollback(DEFAULT_TENANT, op);
    await bench.converge();
    expect(operation(bench, op)).toMatchObject({
      state: 'FAILED_TEMP',
      error: {
        detail: expect.stringMatching(/^broker: there is no way back: .* retry, or fail the operation$/),
      },
    });
    for (const host of bench.hosts) host.healStarts();
    bench.services.opOccs.retry(DEFAULT_TENANT, op);
    await bench.converge();
    expect(operation(bench, op).state).toBe('COMPLETED');
  });

  it('goes over the hosts of a function that covers them in the waves of the service', async () => {
    const { bench, id } = await deploy({ waves: [{ count: 1 }], bakeSeconds: 60 });
    const op = update(bench, id, ['gateway']);
    await bench.converge();
    const changed = () =>
      bench.hosts
        .filter((host) => host.running().some((name) => name.includes('-g2-')))
        .map(({ hostId }) => hostId);
    expect(changed()).toEqual(['h1']);
    await bench.clock.advance(61_000);
    await bench.converge();
    expect(changed()).toEqual(['h1', 'h2', 'h3']);
    expect(operation(bench, op).state).toBe('COMPLETED');
  });

  it.each([
    [
      'of version',
      (bench: LifecycleBench, id: string) =>
        bench.lifecycle.vnf.changePackage(DEFAULT_TENANT, id, { vnfdId: 'vnfd-gateway-2' }),
    ],
    [
      'of configuration',
      (bench: LifecycleBench, id: string) =>
        bench.lifecycle.vnf.modify(DEFAULT_TENANT, id, { vnfConfigurableProperties: { level: 2 } }),
    ],
  ] as const)(
    'has its waves also where one function alone is changed: a change %s',
    async (_what, change) => {
      const { bench, id } = await deploy({ waves: [{ count: 1 }], bakeSeconds: 60 });
      const gateway = bench.services.ns.get(DEFAULT_TENANT, id).document.constituents['gateway'] ?? '';
      const op = change(bench, gateway);
      await bench.converge();
      const changed = () =>
        bench.hosts.filter((host) => host.running().some((name) => name.includes('-g2-'))).length;
      expect(changed()).toBe(1);
      await bench.clock.advance(61_000);
      await bench.converge();
      expect(changed()).toBe(3);
      expect(bench.lifecycle.opOccs.get(DEFAULT_TENANT, op).document.state).toBe('COMPLETED');
    },
  );

  it('is refused before anything is touched where one of the functions cannot go there', async () => {
    const { bench, id } = await deploy();
    const { constituents } = bench.services.ns.get(DEFAULT_TENANT, id).document;
    const before = bench.store.acceptedRevision;
    expect(() => update(bench, id, ['broker', 'broker'])).toThrow(/names broker more than once/);
    expect(() => update(bench, id, ['nobody'])).toThrow(/has no function/);
    const data = { vnfInstanceId: constituents['broker'] ?? '', vnfdId: 'vnfd-processing-2' };
    const request = { updateType: 'CHANGE_VNFPKG' as const, changeVnfPackageData: [data] };
    expect(() => bench.services.ns.update(DEFAULT_TENANT, id, request)).toThrow(/is another function/);
    expect(bench.store.acceptedRevision).toBe(before);
  });
});
