import { expect, it, vi } from 'vitest';
import { DEFAULT_TENANT, SYSTEM_TENANT, type HostId, type VnfInstanceId } from '../../kernel/index.ts';
import { buildFunction, buildUnit } from '../../test/kit/descriptor-builder.ts';
import { createLifecycleBench, type LifecycleBench } from '../../test/kit/lifecycle-bench.ts';
import { onboardFunction } from '../../test/kit/simulated-host.ts';
import type { HostDocument, HostFactsDocument } from '../domain/index.ts';
import { hostsOfWanted } from './plan-wanted.ts';

const EDGE = { tier: 'device-edge' as const };
const MIB = 2 ** 20;

const UPGRADE = {
  strategy: 'rolling',
  maxUnavailable: 1,
  maxSurge: 0,
  healthyForSeconds: 0,
  autoRollback: false,
} as const;

async function cover(hosts: readonly string[], memoryMiB = 64): Promise<[LifecycleBench, VnfInstanceId]> {
  const bench = createLifecycleBench(
    hosts.map((hostId) => ({
      hostId,
      facts: { ...EDGE, memory: { totalBytes: 100 * MIB, allocatableBytes: 100 * MIB } },
    })),
  );
  const units = [buildUnit({ resources: { cpuMillis: 100, memoryBytes: memoryMiB * MIB } })];
  onboardFunction(bench.store, buildFunction('gateway', { units, upgrade: UPGRADE }));
  const { vnf } = bench.lifecycle;
  const { id } = vnf.create(DEFAULT_TENANT, { vnfdId: 'vnfd-gateway', vnfInstanceName: 'gateway' });
  vnf.instantiate(DEFAULT_TENANT, id, {
    flavourId: 'default',
    additionalParams: { coverage: 'tier = device-edge' },
  });
  await bench.converge();
  return [bench, id as VnfInstanceId];
}

function covered({ store }: LifecycleBench, id: VnfInstanceId): readonly HostId[] {
  return hostsOfWanted(store.get('vnf-instance', id)?.document.wanted ?? []);
}

function change(
  { store }: LifecycleBench,
  id: string,
  { host = {}, facts = {} }: { host?: Partial<HostDocument>; facts?: Partial<HostFactsDocument> },
): void {
  const [known, told] = [store.get('host', id)?.document, store.get('host-facts', id)?.document];
  if (known === undefined || told === undefined) throw new RangeError(`there is no host ${id}`);
  const at = { op: 'put', id, tenant: SYSTEM_TENANT } as const;
  store.commit([
    { ...at, kind: 'host', document: { ...known, ...host } },
    { ...at, kind: 'host-facts', document: { ...told, ...facts } },
  ]);
}

it('follows hosts that are drained, used again, and no longer match', async () => {
  const [bench, id] = await cover(['a', 'b', 'c']);
  expect(covered(bench, id)).toEqual(['a', 'b', 'c']);
  change(bench, 'b', { host: { draining: true } });
  await bench.converge();
  expect(covered(bench, id)).toEqual(['a', 'c']);
  change(bench, 'b', { host: { draining: false } });
  change(bench, 'c', { facts: { tier: 'cloud' } });
  await bench.converge();
  expect(covered(bench, id)).toEqual(['a', 'b']);
});

it('covers a host that was left out as soon as it has room, though nothing says so', async () => {
  const [bench, id] = await cover(['a', 'b']);
  const { vnf } = bench.lifecycle;
  const { id: late } = vnf.create(DEFAULT_TENANT, { vnfdId: 'vnfd-gateway', vnfInstanceName: 'late' });
  const additionalParams = { coverage: 'tier = device-edge' };
  vnf.instantiate(DEFAULT_TENANT, late, { flavourId: 'default', additionalParams });
  await bench.converge();
  expect(covered(bench, late as VnfInstanceId)).toEqual([]);
  vnf.terminate(DEFAULT_TENANT, id, { terminationType: 'GRACEFUL' });
  await bench.converge();
  expect(covered(bench, late as VnfInstanceId)).toEqual(['a', 'b']);
});

it('takes copies from a host that has left for good', async () => {
  const [bench, id] = await cover(['a', 'b']);
  const record = bench.store.get('host', 'b');
  bench.store.commit([{ op: 'delete', kind: 'host', id: 'b', expectedRevision: record?.revision ?? -1 }]);
  await bench.converge();
  expect(covered(bench, id)).toEqual(['a']);
});

it('forgets a copy that has left a host which is not to be covered any more, and then rests', async () => {
  const [bench, id] = await cover(['a', 'b']);
  const { vnf, opOccs, context, engine } = bench.lifecycle;
  const gateway = buildFunction('gateway', { upgrade: UPGRADE });
  const metadata = { ...gateway.metadata, id: 'vnfd-gateway-2', softwareVersion: '2.0.0' };
  onboardFunction(bench.store, { ...gateway, metadata }, DEFAULT_TENANT, 'pkg-gateway-2');
  bench.host('a').isSilent = true;
  const op = vnf.changePackage(DEFAULT_TENANT, id, { vnfdId: 'vnfd-gateway-2' });
  await bench.converge();
  opOccs.cancel(DEFAULT_TENANT, op, 'GRACEFUL');
  await bench.converge();
  opOccs.fail(DEFAULT_TENANT, op);
  const displaced = () =>
    bench.store.get('vnf-instance', id)?.document.displaced?.map(({ hostId }) => hostId);
  expect(displaced()).toEqual(['a']);
  change(bench, 'a', { facts: { tier: 'cloud' } });
  bench.host('a').isSilent = false;
  await bench.converge();
  expect(covered(bench, id)).toEqual(['b']);
  expect(displaced()).toEqual([]);
  const plans = vi.spyOn(context.inventory, 'look');
  const revision = bench.store.acceptedRevision;
  for (let round = 0; round < 5; round += 1) engine.lookAtAll();
  expect(plans).not.toHaveBeenCalled();
  expect(bench.store.acceptedRevision).toBe(revision);
});
