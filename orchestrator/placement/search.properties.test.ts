import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { VnfInstanceId } from '../../kernel/index.ts';
import {
  HostIndex,
  planPlacement,
  ratePlan,
  type HostSnapshot,
  type Placement,
  type PlacementProblem,
  type PlacementRequest,
  type PlacementRule,
} from './index.ts';
import { checkPlan } from '../../test/kit/plan-checker.ts';
import { applyPlan, buildDemand, buildHost, buildRequest } from './testkit.ts';

const NAMES = ['a', 'b', 'c'] as const;
const id = (name: string) => `f-${name}` as VnfInstanceId;
const OPTIONS = { searchSteps: 3000, improvementSteps: 20, seed: 7 };

const hosts = (most: number) =>
  fc
    .array(
      fc.record({
        tier: fc.constantFrom('cloud' as const, 'device-edge' as const),
        zone: fc.constantFrom('x', 'y', 'y', undefined),
        memoryMiB: fc.integer({ min: 1, max: 7 }),
        hasPort: fc.constantFrom(true, false, false),
        latencies: fc.array(
          fc.record({
            to: fc.constantFrom('x', 'y', 'h0', 'h1', 'h2'),
            p95Milliseconds: fc.integer({ min: 1, max: 20 }),
            ageSeconds: fc.constant(0),
          }),
          { maxLength: 3 },
        ),
      }),
      { minLength: 1, maxLength: most },
    )
    .map((list): readonly HostSnapshot[] =>
      list.map(({ tier, zone, memoryMiB, hasPort, latencies }, at) =>
        buildHost(`h${at}`, {
          tier,
          labels: zone === undefined ? {} : { zone },
          allocatable: { cpuMillis: 4000, memoryBytes: memoryMiB * 2 ** 20, storageBytes: 0 },
          ports: hasPort ? ['tcp/80'] : [],
          latencies,
        }),
      ),
    );

const scope = fc.constantFrom('zone', 'host');

const request = (name: (typeof NAMES)[number]) =>
  fc
    .record({
      instances: fc.integer({ min: 0, max: 3 }),
      memoryMiB: fc.integer({ min: 1, max: 4 }),
      tiers: fc.constantFrom<PlacementRequest['tiers']>([], [], ['cloud']),
      hasPort: fc.constantFrom(true, false, false),
      weight: fc.integer({ min: -3, max: 3 }),
      spread: fc.option(fc.record({ by: scope, maxSkew: fc.integer({ min: 1, max: 2 }) }), { freq: 2 }),
      softSpread: fc.option(fc.record({ by: scope, weight: fc.integer({ min: 1, max: 5 }) })),
      affinity: fc.option(
        fc.record(
          {
            type: fc.constantFrom('together' as const, 'apart' as const),
            with: fc.constantFrom('name = a', 'name = b', 'kind = all'),
            scope,
            weight: fc.integer({ min: 1, max: 4 }),
          },
          { requiredKeys: ['type', 'with', 'scope'] },
        ),
        { freq: 2 },
      ),
      near: fc.option(
        fc.record(
          {
            to: fc.constantFrom({ label: 'x' }, { functionId: id('a') }, { functionId: id('c') }),
            maxMilliseconds: fc.integer({ min: 5, max: 20 }),
            weight: fc.constantFrom(1, 4),
          },
          { requiredKeys: ['to', 'maxMilliseconds'] },
        ),
        { freq: 3 },
      ),
    })
    .map(({ instances, memoryMiB, tiers, hasPort, weight, spread, softSpread, affinity, near }) =>
      buildRequest(name, {
        units: [buildDemand(instances, memoryMiB, { fixedPorts: hasPort ? ['tcp/80'] : [] })],
        tiers,
        prefer: [{ expression: 'tier = cloud', weight }],
        spread: [spread, softSpread].filter((each) => each !== null),
        affinities: affinity === null ? [] : [affinity],
        near: near === null || ('functionId' in near.to && near.to.functionId === id(name)) ? [] : [near],
        labels: { name, kind: 'all' },
      }),
    );

const rule: fc.Arbitrary<PlacementRule> = fc.record(
  {
    type: fc.constantFrom('together' as const, 'apart' as const),
    functionIds: fc.subarray(NAMES.map(id), { minLength: 1, maxLength: 3 }),
    scope,
    weight: fc.integer({ min: 1, max: 9 }),
  },
  { requiredKeys: ['type', 'functionIds', 'scope'] },
);

const problem: fc.Arbitrary<PlacementProblem> = fc.record({
  requests: fc.tuple(request('a'), request('b'), request('c')).map((list) => [...list]),
  rules: fc.array(rule, { maxLength: 2 }),
});

/** Every way to give a request its instances. */
function choices(
  list: readonly HostSnapshot[],
  { functionId, units }: PlacementRequest,
): readonly Placement[][] {
  const [demand] = units;
  const spread = (from: number, left: number): readonly Placement[][] => {
    if (left === 0) return [[]];
    const host = list[from];
    if (host === undefined) return [];
    return Array.from({ length: left + 1 }, (_, instances) => instances).flatMap((instances) =>
      spread(from + 1, left - instances).map((rest) =>
        instances === 0
          ? rest
          : [{ functionId, unit: demand?.unit ?? '', hostId: host.hostId, instances }, ...rest],
      ),
    );
  };
  return spread(0, demand?.instances ?? 0);
}

/** Whether any of all plans keeps every hard rule. */
function isFeasible(list: readonly HostSnapshot[], { requests, rules }: PlacementProblem): boolean {
  const [a = [], b = [], c = []] = requests.map((each) =>
    choices(list, each).filter((plan) => checkRoom(list, each, plan)),
  );
  return a.some((ofA) =>
    b.some((ofB) =>
      c.some((ofC) => checkPlan(list, { requests, rules }, [...ofA, ...ofB, ...ofC]).length === 0),
    ),
  );
}

/** What a plan of one request alone shows to be wrong, so that it need not be tried with all of the others. */
function checkRoom(
  list: readonly HostSnapshot[],
  { affinities: _others, near: _near, spread: _domains, ...alone }: PlacementRequest,
  plan: readonly Placement[],
): boolean {
  return checkPlan(list, { requests: [alone], rules: [] }, plan).length === 0;
}

describe('the search', () => {
  it('finds a plan wherever there is one, and says that there is none only where there is none', () => {
    let feasible = 0;
    fc.assert(
      fc.property(hosts(3), problem, (list, wanted) => {
        const isPossible = isFeasible(list, wanted);
        feasible += Number(isPossible);
        expect(planPlacement({ hosts: list }, wanted, OPTIONS).fits).toBe(isPossible);
      }),
      { numRuns: 500 },
    );
    expect(feasible).toBeGreaterThan(50);
  });

  it('breaks no hard rule', () => {
    fc.assert(
      fc.property(hosts(6), problem, (list, wanted) => {
        const result = planPlacement({ hosts: list }, wanted, { ...OPTIONS, searchSteps: 300 });
        expect(result.fits ? checkPlan(list, wanted, result.additions) : []).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  it('gives no plan that is worse than the one without it, unless that one breaks a hard rule', () => {
    fc.assert(
      fc.property(hosts(6), problem, (list, wanted) => {
        const snapshot = { hosts: list };
        const greedy = planPlacement(snapshot, wanted);
        if (!greedy.fits || checkPlan(list, wanted, greedy.additions).length > 0) return;
        const result = planPlacement(snapshot, wanted, { searchSteps: 60 });
        expect(result.fits).toBe(true);
        if (!result.fits) return;
        const gain =
          ratePlan(snapshot, wanted, result.additions) - ratePlan(snapshot, wanted, greedy.additions);
        expect(gain).toBeGreaterThanOrEqual(0);
        expect(gain === 0 ? result : greedy).toEqual(greedy);
      }),
      { numRuns: 300 },
    );
  });

  it('plans the same for the same seed, whatever the order, on a snapshot as on a kept index, which it leaves as it was', () => {
    fc.assert(
      fc.property(hosts(5), problem, fc.integer(), (list, wanted, seed) => {
        const options = { searchSteps: 30, seed };
        const result = planPlacement({ hosts: list }, wanted, options);
        const shuffled = { ...wanted, requests: wanted.requests.toReversed() };
        expect(planPlacement({ hosts: list.toReversed() }, shuffled, options)).toEqual(result);
        const [first] = list;
        const kept = HostIndex.of({ hosts: list.slice(1) });
        if (first !== undefined) kept.put(first);
        const free = [...kept.memory.free];
        expect(planPlacement(kept, wanted, options)).toEqual(result);
        expect(kept.mark()).toBe(0);
        expect([...kept.memory.free]).toEqual(free);
        expect(planPlacement(kept, wanted, options)).toEqual(result);
        expect(planPlacement(kept, wanted)).toEqual(planPlacement({ hosts: list }, wanted));
      }),
      { numRuns: 100 },
    );
  });

  it('changes nothing when it plans again after its plan was carried out', () => {
    fc.assert(
      fc.property(hosts(5), problem, (list, wanted) => {
        const options = { searchSteps: 60 };
        const result = planPlacement({ hosts: list }, wanted, options);
        if (!result.fits) return;
        const after = applyPlan({ hosts: list }, wanted, result);
        expect(planPlacement(after, wanted, options)).toMatchObject({
          fits: true,
          additions: [],
          removals: [],
        });
      }),
      { numRuns: 200 },
    );
  });

  it('moves nothing that was placed before, and covers the same hosts', () => {
    fc.assert(
      fc.property(hosts(6), problem, fc.integer({ min: 1, max: 3 }), (list, wanted, more) => {
        const before = planPlacement({ hosts: list }, wanted);
        if (!before.fits) return;
        const after = applyPlan({ hosts: list }, wanted, before);
        const covering = buildRequest('cover', {
          units: [buildDemand(1, 1)],
          coverage: 'tier = device-edge',
        });
        const grown = wanted.requests.map((each) => ({
          ...each,
          units: each.units.map((unit) => ({ ...unit, instances: unit.instances + more })),
        }));
        const next = { ...wanted, requests: [...grown, covering] };
        const greedy = planPlacement(after, next);
        const result = planPlacement(after, next, { searchSteps: 100 });
        if (!result.fits) return;
        expect(result.removals).toEqual([]);
        if (!greedy.fits) return;
        const covers = ({ functionId }: Placement): boolean => functionId === covering.functionId;
        expect(result.additions.filter(covers)).toEqual(greedy.additions.filter(covers));
        expect(result.skipped).toEqual(greedy.skipped);
      }),
      { numRuns: 200 },
    );
  });

  it('ends when it is told that its time is over, with the plan that it has', () => {
    const list = ['h0', 'h1'].map((hostId) => buildHost(hostId));
    const likes = { units: [buildDemand(3)], prefer: [{ expression: 'tier = cloud', weight: 1 }] };
    const wanted = { requests: [buildRequest('a', likes)], rules: [] };
    let asked = 0;
    const isOver = (): boolean => {
      asked += 1;
      return asked > 5;
    };
    const result = planPlacement({ hosts: list }, wanted, { searchSteps: 1000, isOver });
    expect(result).toEqual(planPlacement({ hosts: list }, wanted));
    expect(asked).toBe(6);
  });

  it('tells the decisions of the plan that it ends with', () => {
    fc.assert(
      fc.property(hosts(5), problem, (list, wanted) => {
        const told: Record<string, number> = {};
        const result = planPlacement({ hosts: list }, wanted, {
          searchSteps: 60,
          onDecision: ({ functionId, unit, chosen: { hostId } }) => {
            const place = `${functionId} ${unit} ${hostId}`;
            told[place] = (told[place] ?? 0) + 1;
          },
        });
        const added = result.fits ? result.additions : [];
        expect(told).toEqual(
          Object.fromEntries(
            added.map(({ functionId, unit, hostId, instances }) => [
              `${functionId} ${unit} ${hostId}`,
              instances,
            ]),
          ),
        );
      }),
      { numRuns: 200 },
    );
  });
});
