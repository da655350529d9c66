import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { VnfInstanceId } from '../../kernel/index.ts';
import { parseBytes, parseCpuMillis } from '../../kernel/index.ts';
import { findRelaxations } from './find-relaxations.ts';
import {
  HostIndex,
  planPlacement,
  planWithReasons,
  type HostSnapshot,
  type PlacementProblem,
  type PlacementRequest,
  type PlacementRule,
} from './index.ts';
import type { Change } from './plan-types.ts';
import { spellBytes, spellCpu } from './quantities.ts';
import { relaxProblem } from './relax-problem.ts';
import { buildDemand, buildHost, buildRequest } from './testkit.ts';

const MIB = 2 ** 20;
const BOUNDS = { mostPlans: 400, mostTold: 8 };

const hosts = fc
  .array(
    fc.record({
      tier: fc.constantFrom('cloud' as const, 'device-edge' as const),
      isDraining: fc.constantFrom(false, false, false, false, false, true),
      isDisputed: fc.constantFrom(false, false, false, false, false, true),
      zone: fc.constantFrom('x', 'y', undefined),
      place: fc.constantFrom('DE', 'DE', 'US'),
      memoryMiB: fc.integer({ min: 16, max: 1024 }),
      port: fc.constantFrom(false, false, true),
      taint: fc.constantFrom(undefined, undefined, undefined, 'refuse' as const, 'avoid' as const),
      tpus: fc.integer({ min: 0, max: 2 }),
      milliseconds: fc.integer({ min: 1, max: 80 }),
    }),
    { minLength: 1, maxLength: 7 },
  )
  .map((list): readonly HostSnapshot[] =>
    list.map(
      ({ tier, isDraining, isDisputed, zone, place, memoryMiB, port, taint, tpus, milliseconds }, at) =>
        buildHost(`h${at}`, {
          tier,
          isDraining,
          isDisputed,
          ...(isDraining ? { state: 'DRAINING' } : {}),
          labels: zone === undefined ? {} : { zone },
          ...(place === undefined ? {} : { jurisdiction: place }),
          allocatable: {
            cpuMillis: 1000,
            memoryBytes: memoryMiB * MIB,
            storageBytes: 0,
            devices: { tpu: tpus },
          },
          ports: port ? ['tcp/80'] : [],
          ...(taint === undefined ? {} : { taints: [{ text: 'dedicated=lab', effect: taint }] }),
          latencies: [{ to: 'sensor', p95Milliseconds: milliseconds, ageSeconds: 1 }],
        }),
    ),
  );

const request = (name: string) =>
  fc
    .record({
      instances: fc.integer({ min: 1, max: 4 }),
      memoryMiB: fc.oneof(fc.integer({ min: 8, max: 200 }), fc.integer({ min: 8, max: 1500 })),
      tiers: fc.constantFrom<PlacementRequest['tiers']>([], [], ['cloud'], ['cloud-edge']),
      jurisdictions: fc.constantFrom<readonly string[]>([], [], ['DE']),
      require: fc.constantFrom<readonly string[]>([], [], [], ['zone = x']),
      hasPort: fc.constantFrom(false, false, false, true),
      tpus: fc.constantFrom(0, 0, 0, 0, 1, 3),
      spread: fc.constantFrom<NonNullable<PlacementRequest['spread']>>(
        [],
        [],
        [],
        [{ by: 'zone', maxSkew: 1 }],
      ),
      near: fc.constantFrom(undefined, undefined, undefined, 20, 60),
    })
    .map(({ instances, memoryMiB, hasPort, tpus, near, ...rest }) =>
      buildRequest(name, {
        ...rest,
        units: [
          buildDemand(instances, memoryMiB, {
            resources: {
              cpuMillis: 200,
              memoryBytes: memoryMiB * MIB,
              storageBytes: 0,
              devices: { tpu: tpus },
            },
            fixedPorts: hasPort ? ['tcp/80'] : [],
          }),
        ],
        ...(near === undefined ? {} : { near: [{ to: { label: 'sensor' }, maxMilliseconds: near }] }),
      }),
    );

const rules = fc.array(
  fc.record({
    type: fc.constantFrom('together' as const, 'apart' as const),
    functionIds: fc.constant(['f-a', 'f-b'] as VnfInstanceId[]),
    scope: fc.constantFrom('host', 'zone'),
  }),
  { maxLength: 1 },
);

const problems = fc.record({
  list: hosts,
  problem: fc.record({ requests: fc.tuple(request('a'), request('b')).map((both) => [...both]), rules }),
});

/** The hosts with what a change does to them, made without the code under test. */
function hostsAfter(list: readonly HostSnapshot[], changes: readonly Change[]): readonly HostSnapshot[] {
  return list.map((host) =>
    changes.reduce((now: HostSnapshot, change) => {
      if (change.kind === 'undrain' && change.hostId === host.hostId)
        return { ...now, isDraining: false, state: 'READY' };
      if (change.kind === 'freePort' && change.hostId === host.hostId)
        return { ...now, ports: now.ports.filter((port) => port !== change.port) };
      return now;
    }, host),
  );
}

describe('a relaxation', () => {
  it('makes all that was asked for fit when it is done', () => {
    let told = 0;
    fc.assert(
      fc.property(problems, ({ list, problem }) => {
        const result = planWithReasons(HostIndex.of({ hosts: list }), problem);
        if (result.fits) return;
        for (const { changes, hosts: places } of result.relaxations ?? []) {
          told += 1;
          const again = planPlacement({ hosts: hostsAfter(list, changes) }, relaxProblem(problem, changes));
          expect(again.fits).toBe(true);
          expect(places).toBeGreaterThan(0);
        }
      }),
      { numRuns: 200, seed: 1 },
    );
    expect(told).toBeGreaterThan(100);
  });

  it('is none that could be left out of a set', () => {
    fc.assert(
      fc.property(problems, ({ list, problem }) => {
        const result = planWithReasons(HostIndex.of({ hosts: list }), problem);
        if (result.fits) return;
        for (const { changes } of result.relaxations ?? [])
          for (const left of changes) {
            const others = changes.filter((change) => change !== left);
            const without = planPlacement({ hosts: hostsAfter(list, others) }, relaxProblem(problem, others));
            expect(changes.length > 1 && isMonotone(problem) && without.fits).toBe(false);
          }
      }),
      { numRuns: 100, seed: 2 },
    );
  });

  it('of an amount is the largest that fits, where one function wants one instance', () => {
    let told = 0;
    fc.assert(
      fc.property(hosts, fc.integer({ min: 600, max: 1500 }), (list, memoryMiB) => {
        const problem = { requests: [buildRequest('a', { units: [buildDemand(1, memoryMiB)] })], rules: [] };
        const result = planWithReasons(HostIndex.of({ hosts: list }), problem);
        if (result.fits) return;
        const usable = list.filter(
          ({ isDraining, isDisputed, taints }) =>
            !isDraining && !isDisputed && taints?.every(({ effect }) => effect === 'avoid') !== false,
        );
        const most = Math.max(0, ...usable.map(({ allocatable }) => allocatable.memoryBytes / MIB));
        const found = (result.relaxations ?? []).flatMap(({ changes }) =>
          changes.length === 1 && changes[0]?.kind === 'resource' ? changes[0].to / MIB : [],
        );
        told += found.length;
        expect(found).toEqual(most > 0 ? [most] : []);
      }),
      { numRuns: 200, seed: 3 },
    );
    expect(told).toBeGreaterThan(20);
  });

  it('leaves the index as it was, and is the same whatever the order of the hosts', () => {
    fc.assert(
      fc.property(problems, ({ list, problem }) => {
        const index = HostIndex.of({ hosts: list });
        const first = planWithReasons(index, problem);
        expect(index.leniency).toBeUndefined();
        expect(planWithReasons(index, problem)).toEqual(first);
        expect(planWithReasons(HostIndex.of({ hosts: list.toReversed() }), problem)).toEqual(first);
      }),
      { numRuns: 50, seed: 4 },
    );
  });

  it('is looked for with no more plans than allowed', () => {
    fc.assert(
      fc.property(problems, fc.integer({ min: 0, max: 30 }), ({ list, problem }, mostPlans) => {
        const result = planPlacement({ hosts: list }, problem);
        if (result.fits) return;
        for (const { changes } of findRelaxations(
          { hosts: list },
          problem,
          result.shortfalls,
          {},
          {
            ...BOUNDS,
            mostPlans,
          },
        ))
          expect(
            planPlacement({ hosts: hostsAfter(list, changes) }, relaxProblem(problem, changes)).fits,
          ).toBe(true);
      }),
      { numRuns: 100, seed: 5 },
    );
  });

  it('never makes a plan for one function without hard spread impossible', () => {
    fc.assert(
      fc.property(hosts, request('a'), (list, wanted) => {
        const problem: PlacementProblem = { requests: [{ ...wanted, spread: [] }], rules: [] };
        if (!planPlacement({ hosts: list }, problem).fits) return;
        const [unit] = wanted.units;
        const functionId = wanted.functionId;
        const changes: readonly Change[] = [
          {
            kind: 'resource',
            functionId,
            unit: 'main',
            resource: 'memoryBytes',
            from: unit?.resources.memoryBytes ?? 0,
            to: MIB,
          },
          { kind: 'allow', functionId, list: 'tolerates', value: 'dedicated' },
          ...wanted.require.map((expression) => ({ kind: 'require' as const, functionId, expression })),
          ...(wanted.tiers.length === 0
            ? []
            : [{ kind: 'allow' as const, functionId, list: 'tiers' as const, value: 'device-edge' }]),
          ...(wanted.near ?? []).map((_near, at) => ({
            kind: 'near' as const,
            functionId,
            at,
            from: 1,
            to: 100,
          })),
        ];
        for (const change of changes)
          expect(planPlacement({ hosts: list }, relaxProblem(problem, [change])).fits).toBe(true);
      }),
      { numRuns: 300, seed: 6 },
    );
  });

  it('of the hosts never makes an instance impossible: a larger host takes what the smaller one took', () => {
    fc.assert(
      fc.property(
        hosts,
        request('a'),
        fc.nat(),
        fc.integer({ min: 1, max: 4096 }),
        (list, wanted, at, more) => {
          const problem: PlacementProblem = { requests: [{ ...wanted, spread: [] }], rules: [] };
          if (!planPlacement({ hosts: list }, problem).fits || list.length === 0) return;
          const larger = list.map((host, place) =>
            place === at % list.length
              ? {
                  ...host,
                  allocatable: {
                    ...host.allocatable,
                    memoryBytes: host.allocatable.memoryBytes + more * MIB,
                    cpuMillis: host.allocatable.cpuMillis + more,
                  },
                }
              : host,
          );
          expect(planPlacement({ hosts: larger }, problem).fits).toBe(true);
        },
      ),
      { numRuns: 300, seed: 7 },
    );
  });
});

/** With rules over several functions a greedy plan may fail where a stricter one succeeds. */
function isMonotone({ requests, rules: list }: PlacementProblem): boolean {
  return list.length === 0 && requests.every(({ spread = [] }) => spread.length === 0);
}

describe('each decision', () => {
  const soft: fc.Arbitrary<readonly PlacementRule[]> = fc.constantFrom(
    [],
    [{ type: 'apart', functionIds: ['f-a', 'f-b'] as VnfInstanceId[], scope: 'host', weight: 7 }],
  );

  it('scores what its parts add up to, chooses no worse host than a runner-up, and passes over none that a rule refuses', () => {
    let compared = 0;
    fc.assert(
      fc.property(hosts, fc.tuple(request('a'), request('b')), soft, (list, both, softRules) => {
        const requests = both.map((each) => ({
          ...each,
          units: [buildDemand(each.units[0]?.instances, 20)],
          prefer: [{ expression: 'zone = y', weight: 3 }],
        }));
        const result = planWithReasons(HostIndex.of({ hosts: list }), { requests, rules: softRules });
        if (!result.fits) return;
        const wanted = requests.reduce((sum, { units }) => sum + (units[0]?.instances ?? 0), 0);
        expect(result.decisions).toHaveLength(wanted);
        for (const { functionId, chosen, runnersUp } of result.decisions ?? []) {
          for (const { score, parts } of [chosen, ...runnersUp])
            expect(Object.values(parts).reduce((sum, part) => sum + part, 0)).toBeCloseTo(score, 9);
          for (const { hostId, score } of runnersUp) {
            compared += 1;
            expect(score).toBeLessThanOrEqual(chosen.score);
            const host = list.find((each) => each.hostId === hostId);
            const asked = requests.find((each) => each.functionId === functionId);
            expect(host).toMatchObject({ isDraining: false, isDisputed: false });
            expect(asked?.tiers.length === 0 || asked?.tiers.includes(host?.tier ?? 'cloud')).toBe(true);
            expect(host?.taints?.some(({ effect }) => effect === 'refuse') ?? false).toBe(false);
          }
        }
      }),
      { numRuns: 300, seed: 8 },
    );
    expect(compared).toBeGreaterThan(50);
  });
});

describe('amounts', () => {
  it('are spelled so that a descriptor reads the same', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 32 }), fc.nat({ max: 1e6 }), (kibibytes, millis) => {
        expect(parseBytes(spellBytes(kibibytes * 1024))).toBe(kibibytes * 1024);
        expect(parseCpuMillis(spellCpu(millis))).toBe(millis);
      }),
    );
  });
});
