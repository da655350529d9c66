import { describe, expect, it } from 'vitest';
import { DEFAULT_TENANT, type TenantId } from '../../kernel/index.ts';
import {
  buildConstituent,
  buildFunction,
  buildService,
  buildUnit,
} from '../../test/kit/descriptor-builder.ts';
import { createLifecycleBench, type LifecycleBench } from '../../test/kit/lifecycle-bench.ts';
import { onboardFunction, onboardService } from '../../test/kit/simulated-host.ts';

const MIB = 2 ** 20;
const OTHER = 'other' as TenantId;
const THIRD = 'third' as TenantId;

function placement(changes: object) {
  return { tiers: [], architectures: [], jurisdictions: [], require: [], prefer: [], ...changes };
}

/** `storage` prefers the north, where h2 is; `tpu` fits nowhere. */
function start(): LifecycleBench {
  const bench = createLifecycleBench([
    { hostId: 'h1' },
    { hostId: 'h2', facts: { labels: { site: 'north' } } },
    { hostId: 'h3', facts: { tier: 'device-edge' }, host: { draining: true, state: 'DRAINING' } },
  ]);
  const prefer = [{ expression: 'site = north', weight: 10 }];
  onboardFunction(bench.store, buildFunction('storage', { placement: placement({ prefer }) }));
  const ports = [{ name: 'mqtt', protocol: 'tcp' as const, number: 1883, expose: true }];
  onboardFunction(bench.store, buildFunction('broker', { units: [buildUnit({ ports })] }));
  onboardFunction(
    bench.store,
    buildFunction('tpu', { placement: placement({ tiers: ['cloud-edge'], require: ['tpu >= 1'] }) }),
  );
  return bench;
}

async function run(bench: LifecycleBench, name: string, tenant = DEFAULT_TENANT): Promise<string> {
  const { id } = bench.lifecycle.vnf.create(tenant, { vnfdId: `vnfd-${name}`, vnfInstanceName: name });
  bench.lifecycle.vnf.instantiate(tenant, id, { flavourId: 'default' });
  await bench.converge();
  return id;
}

function explain(bench: LifecycleBench, hostId: string, choice = {}, tenant = DEFAULT_TENANT) {
  const host = bench.store.get('host', hostId);
  if (host === undefined) throw new RangeError(`no host ${hostId}`);
  return bench.lifecycle.explainHost(tenant, host, choice);
}

describe('the explanation of a host', () => {
  it('says why what runs there is there: its score by part, and its rank as if it were placed now', async () => {
    const bench = start();
    const vnfInstanceId = await run(bench, 'storage');
    const { functions, placed } = explain(bench, 'h2');
    const room = 0.009 * (31 / 32);
    expect(functions).toEqual([
      {
        vnfInstanceId,
        function: 'storage',
        unit: 'main',
        instancesHere: 1,
        fits: true,
        against: [],
        score: 10 + room,
        parts: { 'prefers site = north': 10, room },
        rank: 1,
        candidates: 2,
      },
    ]);
    expect(placed).toEqual([
      {
        vnfInstanceId,
        function: 'storage',
        unit: 'main',
        instances: 1,
        takes: { cpuMillis: 100, memoryBytes: 64 * MIB, storageBytes: 0 },
      },
    ]);
    expect(explain(bench, 'h1').functions).toMatchObject([
      { function: 'storage', instancesHere: 0, fits: true, rank: 2, candidates: 2 },
    ]);
  });

  it('says everything that stands against a function', async () => {
    const bench = start();
    bench.lifecycle.vnf.create(DEFAULT_TENANT, { vnfdId: 'vnfd-tpu', vnfInstanceName: 'tpu' });
    expect(explain(bench, 'h3').functions).toMatchObject([
      {
        function: 'tpu',
        fits: false,
        against: ['is being drained', 'lacks tier=cloud-edge', 'does not match "tpu >= 1"'],
        candidates: 0,
      },
    ]);
  });

  it('says what the host offers and what of it is free', async () => {
    const bench = start();
    await run(bench, 'storage');
    const { offer, state } = explain(bench, 'h2');
    expect(state).toBe('READY');
    expect(offer).toMatchObject({
      tier: 'cloud',
      labels: { site: 'north', host: 'h2' },
      artifactTypes: ['process'],
      portsInUse: [],
    });
    expect((offer?.allocatable.memoryBytes ?? 0) - (offer?.free.memoryBytes ?? 0)).toBe(64 * MIB);
  });

  it('tells a tenant of its own functions, and of those of others only how much they take together', async () => {
    const bench = start();
    const ports = [{ name: 'mqtt', protocol: 'tcp' as const, number: 1883, expose: true }];
    onboardFunction(bench.store, buildFunction('secret', { units: [buildUnit({ ports })] }), OTHER);
    const hidden = await run(bench, 'secret', OTHER);
    const host = ['h1', 'h2'].find((id) => bench.host(id).running().length > 0) ?? '';
    const seen = explain(bench, host, {}, THIRD);
    expect(seen).toMatchObject({
      placed: [],
      functions: [],
      others: { instances: 1, takes: { cpuMillis: 100, memoryBytes: 64 * MIB } },
      offer: { portsInUse: [] },
    });
    expect(JSON.stringify(seen)).not.toMatch(new RegExp(`secret|${hidden}`));
    expect(explain(bench, host, {}, OTHER)).toMatchObject({
      placed: [{ function: 'secret' }],
      others: { instances: 0 },
      offer: { portsInUse: ['tcp/1883'] },
    });
    // Who runs the installation has to know which ports are in use, whoever has them.
    expect(explain(bench, host)).toMatchObject({ placed: [], offer: { portsInUse: ['tcp/1883'] } });
    expect(() => explain(bench, host, { vnfInstanceId: hidden }, THIRD)).toThrow(
      `there is no VNF instance ${hidden}`,
    );
  });

  it('is of one function, of a service, or of a package, where that is asked for', async () => {
    const bench = start();
    const storage = await run(bench, 'storage');
    await run(bench, 'broker');
    onboardService(
      bench.store,
      buildService('pair', [buildConstituent('storage'), buildConstituent('broker')]),
    );
    const request = { nsdId: 'nsd-pair', nsName: 'pair', nsDescription: '' };
    const { id: nsInstanceId } = bench.services.ns.create(DEFAULT_TENANT, request);
    bench.services.ns.instantiate(DEFAULT_TENANT, nsInstanceId, { nsFlavourId: 'default' });
    await bench.converge();
    const names = (choice: object) => explain(bench, 'h1', choice).functions.map((item) => item.function);
    expect(names({}).toSorted()).toEqual(['broker', 'pair-broker', 'pair-storage', 'storage']);
    expect(names({ vnfInstanceId: storage })).toEqual(['storage']);
    expect(names({ nsInstanceId }).toSorted()).toEqual(['pair-broker', 'pair-storage']);
    const vnfPkgId = [...bench.store.list('vnf-package')].find(
      ({ document }) => document.descriptor?.metadata.productName === 'tpu',
    )?.id;
    expect(explain(bench, 'h1', { vnfPkgId }).functions).toMatchObject([{ function: 'tpu', fits: false }]);
    for (const choice of [{ nsInstanceId: 'no' }, { vnfInstanceId: 'no' }, { vnfPkgId: 'no' }])
      expect(() => explain(bench, 'h1', choice)).toThrow(/^there is no /);
  });

  it('has the functions that are there first, and says how many it left out', async () => {
    const bench = start();
    for (let count = 0; count < 60; count += 1)
      bench.lifecycle.vnf.create(DEFAULT_TENANT, { vnfdId: 'vnfd-tpu', vnfInstanceName: `a-${count}` });
    await run(bench, 'storage');
    const { functions, more } = explain(bench, 'h2');
    expect(functions[0]).toMatchObject({ function: 'storage', instancesHere: 1 });
    expect([functions.length, more]).toEqual([50, 11]);
  });

  it('changes nothing', async () => {
    const bench = start();
    await run(bench, 'storage');
    const before = bench.store.acceptedRevision;
    const first = explain(bench, 'h2');
    expect(explain(bench, 'h2')).toEqual(first);
    expect(bench.store.acceptedRevision).toBe(before);
  });
});
