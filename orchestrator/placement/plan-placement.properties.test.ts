import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { VnfInstanceId } from '../../kernel/index.ts';
import {
  planPlacement,
  type HostSnapshot,
  type PlacementProblem,
  type PlacementRequest,
  type PlacementResult,
  type PlacementRule,
} from './index.ts';
import { applyPlan, buildDemand, buildHost, buildRequest } from './testkit.ts';

const NAMES = ['a', 'b', 'c', 'd'] as const;
const id = (name: string) => `f-${name}` as VnfInstanceId;

const hosts = fc
  .array(
    fc.record({
      tier: fc.constantFrom('cloud' as const, 'device-edge' as const),
      state: fc.constantFrom('READY' as const, 'READY' as const, 'READY' as const, 'SUSPECT' as const),
      isDraining: fc.oneof(
        { weight: 9, arbitrary: fc.constant(false) },
        { weight: 1, arbitrary: fc.constant(true) },
      ),
      zone: fc.constantFrom('x', 'y', undefined),
      memoryMiB: fc.integer({ min: 0, max: 1024 }),
      usedMiB: fc.integer({ min: 0, max: 256 }),
      port: fc.boolean(),
    }),
    { maxLength: 8 },
  )
  .map((list) =>
    list.map(({ tier, state, isDraining, zone, memoryMiB, usedMiB, port }, index) =>
      buildHost(`h${index}`, {
        tier,
        state,
        isDraining,
        labels: zone === undefined ? {} : { zone },
        allocatable: { cpuMillis: 1000, memoryBytes: memoryMiB * 2 ** 20, storageBytes: 0 },
        used: { cpuMillis: 0, memoryBytes: usedMiB * 2 ** 20, storageBytes: 0 },
        ports: port ? ['tcp/80'] : [],
      }),
    ),
  );

const request = (name: (typeof NAMES)[number]) =>
  fc
    .record({
      instances: fc.integer({ min: 0, max: 4 }),
      memoryMiB: fc.integer({ min: 1, max: 512 }),
      isCoverage: fc.boolean(),
      tiers: fc.constantFrom<PlacementRequest['tiers']>([], ['cloud'], ['device-edge']),
      spreadBy: fc.constantFrom('zone', 'host', undefined),
      hasPort: fc.boolean(),
    })
    .map(({ instances, memoryMiB, isCoverage, tiers, spreadBy, hasPort }) =>
      buildRequest(name, {
        units: [buildDemand(instances, memoryMiB, { fixedPorts: hasPort ? ['tcp/80'] : [] })],
        tiers,
        ...(isCoverage ? { coverage: 'tier = device-edge' } : {}),
        ...(spreadBy === undefined ? {} : { spread: [{ by: spreadBy }] }),
      }),
    );

const rule: fc.Arbitrary<PlacementRule> = fc.record({
  type: fc.constantFrom('together' as const, 'apart' as const),
  functionIds: fc.subarray(NAMES.map(id), { minLength: 1, maxLength: 3 }),
  scope: fc.constantFrom('host', 'zone'),
});

const problems = fc.record({
  hosts,
  problem: fc.record({
    requests: fc.tuple(request('a'), request('b'), request('c'), request('d')).map((list) => [...list]),
    rules: fc.array(rule, { maxLength: 2 }),
  }),
});

function check(
  property: (hosts: readonly HostSnapshot[], problem: PlacementProblem, result: PlacementResult) => void,
): void {
  fc.assert(
    fc.property(problems, ({ hosts: list, problem }) => {
      property(list, problem, planPlacement({ hosts: list }, problem));
    }),
    { numRuns: 500 },
  );
}

/** function → hosts that hold it */
function holders(hosts: readonly HostSnapshot[], functionId: VnfInstanceId): readonly HostSnapshot[] {
  return hosts.flatMap((host) =>
    host.placed
      .filter((item) => item.functionId === functionId)
      .flatMap(({ instances }) => Array.from({ length: instances }, () => host)),
  );
}

describe('every plan', () => {
  it('keeps every host within its capacity, with no port used twice', () => {
    check((list, problem, result) => {
      const before = new Map(list.map((host) => [host.hostId, host]));
      for (const host of applyPlan({ hosts: list }, problem, result).hosts) {
        const was = before.get(host.hostId);
        if (was === undefined || host.used.memoryBytes === was.used.memoryBytes) continue;
        expect(host.used.memoryBytes).toBeLessThanOrEqual(host.allocatable.memoryBytes);
        expect(host.used.cpuMillis).toBeLessThanOrEqual(host.allocatable.cpuMillis);
        expect(new Set(host.ports).size).toBe(host.ports.length);
      }
    });
  });

  it('adds only to hosts that are ready and fit the request', () => {
    check((list, problem, result) => {
      if (!result.fits) return;
      for (const { functionId, hostId } of result.additions) {
        const host = list.find((item) => item.hostId === hostId);
        const wanted = problem.requests.find((item) => item.functionId === functionId);
        expect(host?.state).toBe('READY');
        expect(host?.isDraining).toBe(false);
        const tiers = wanted?.tiers.length === 0 ? [host?.tier] : wanted?.tiers;
        expect(tiers).toContain(host?.tier);
      }
    });
  });

  it('breaks no rule of the service', () => {
    check((list, problem, result) => {
      if (!result.fits) return;
      const after = applyPlan({ hosts: list }, problem, result).hosts;
      for (const { type, functionIds, scope } of problem.rules) {
        const domain = (host: HostSnapshot) => (scope === 'host' ? host.hostId : host.labels[scope]);
        const domains = functionIds.map((functionId) => holders(after, functionId).map(domain));
        expect(domains.flat()).not.toContain(undefined);
        // Functions that must be apart count a shared domain once for each of them.
        const used =
          type === 'apart' && functionIds.length > 1
            ? domains.flatMap((ofFunction) => [...new Set(ofFunction)])
            : domains.flat();
        const distinct = new Set(used).size;
        expect(type === 'together' ? distinct <= 1 : distinct === used.length).toBe(true);
      }
    });
  });

  it('places exactly as many as are asked for', () => {
    check((list, problem, result) => {
      if (!result.fits) return;
      const after = applyPlan({ hosts: list }, problem, result).hosts;
      for (const { functionId, units } of problem.requests.filter(({ coverage }) => coverage === undefined))
        expect(holders(after, functionId)).toHaveLength(units[0]?.instances ?? 0);
    });
  });

  it('that cannot be made says what is missing, and counts every host once', () => {
    check((_list, _problem, result) => {
      if (result.fits) return;
      for (const { missing, consideredHosts, reasons } of result.shortfalls) {
        expect(missing).toBeGreaterThan(0);
        expect(reasons.reduce((total, { hosts: count }) => total + count, 0)).toBe(consideredHosts);
      }
    });
  });

  it('changes nothing when it is made again after it was carried out', () => {
    check((list, problem, result) => {
      if (!result.fits) return;
      const again = planPlacement(applyPlan({ hosts: list }, problem, result), problem);
      expect(again).toMatchObject({ fits: true, additions: [], removals: [] });
    });
  });

  it('of coverage is the same when only the hosts are looked at that have changed since the last one, and those left out then', () => {
    const changes = fc.array(fc.nat({ max: 7 }), { maxLength: 3 });
    fc.assert(
      fc.property(hosts, hosts, rule, changes, (list, others, anyRule, changed) => {
        const request = buildRequest('a', { coverage: 'tier = device-edge' });
        const problem = { requests: [request], rules: [anyRule] };
        const first = planPlacement({ hosts: list }, problem);
        const before = applyPlan({ hosts: list }, problem, first).hosts;
        const after = before.map((known, at) => {
          const other = changed.includes(at) ? others[at] : undefined;
          const { used, ports, placed } = known;
          return other === undefined ? known : { ...other, used, ports, placed };
        });
        const skipped = first.fits ? first.skipped.flatMap(({ hosts: left = [] }) => left) : [];
        const coverageOn = [
          ...skipped,
          ...after.filter((each, at) => each !== before[at]).map(({ hostId }) => hostId),
        ];
        const partial = planPlacement(
          { hosts: after },
          { ...problem, requests: [{ ...request, coverageOn }] },
        );
        const whole = planPlacement({ hosts: after }, problem);
        expect(partial).toMatchObject({
          fits: true,
          additions: whole.fits ? whole.additions : [],
          removals: whole.fits ? whole.removals : [],
        });
      }),
      { numRuns: 300 },
    );
  });

  it('is the same whatever the order of hosts and requests', () => {
    check((list, problem, result) => {
      const shuffled: PlacementProblem = { ...problem, requests: problem.requests.toReversed() };
      expect(planPlacement({ hosts: list.toReversed() }, shuffled)).toEqual(result);
    });
  });

  it('leaves everything that is placed where it is when more is asked for', () => {
    check((list, problem, result) => {
      if (!result.fits) return;
      const more: PlacementProblem = {
        ...problem,
        requests: problem.requests.map((item) => ({
          ...item,
          units: item.units.map((unit) => ({ ...unit, instances: unit.instances + 1 })),
        })),
      };
      const again = planPlacement(applyPlan({ hosts: list }, problem, result), more);
      expect(again.fits ? again.removals : []).toEqual([]);
    });
  });
});
