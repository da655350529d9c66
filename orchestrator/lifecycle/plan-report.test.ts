import { describe, expect, it } from 'vitest';
import { DEFAULT_TENANT } from '../../kernel/index.ts';
import {
  buildConstituent,
  buildFunction,
  buildService,
  buildUnit,
} from '../../test/kit/descriptor-builder.ts';
import { createLifecycleBench, type LifecycleBench } from '../../test/kit/lifecycle-bench.ts';
import { onboardFunction, onboardService } from '../../test/kit/simulated-host.ts';

const INSTANTIATE = { flavourId: 'default' };
const MIB = 2 ** 20;

function prefersNorth(tiers: readonly 'cloud'[] = []) {
  const prefer = [{ expression: 'site = north', weight: 10 }];
  return { tiers, architectures: [], jurisdictions: [], require: [], prefer };
}

async function start(): Promise<{ bench: LifecycleBench; id: string }> {
  const bench = createLifecycleBench([
    { hostId: 'h1' },
    { hostId: 'h2', facts: { labels: { site: 'north' } } },
    { hostId: 'h3', facts: { tier: 'device-edge' } },
  ]);
  onboardFunction(
    bench.store,
    buildFunction('storage', {
      placement: prefersNorth(['cloud']),
      scaling: [{ aspect: 'size', deltas: { main: 1 }, min: 1, max: 99 }],
    }),
  );
  const { id } = bench.lifecycle.vnf.create(DEFAULT_TENANT, {
    vnfdId: 'vnfd-storage',
    vnfInstanceName: 'storage',
  });
  return { bench, id };
}

describe('a plan of one function', () => {
  it('says of what is added how its host scored, by part, and which hosts came next', async () => {
    const { bench, id } = await start();
    const { instances } = bench.lifecycle.vnf.planInstantiation(DEFAULT_TENANT, id, INSTANTIATE);
    const room = 0.009 * (31 / 32);
    expect(instances).toEqual([
      {
        function: 'storage',
        unit: 'main',
        hostId: 'h2',
        slot: 0,
        change: 'ADDED',
        score: 10 + room,
        parts: { 'prefers site = north': 10, room },
        runnersUp: [{ hostId: 'h1', score: room, parts: { room } }],
      },
    ]);
  });

  it('says nothing of what is kept, and the same as the operation does afterwards', async () => {
    const { bench, id } = await start();
    bench.lifecycle.vnf.instantiate(DEFAULT_TENANT, id, INSTANTIATE);
    await bench.converge();
    const request = { type: 'SCALE_OUT', aspectId: 'size', numberOfSteps: 2 } as const;
    const { instances } = bench.lifecycle.vnf.planScale(DEFAULT_TENANT, id, request);
    expect(instances.map(({ change, score }) => [change, score !== undefined])).toEqual([
      ['KEPT', false],
      ['ADDED', true],
      ['ADDED', true],
    ]);
    bench.lifecycle.vnf.scale(DEFAULT_TENANT, id, request);
    await bench.converge();
    const hosts = bench.lifecycle
      .viewVnfcs(bench.lifecycle.vnf.get(DEFAULT_TENANT, id))
      .map(({ hostId, slot }) => `${slot} ${hostId}`);
    expect(hosts.toSorted()).toEqual(instances.map(({ hostId, slot }) => `${slot} ${hostId}`).toSorted());
  });

  it('that does not fit has its reasons, and what would make it fit, for people and for programs', async () => {
    const { bench, id } = await start();
    bench.lifecycle.vnf.instantiate(DEFAULT_TENANT, id, INSTANTIATE);
    await bench.converge();
    const request = { type: 'SCALE_OUT', aspectId: 'size', numberOfSteps: 70 } as const;
    const report = bench.lifecycle.vnf.planScale(DEFAULT_TENANT, id, request);
    expect(report).toMatchObject({
      fits: false,
      reasons: [expect.stringMatching(/^storage\/main: no host for \d+ instances: of 3 hosts, 2 lack /)],
      shortfalls: [{ function: 'storage', unit: 'main', consideredHosts: 3 }],
    });
    const [first] = report.relaxations;
    expect(first).toEqual({
      text: expect.stringMatching(/^fits on 2 hosts if resources\.\w+ of storage\/main were at most /),
      hosts: 2,
      changes: [
        {
          text: expect.any(String),
          property: expect.stringMatching(/^resources\./),
          function: 'storage',
          unit: 'main',
          value: expect.stringMatching(/^\d+(m|Mi)?$/),
        },
      ],
    });
    expect(report.relaxations.map(({ text }) => text)).toContainEqual(
      expect.stringMatching(/^fits on 2 hosts if storage\/main had \d+ instances instead of 71$/),
    );
  });

  it('of a heal shows what would be replaced, and changes nothing', async () => {
    const { bench, id } = await start();
    bench.lifecycle.vnf.instantiate(DEFAULT_TENANT, id, INSTANTIATE);
    await bench.converge();
    const before = bench.store.acceptedRevision;
    const { fits, instances } = bench.lifecycle.vnf.planHeal(DEFAULT_TENANT, id, { cause: 'a try' });
    expect([fits, instances.map(({ change }) => change)]).toEqual([true, ['KEPT']]);
    expect(bench.store.acceptedRevision).toBe(before);
    const additionalParams = { vnfcInstanceIds: ['main-7'] };
    expect(() => bench.lifecycle.vnf.planHeal(DEFAULT_TENANT, id, { additionalParams })).toThrow(/main-7/);
  });
});

describe('a plan of a service', () => {
  async function startService(memoryBytes: number) {
    const { bench } = await start();
    const units = [buildUnit({ resources: { cpuMillis: 100, memoryBytes } })];
    onboardFunction(bench.store, buildFunction('broker', { units, placement: prefersNorth() }));
    onboardService(
      bench.store,
      buildService('pair', [buildConstituent('storage'), buildConstituent('broker')]),
    );
    const request = { nsdId: 'nsd-pair', nsName: 'pair', nsDescription: '' };
    return { bench, id: bench.services.ns.create(DEFAULT_TENANT, request).id };
  }

  it('says for each function how hosts compared', async () => {
    const { bench, id } = await startService(64 * MIB);
    const plan = bench.services.ns.planInstantiation(DEFAULT_TENANT, id, { nsFlavourId: 'default' });
    expect(plan.instances).toMatchObject([
      { function: 'storage', hostId: 'h2', runnersUp: [{ hostId: 'h1' }] },
      { function: 'broker', hostId: 'h2', runnersUp: [{ hostId: 'h1' }, { hostId: 'h3' }] },
    ]);
  });

  it('is refused with the reasons and the least that would help, as its dry run shows it', async () => {
    const { bench, id } = await startService(4096 * MIB);
    const request = { nsFlavourId: 'default' };
    const { reasons, relaxations } = bench.services.ns.planInstantiation(DEFAULT_TENANT, id, request);
    expect(relaxations.map(({ text }) => text)).toEqual([
      'fits on 3 hosts if resources.memory of broker/main were at most 2Gi',
    ]);
    expect(() => bench.services.ns.instantiate(DEFAULT_TENANT, id, request)).toThrow(
      [...reasons, relaxations[0]?.text].join('; '),
    );
  });
});
