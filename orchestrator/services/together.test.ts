import { describe, expect, it } from 'vitest';
import { DEFAULT_TENANT, type HostId } from '../../kernel/index.ts';
import {
  buildConstituent,
  buildFunction,
  buildService,
  buildUnit,
} from '../../test/kit/descriptor-builder.ts';
import { createLifecycleBench, type LifecycleBench } from '../../test/kit/lifecycle-bench.ts';
import { onboardFunction, onboardService } from '../../test/kit/simulated-host.ts';

const OFFLINE = { onDisconnect: 'keep', relocate: 'allowed', coldBoot: true, prefetch: [] } as const;
const GIB = 2 ** 30;
const ROOM_FOR_ONE = { memory: { totalBytes: GIB, allocatableBytes: GIB } };

/** `front` and `store` of a GiB each on one host, which `h1` is at first: it alone has the label. */
async function deploy(
  relocate: 'allowed' | 'forbidden',
  others: Parameters<typeof createLifecycleBench>[0],
): Promise<LifecycleBench> {
  const bench = createLifecycleBench([{ hostId: 'h1' }, ...others]);
  const units = [buildUnit({ resources: { cpuMillis: 100, memoryBytes: GIB } })];
  const placement = {
    tiers: [],
    architectures: [],
    jurisdictions: [],
    require: [],
    prefer: [{ expression: 'host = h1', weight: 100 }],
  };
  onboardFunction(bench.store, buildFunction('front', { units, placement, offline: OFFLINE }));
  onboardFunction(
    bench.store,
    buildFunction('store', { units, placement, offline: { ...OFFLINE, relocate } }),
  );
  onboardService(
    bench.store,
    buildService('pair', [buildConstituent('front'), buildConstituent('store')], {
      placement: [{ type: 'together', functions: ['front', 'store'], scope: 'host' }],
    }),
  );
  const request = { nsdId: 'nsd-pair', nsName: 'pair', nsDescription: '' };
  const { id } = bench.services.ns.create(DEFAULT_TENANT, request);
  bench.services.ns.instantiate(DEFAULT_TENANT, id, { nsFlavourId: 'default' });
  await bench.converge();
  expect(bench.host('h1').running()).toHaveLength(2);
  return bench;
}

async function lose(bench: LifecycleBench, hostId: string): Promise<void> {
  bench.host(hostId).isSilent = true;
  bench.liveness.silence.set(hostId as HostId, 1e6);
  await bench.converge();
}

describe('functions that belong together on a host that is lost', () => {
  it('stay where they are when one of them may not be moved', async () => {
    const bench = await deploy('forbidden', [{ hostId: 'h2' }]);
    await lose(bench, 'h1');
    expect(bench.host('h2').running()).toEqual([]);
    expect(bench.alarms).toContainEqual(
      expect.objectContaining({
        name: 'no-host-for-healing',
        text: expect.stringContaining('where the functions that belong together are'),
      }),
    );
  });

  it('move to where there is room for all of them', async () => {
    const bench = await deploy('allowed', [{ hostId: 'h2', facts: ROOM_FOR_ONE }, { hostId: 'h3' }]);
    await lose(bench, 'h1');
    expect([bench.host('h2').running(), bench.host('h3').running()]).toEqual([
      [],
      [expect.any(String), expect.any(String)],
    ]);
  });

  it('move not at all where there is not', async () => {
    const bench = await deploy('allowed', [
      { hostId: 'h2', facts: ROOM_FOR_ONE },
      { hostId: 'h3', facts: ROOM_FOR_ONE },
    ]);
    await lose(bench, 'h1');
    expect([bench.host('h2').running(), bench.host('h3').running()]).toEqual([[], []]);
  });
});

describe('functions that belong together on a host that is drained', () => {
  it('leave it together', async () => {
    const bench = await deploy('allowed', [{ hostId: 'h2' }]);
    const host = bench.store.get('host', 'h1');
    if (host === undefined) throw new RangeError('h1 is not enrolled');
    const document = { ...host.document, draining: true };
    bench.store.commit([{ op: 'put', kind: 'host', id: 'h1', tenant: host.tenant, document }]);
    await bench.converge();
    expect([bench.host('h1').running(), bench.host('h2').running()]).toEqual([
      [],
      [expect.any(String), expect.any(String)],
    ]);
  });
});
