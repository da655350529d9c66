import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { VnfInstanceId } from '../../kernel/index.ts';
import {
  HostIndex,
  planPlacement,
  type HostSnapshot,
  type PlacementProblem,
  type PlacementRequest,
  type PlacementResult,
} from './index.ts';
import { applyPlan, buildDemand, buildHost, buildRequest } from './testkit.ts';

const id = (name: string) => `f-${name}` as VnfInstanceId;
const zone = fc.constantFrom('x', 'y', 'z');
const RESERVES = { cloud: 0.25 };

const hosts = fc
  .array(
    fc.record({
      zone: fc.option(zone, { nil: undefined }),
      cpuMillis: fc.integer({ min: 100, max: 1000 }),
      tpus: fc.integer({ min: 0, max: 3 }),
      kbit: fc.option(fc.integer({ min: 1, max: 1000 }), { nil: undefined }),
      taint: fc.constantFrom(undefined, undefined, 'refuse' as const, 'avoid' as const),
      to: zone,
      p95Milliseconds: fc.integer({ min: 1, max: 60 }),
      victims: fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 3 }),
    }),
    { minLength: 1, maxLength: 8 },
  )
  .map((list): readonly HostSnapshot[] =>
    list.map((each, at) => {
      const resources = { cpuMillis: 100, memoryBytes: 1, storageBytes: 0 };
      return buildHost(`h${at}`, {
        labels: each.zone === undefined ? {} : { zone: each.zone },
        allocatable: {
          cpuMillis: each.cpuMillis,
          memoryBytes: 2 ** 30,
          storageBytes: 0,
          devices: { tpu: each.tpus },
        },
        used: {
          cpuMillis: Math.min(each.cpuMillis, 100 * each.victims.length),
          memoryBytes: each.victims.length,
          storageBytes: 0,
        },
        placed: each.victims.map((priority, slot) => ({
          functionId: id(`victim-${at}-${slot}`),
          unit: 'main',
          instances: 1,
          priority,
          resources,
          fixedPorts: [],
        })),
        latencies: [{ to: each.to, p95Milliseconds: each.p95Milliseconds, ageSeconds: 0 }],
        ...(each.kbit === undefined ? {} : { uplink: { bitsPerSecond: each.kbit * 1000 } }),
        ...(each.taint === undefined ? {} : { taints: [{ text: 'gpu', effect: each.taint }] }),
      });
    }),
  );

const request = (name: string, sendsTo: string | undefined) =>
  fc
    .record({
      instances: fc.integer({ min: 0, max: 4 }),
      cpuMillis: fc.integer({ min: 1, max: 300 }),
      tpus: fc.integer({ min: 0, max: 1 }),
      kbit: fc.integer({ min: 1, max: 400 }),
      tolerates: fc.boolean(),
      usesReserve: fc.boolean(),
      priority: fc.integer({ min: 0, max: 4 }),
      near: fc.option(fc.record({ to: zone, maxMilliseconds: fc.integer({ min: 0, max: 60 }) }), {
        nil: undefined,
      }),
      apart: fc.option(fc.constantFrom('host', 'zone'), { nil: undefined }),
      maxSkew: fc.option(fc.integer({ min: 1, max: 2 }), { nil: undefined }),
    })
    .map((each): PlacementRequest =>
      buildRequest(name, {
        units: [
          buildDemand(each.instances, 1, {
            resources: {
              cpuMillis: each.cpuMillis,
              memoryBytes: 1,
              storageBytes: 0,
              devices: { tpu: each.tpus },
            },
          }),
        ],
        labels: { name },
        priority: each.priority,
        usesReserve: each.usesReserve,
        ...(each.tolerates ? { tolerates: ['gpu'] } : {}),
        ...(each.near === undefined
          ? {}
          : { near: [{ to: { label: each.near.to }, maxMilliseconds: each.near.maxMilliseconds }] }),
        ...(each.apart === undefined
          ? {}
          : { affinities: [{ type: 'apart', with: `name = ${name}`, scope: each.apart }] }),
        ...(each.maxSkew === undefined ? {} : { spread: [{ by: 'zone', maxSkew: each.maxSkew }] }),
        ...(sendsTo === undefined ? {} : { flows: [{ to: id(sendsTo), bitsPerSecond: each.kbit * 1000 }] }),
      }),
    );

const problems = fc.record({
  hosts,
  requests: fc.tuple(request('a', undefined), request('b', 'a'), request('c', 'b')).map((all) => [...all]),
  maxEvictions: fc.integer({ min: 0, max: 3 }),
});

type Placed = {
  readonly hosts: readonly HostSnapshot[];
  readonly problem: PlacementProblem;
  readonly result: Extract<PlacementResult, { readonly fits: true }>;
  readonly maxEvictions: number;
};

/** Holds for every plan that there is. */
function check(property: (placed: Placed) => void): void {
  fc.assert(
    fc.property(problems, ({ hosts: list, requests, maxEvictions }) => {
      const problem = { requests, rules: [] };
      const result = planPlacement({ hosts: list, reserves: RESERVES }, problem, { maxEvictions });
      if (result.fits) property({ hosts: list, problem, result, maxEvictions });
    }),
    { numRuns: 400 },
  );
}

/** The host of each instance that a plan adds. */
function additionsOf({ hosts: list, problem, result }: Placed) {
  const byId = new Map(list.map((host) => [host.hostId, host]));
  return problem.requests.map((each) => ({
    request: each,
    hosts: result.additions
      .filter(({ functionId }) => functionId === each.functionId)
      .flatMap(({ hostId, instances }) => {
        const host = byId.get(hostId);
        return host === undefined ? [] : Array.from({ length: instances }, () => host);
      }),
  }));
}

const domainOf = (host: HostSnapshot, scope: string) => (scope === 'host' ? host.hostId : host.labels[scope]);

describe('every plan', () => {
  it('takes no more devices than a host has', () => {
    check((placed) => {
      const taken = new Map<HostSnapshot, number>();
      for (const { request: each, hosts: on } of additionsOf(placed))
        for (const host of on)
          taken.set(host, (taken.get(host) ?? 0) + (each.units[0]?.resources.devices?.['tpu'] ?? 0));
      for (const [host, count] of taken)
        expect(count).toBeLessThanOrEqual(host.allocatable.devices?.['tpu'] ?? 0);
    });
  });

  it('leaves the reserve of a host to what may use it', () => {
    check((placed) => {
      const mayUse = new Set(
        placed.problem.requests.flatMap((each) => (each.usesReserve === true ? [each.functionId] : [])),
      );
      if (mayUse.size > 0 || placed.result.evictions.length > 0) return;
      const grown = new Set(placed.result.additions.map(({ hostId }) => hostId));
      const after = applyPlan({ hosts: placed.hosts }, placed.problem, placed.result).hosts;
      for (const host of after.filter(({ hostId }) => grown.has(hostId)))
        expect(host.used.cpuMillis).toBeLessThanOrEqual(host.allocatable.cpuMillis * 0.75);
    });
  });

  it('goes to no host with a taint that is not tolerated, and to none that is too far', () => {
    check((placed) => {
      for (const { request: each, hosts: on } of additionsOf(placed))
        for (const host of on) {
          const isRefused = host.taints?.some(({ effect }) => effect === 'refuse') ?? false;
          expect(isRefused && each.tolerates === undefined).toBe(false);
          for (const { to, maxMilliseconds } of each.near ?? []) {
            const label = 'label' in to ? to.label : '';
            const measured = host.latencies?.find((one) => one.to === label)?.p95Milliseconds ?? Infinity;
            const isNear = host.labels['zone'] === label || measured <= maxMilliseconds;
            expect(isNear).toBe(true);
          }
        }
    });
  });

  it('keeps the instances of a function apart where it says so', () => {
    check((placed) => {
      for (const { request: each, hosts: on } of additionsOf(placed))
        for (const { scope } of each.affinities ?? []) {
          const domains = on.flatMap((host) => domainOf(host, scope) ?? []);
          expect(new Set(domains).size).toBe(domains.length);
        }
    });
  });

  it('keeps within the skew that a spread allows, between zones that the function uses', () => {
    check((placed) => {
      for (const { request: each, hosts: on } of additionsOf(placed))
        for (const { by, maxSkew = Infinity } of each.spread ?? []) {
          const counts = [...Map.groupBy(on, (host) => domainOf(host, by)).values()].map(
            ({ length }) => length,
          );
          expect(on.every((host) => domainOf(host, by) !== undefined)).toBe(true);
          expect(Math.max(0, ...counts) - Math.min(...counts, Infinity)).toBeLessThanOrEqual(maxSkew);
        }
    });
  });

  it('sends no more over an uplink than it carries', () => {
    check((placed) => {
      const where = new Map(additionsOf(placed).map(({ request: each, hosts: on }) => [each.functionId, on]));
      const load = new Map<HostSnapshot, number>();
      const add = (host: HostSnapshot, bits: number) => load.set(host, (load.get(host) ?? 0) + bits);
      const isBeside = (a: HostSnapshot, b: HostSnapshot) =>
        a === b || (a.labels['zone'] !== undefined && a.labels['zone'] === b.labels['zone']);
      for (const { request: each, hosts: on } of additionsOf(placed))
        for (const { to, bitsPerSecond } of each.flows ?? []) {
          const targets = [...new Set(where.get(to) ?? [])];
          for (const host of on) {
            if (targets.length === 0 || targets.some((target) => isBeside(target, host))) continue;
            add(host, bitsPerSecond);
            for (const target of targets) add(target, bitsPerSecond / targets.length);
          }
        }
      for (const [host, bits] of load)
        expect(bits).toBeLessThanOrEqual((host.uplink?.bitsPerSecond ?? Infinity) + 1e-6);
    });
  });

  it('has only lower priorities make room, and no more of them than it may', () => {
    check(({ hosts: list, problem, result, maxEvictions }) => {
      const highest = Math.max(...problem.requests.map(({ priority = 0 }) => priority));
      const victims = list.flatMap(({ placed }) => placed);
      for (const { functionId } of result.evictions)
        expect(victims.find((each) => each.functionId === functionId)?.priority).toBeLessThan(highest);
      expect(result.evictions.reduce((total, { instances }) => total + instances, 0)).toBeLessThanOrEqual(
        maxEvictions,
      );
    });
  });

  it('leaves the index as it was, whether it fits or not', () => {
    const told = (index: HostIndex, list: readonly HostSnapshot[]) =>
      list.map(({ hostId }) => {
        const row = index.rowOf(hostId) ?? -1;
        return [
          index.cpu.free[row],
          index.memory.free[row],
          index.devices.get('tpu')?.free[row],
          index.occupancy.functionsOn(row),
        ];
      });
    fc.assert(
      fc.property(problems, ({ hosts: list, requests, maxEvictions }) => {
        const index = HostIndex.of({ hosts: list, reserves: RESERVES });
        const before = told(index, list);
        planPlacement(index, { requests, rules: [] }, { maxEvictions });
        expect(told(index, list)).toEqual(before);
        expect([...index.occupancy.functions.keys()].toSorted()).toEqual(
          list.flatMap(({ placed }) => placed.map(({ functionId }) => functionId)).toSorted(),
        );
      }),
      { numRuns: 200 },
    );
  });
});
