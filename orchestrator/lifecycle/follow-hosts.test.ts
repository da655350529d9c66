import { expect, it } from 'vitest';
import { DEFAULT_TENANT, SYSTEM_TENANT, type HostId, type VnfInstanceId } from '../../kernel/index.ts';
import { buildFunction, buildUnit } from '../../test/kit/descriptor-builder.ts';
import { createLifecycleBench, type LifecycleBench } from '../../test/kit/lifecycle-bench.ts';
import { onboardFunction } from '../../test/kit/simulated-host.ts';
import type { HostDocument, HostFactsDocument } from '../domain/index.ts';
import { hostsOfWanted } from './plan-wanted.ts';

const EDGE = { tier: 'device-edge' as const };
const MIB = 2 ** 20;

async function cover(hosts: readonly string[], memoryMiB = 64): Promise<[LifecycleBench, VnfInstanceId]> {
  const bench = createLifecycleBench(
    hosts.map((hostId) => ({
      hostId,
      facts: { ...EDGE, memory: { totalBytes: 100 * MIB, allocatableBytes: 100 * MIB } },
    })),
  );
  const units = [buildUnit({ resources: { cpuMillis: 100, memoryBytes: memoryMiB * MIB } })];
  onboardFunction(bench.store, buildFunction('gateway', { units }));
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
