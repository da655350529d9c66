import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { VnfInstanceId } from '../../kernel/index.ts';
import {
  HostIndex,
  planPlacement,
  type HostSnapshot,
  type PlacementRequest,
  type PlacementSnapshot,
} from './index.ts';
import { orderRequests } from './order-requests.ts';
import { chooseByHand } from './reference.testkit.ts';
import { applyPlan, buildDemand, buildHost, buildRequest } from './testkit.ts';

const zone = fc.constantFrom('x', 'y', 'z');

const hosts = fc
  .array(
    fc.record({
      tier: fc.constantFrom('cloud' as const, 'device-edge' as const),
      state: fc.constantFrom('READY' as const, 'READY' as const, 'READY' as const, 'SUSPECT' as const),
      zone: fc.option(zone, { nil: undefined }),
      power: fc.constantFrom('mains', 'battery'),
      memoryMiB: fc.integer({ min: 64, max: 1024 }),
      usedMiB: fc.integer({ min: 0, max: 128 }),
      port: fc.boolean(),
      taint: fc.constantFrom(undefined, undefined, 'refuse' as const, 'avoid' as const),
      latencies: fc.array(
        fc.record({
          to: zone,
          p95Milliseconds: fc.integer({ min: 1, max: 60 }),
          ageSeconds: fc.integer({ min: 0, max: 90 }),
        }),
        { maxLength: 3 },
      ),
    }),
    { minLength: 1, maxLength: 9 },
  )
  .map((list): readonly HostSnapshot[] =>
    list.map((each, at) =>
      buildHost(`h${at}`, {
        tier: each.tier,
        state: each.state,
        labels: { power: each.power, ...(each.zone === undefined ? {} : { zone: each.zone }) },
        allocatable: { cpuMillis: 2000, memoryBytes: each.memoryMiB * 2 ** 20, storageBytes: 0 },
        used: { cpuMillis: 0, memoryBytes: each.usedMiB * 2 ** 20, storageBytes: 0 },
        ports: each.port ? ['tcp/80'] : [],
        latencies: each.latencies,
        ...(each.taint === undefined ? {} : { taints: [{ text: 'gpu', effect: each.taint }] }),
      }),
    ),
  );

const spread = fc.record(
  {
    by: fc.constantFrom('zone', 'host'),
    maxSkew: fc.integer({ min: 1, max: 2 }),
    weight: fc.constantFrom(0, 5, 1000),
  },
  { requiredKeys: ['by'] },
);

const request = (name: string) =>
  fc
    .record({
      instances: fc.integer({ min: 0, max: 5 }),
      memoryMiB: fc.integer({ min: 1, max: 300 }),
      tiers: fc.constantFrom<PlacementRequest['tiers']>([], [], ['cloud']),
      require: fc.constantFrom<readonly string[]>([], [], ['power = mains or zone in (x, y)']),
      weight: fc.constantFrom(0, 1, 10, -3),
      spread: fc.oneof(fc.constant([]), fc.tuple(spread), fc.tuple(spread, spread)),
      affinity: fc.option(
        fc.record({
          type: fc.constantFrom('together' as const, 'apart' as const),
          with: fc.constantFrom('name = a', 'name = b', 'kind = all'),
          scope: fc.constantFrom('zone', 'host'),
        }),
        { nil: undefined },
      ),
      near: fc.option(
        fc.record(
          {
            to: zone.map((label) => ({ label })),
            maxMilliseconds: fc.integer({ min: 5, max: 60 }),
            weight: fc.constantFrom(1, 4),
            maxAgeSeconds: fc.constant(60),
          },
          { requiredKeys: ['to', 'maxMilliseconds'] },
        ),
        { nil: undefined },
      ),
      tolerates: fc.boolean(),
      hasPort: fc.boolean(),
    })
    .map((each) =>
      buildRequest(name, {
        units: [buildDemand(each.instances, each.memoryMiB, { fixedPorts: each.hasPort ? ['tcp/80'] : [] })],
        tiers: each.tiers,
        require: each.require,
        prefer: each.weight === 0 ? [] : [{ expression: 'power = mains', weight: each.weight }],
        spread: each.spread,
        labels: { name, kind: 'all' },
        ...(each.affinity === undefined ? {} : { affinities: [each.affinity] }),
        ...(each.near === undefined ? {} : { near: [each.near] }),
        ...(each.tolerates ? { tolerates: ['gpu'] } : {}),
      }),
    );

describe('the engine', () => {
  it('chooses what a look at every host for every instance chooses', () => {
    fc.assert(
      fc.property(hosts, request('a'), request('b'), (list, a, b) => {
        const byHand = chooseByHand(list, orderRequests([a, b]));
        const chosen: string[] = [];
        const result = planPlacement(
          { hosts: list },
          { requests: [a, b], rules: [] },
          { onDecision: ({ functionId, chosen: { hostId } }) => void chosen.push(`${functionId} ${hostId}`) },
        );
        // What the first attempt does not place, another one may.
        if (byHand === undefined) return;
        expect(result.fits).toBe(true);
        expect(chosen).toEqual(byHand.map(({ functionId, hostId }) => `${functionId} ${hostId}`));
      }),
      { numRuns: 3000 },
    );
  });

  it('plans alike requests of several functions, while hosts change and fall silent, as on a new index', () => {
    const step = fc.record({
      who: fc.nat({ max: 5 }),
      instances: fc.constantFrom(1, 1, 2, 3),
      changed: fc.option(fc.record({ at: fc.nat({ max: 7 }), isOther: fc.boolean() })),
      silent: fc.option(fc.nat({ max: 7 })),
    });
    fc.assert(
      fc.property(hosts, hosts, request('a'), fc.array(step, { maxLength: 12 }), (list, others, a, steps) => {
        const index = HostIndex.of({ hosts: list });
        let snapshot: PlacementSnapshot = { hosts: list };
        for (const { who, instances, changed, silent } of steps) {
          const host = changed === null ? undefined : snapshot.hosts[changed.at];
          const other = changed?.isOther === true ? others[changed.at] : undefined;
          if (host !== undefined) {
            const next = { ...host, ...other, hostId: host.hostId, used: host.used, ports: host.ports };
            const put = { ...next, placed: host.placed };
            snapshot = { hosts: snapshot.hosts.map((each) => (each === host ? put : each)) };
            index.put(put);
          }
          const lost = silent === null ? undefined : snapshot.hosts[silent];
          const row = lost === undefined ? undefined : index.rowOf(lost.hostId);
          index.silent = new Set(row === undefined ? [] : [row]);
          const functionId = `f-${who}` as VnfInstanceId;
          const units = a.units.map((unit) => ({
            ...unit,
            instances: index.occupancy.countOf(functionId, unit.unit) + instances,
          }));
          const problem = { requests: [{ ...a, functionId, name: `f-${who}`, units }], rules: [] };
          const kept = planPlacement(index, problem);
          const seen = snapshot.hosts.map((each) =>
            each === lost ? { ...each, state: 'LOST' as const } : each,
          );
          const anew = planPlacement({ hosts: seen }, problem);
          expect(kept.fits ? kept : kept.fits).toEqual(anew.fits ? anew : anew.fits);
          index.silent = new Set();
          if (!kept.fits) continue;
          snapshot = applyPlan(snapshot, problem, kept);
          for (const each of snapshot.hosts)
            if (kept.additions.some(({ hostId }) => hostId === each.hostId)) index.put(each);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('plans on an index that is kept, with what it remembers of earlier plans, as on a new one', () => {
    const step = fc.record({ isFirst: fc.boolean(), change: fc.constantFrom(1, 1, 1, 2, -1) });
    fc.assert(
      fc.property(
        hosts,
        request('a'),
        request('b'),
        fc.array(step, { maxLength: 15 }),
        (list, a, b, steps) => {
          const index = HostIndex.of({ hosts: list });
          let snapshot: { readonly hosts: readonly HostSnapshot[] } = { hosts: list };
          const counts = new Map([a, b].map((each) => [each, 0]));
          for (const { isFirst, change } of steps) {
            const each = isFirst ? a : b;
            const instances = Math.max(0, (counts.get(each) ?? 0) + change);
            const units = each.units.map((unit) => ({ ...unit, instances }));
            const problem = { requests: [{ ...each, units }], rules: [] };
            const kept = planPlacement(index, problem);
            expect(kept).toEqual(planPlacement(snapshot, problem));
            if (!kept.fits) continue;
            counts.set(each, instances);
            snapshot = applyPlan(snapshot, problem, kept);
            index.occupancy.introduce(each.functionId, each);
            for (const [sign, places] of [
              [1, kept.additions],
              [-1, kept.removals],
            ] as const)
              for (const { functionId, hostId, instances: times } of places)
                for (let time = 0; time < times; time += 1)
                  index.book(functionId, units[0] ?? buildDemand(), index.rowOf(hostId) ?? -1, sign);
            index.settle();
          }
        },
      ),
      { numRuns: 1000 },
    );
  });
});
