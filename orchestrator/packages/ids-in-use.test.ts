import { beforeEach, describe, expect, it } from 'vitest';
import { DEFAULT_TENANT } from '../../kernel/index.ts';
import {
  buildConstituent,
  buildFunction,
  buildProvider,
  buildService,
  requirement,
} from '../../test/kit/descriptor-builder.ts';
import { createLifecycleBench, type LifecycleBench } from '../../test/kit/lifecycle-bench.ts';
import { onboardFunction, onboardService } from '../../test/kit/simulated-host.ts';
import { idsInUse } from './ids-in-use.ts';

let bench: LifecycleBench;
let nsId: string;

const VERSION = '1.0.0 || 1.1.0';
const UPGRADE = {
  strategy: 'rolling',
  maxUnavailable: 0,
  maxSurge: 1,
  healthyForSeconds: 0,
  autoRollback: true,
} as const;

beforeEach(async () => {
  bench = createLifecycleBench([{ hostId: 'h1' }, { hostId: 'h2' }], { retireMilliseconds: 0 });
  const broker = buildProvider('broker', { upgrade: UPGRADE });
  const gateway = buildFunction('gateway', { upgrade: UPGRADE, requires: [requirement('broker')] });
  for (const descriptor of [broker, gateway]) onboardFunction(bench.store, descriptor);
  onboardService(
    bench.store,
    buildService('cse', [
      buildConstituent('broker', { version: VERSION }),
      buildConstituent('gateway', { version: VERSION }),
    ]),
  );
  const { ns } = bench.services;
  ({ id: nsId } = ns.create(DEFAULT_TENANT, { nsdId: 'nsd-cse', nsName: 'cse', nsDescription: '' }));
  ns.instantiate(DEFAULT_TENANT, nsId, { nsFlavourId: 'default' });
  await bench.converge();
  for (const { metadata, ...descriptor } of [broker, gateway]) {
    const next = { ...metadata, id: `${metadata.id}-2`, softwareVersion: '1.1.0' };
    const pkgId = `pkg-${metadata.productName}-2`;
    onboardFunction(bench.store, { ...descriptor, metadata: next }, DEFAULT_TENANT, pkgId);
  }
});

const used = () => [...idsInUse(bench.store, 'vnf-package')].toSorted();

function constituent(name: string): string {
  return bench.services.ns.get(DEFAULT_TENANT, nsId).document.constituents[name] ?? '';
}

function update(names: readonly string[]): string {
  return bench.services.ns.update(DEFAULT_TENANT, nsId, {
    updateType: 'CHANGE_VNFPKG',
    changeVnfPackageData: names.map((name) => ({
      vnfInstanceId: constituent(name),
      vnfdId: `vnfd-${name}-2`,
    })),
  });
}

function setState(id: string, operationalState: 'ENABLED' | 'DISABLED'): void {
  const record = bench.store.get('vnf-package', id);
  if (record === undefined) throw new RangeError(`no package ${id}`);
  const document = { ...record.document, operationalState };
  bench.store.commit([{ op: 'put', kind: 'vnf-package', id, tenant: record.tenant, document }]);
}

describe('packages are in use', () => {
  it('while functions are made of them, and no longer', async () => {
    expect(used()).toEqual(['pkg-broker', 'pkg-gateway']);
    update(['broker', 'gateway']);
    await bench.converge();
    expect(used()).toEqual(['pkg-broker-2', 'pkg-gateway-2']);
  });

  it('from the moment at which a change to them, or away from them, is accepted', () => {
    bench.lifecycle.vnf.changePackage(DEFAULT_TENANT, constituent('broker'), { vnfdId: 'vnfd-broker-2' });
    expect(used()).toEqual(['pkg-broker', 'pkg-broker-2', 'pkg-gateway']);
  });

  it('while an update of a service may bring functions to them, or back to them, also when it has failed temporarily', async () => {
    const op = update(['broker', 'gateway']);
    const all = ['pkg-broker', 'pkg-broker-2', 'pkg-gateway', 'pkg-gateway-2'];
    expect(used()).toEqual(all);
    setState('pkg-gateway-2', 'DISABLED');
    await bench.converge();
    const { document } = bench.services.opOccs.get(DEFAULT_TENANT, op);
    expect(bench.store.get('vnf-instance', constituent('broker'))?.document.vnfPkgId).toBe('pkg-broker-2');
    expect(document.state).toBe('FAILED_TEMP');
    expect(used()).toEqual(all);
    bench.services.opOccs.fail(DEFAULT_TENANT, op);
    expect(used()).toEqual(['pkg-broker-2', 'pkg-gateway']);
  });
});

describe('an update of a service whose package is disabled meanwhile', () => {
  it('fails temporarily, once, with what is missing, and goes on when it is retried', async () => {
    const op = update(['broker', 'gateway']);
    setState('pkg-gateway-2', 'DISABLED');
    await bench.converge();
    const { document, revision } = bench.services.opOccs.get(DEFAULT_TENANT, op);
    expect(document.error?.detail).toMatch(/^gateway: no onboarded and enabled package .* vnfd-gateway-2/);
    await bench.clock.advance(5_000);
    await bench.converge();
    expect(bench.services.opOccs.get(DEFAULT_TENANT, op).revision).toBe(revision);
    setState('pkg-gateway-2', 'ENABLED');
    bench.services.opOccs.retry(DEFAULT_TENANT, op);
    await bench.converge();
    expect(bench.services.opOccs.get(DEFAULT_TENANT, op).document.state).toBe('COMPLETED');
  });

  it('can be rolled back from there', async () => {
    const op = update(['broker', 'gateway']);
    setState('pkg-gateway-2', 'DISABLED');
    await bench.converge();
    bench.services.opOccs.rollback(DEFAULT_TENANT, op);
    await bench.converge();
    expect(bench.services.opOccs.get(DEFAULT_TENANT, op).document.state).toBe('ROLLED_BACK');
    expect(used()).toEqual(['pkg-broker', 'pkg-gateway']);
  });
});
