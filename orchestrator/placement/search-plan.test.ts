import { describe, expect, it } from 'vitest';
import { describePlan, planPlacement, type PlacementRequest, type PlacementRule } from './index.ts';
import { orderRequests } from './order-requests.ts';
import { buildDemand, buildHost, buildRequest } from './testkit.ts';

const host = (hostId: string, memoryMiB: number, zone = 'x') =>
  buildHost(hostId, {
    labels: { zone },
    allocatable: { cpuMillis: 4000, memoryBytes: memoryMiB * 2 ** 20, storageBytes: 0 },
  });

function plan(
  hosts: readonly ReturnType<typeof host>[],
  requests: readonly PlacementRequest[],
  searchSteps: number,
  rules: readonly PlacementRule[] = [],
): readonly string[] {
  return describePlan({ requests, rules }, planPlacement({ hosts }, { requests, rules }, { searchSteps }));
}

describe('a search', () => {
  const hosts = [host('h1', 2, 'x'), host('h2', 3, 'y')];
  const first = buildRequest('a', {
    units: [buildDemand(1, 2)],
    prefer: [{ expression: 'zone = x', weight: 5 }],
  });
  const second = buildRequest('b', { units: [buildDemand(1, 2)], require: ['zone = x'] });

  it('moves what the same plan has placed where that makes room for the rest', () => {
    expect(plan(hosts, [first, second], 0)[0]).toContain('no host');
    expect(plan(hosts, [first, second], 20)).toEqual(['place 1 × a/main on h2', 'place 1 × b/main on h1']);
  });

  it('betters a plan in which whoever came first took the place that is worth more to another', () => {
    const keener = buildRequest('b', {
      units: [buildDemand(1, 2)],
      prefer: [{ expression: 'zone = x', weight: 50 }],
    });
    expect(plan(hosts, [first, keener], 0)).toEqual(['place 1 × a/main on h1', 'place 1 × b/main on h2']);
    expect(plan(hosts, [first, keener], 50)).toEqual(['place 1 × a/main on h2', 'place 1 × b/main on h1']);
  });

  it('says why there is no plan as it is said without it', () => {
    const third = buildRequest('c', { units: [buildDemand(1, 3)], require: ['zone = x'] });
    expect(plan(hosts, [third], 100)).toEqual(plan(hosts, [third], 0));
  });

  it('refuses a plan that breaks, by what comes later, what came earlier, with the reason', () => {
    const apart = (name: string, other: string) =>
      buildRequest(name, {
        units: [buildDemand(1, 1)],
        labels: { name },
        affinities: [{ type: 'apart', with: `name = ${other}`, scope: 'zone' }],
      });
    // In a circle nobody can come after all that it names.
    const circle = [apart('a', 'b'), apart('b', 'c'), apart('c', 'a')];
    const two = [host('h1', 9, 'x'), host('h2', 9, 'y')];
    expect(plan(two, circle, 200).join()).toContain('in a zone that holds what matches');
    expect(plan([...two, host('h3', 9, 'z')], circle, 200)).toHaveLength(3);
  });

  it('lets a function join its own kind on several hosts where it cannot be the first on one', () => {
    const kin = (name: string, instances: number, memoryMiB: number, scope: string) =>
      buildRequest(name, {
        units: [buildDemand(instances, memoryMiB)],
        labels: { kind: 'all' },
        affinities: [{ type: 'together', with: 'kind = all', scope }],
      });
    const requests = [kin('b', 3, 2, 'host'), kin('c', 2, 1, 'zone')];
    const list = [host('h0', 3), host('h1', 5)];
    expect(plan(list, requests, 0).join()).toContain('no host');
    expect(plan(list, requests, 3000)).toEqual([
      'place 1 × b/main on h0',
      'place 1 × c/main on h0',
      'place 1 × c/main on h1',
      'place 2 × b/main on h1',
    ]);
  });
});

describe('the order of requests', () => {
  const names = (requests: readonly PlacementRequest[]) => orderRequests(requests).map(({ name }) => name);
  const data = buildRequest('z', { labels: { role: 'data' } });

  it('puts those that others speak of before them', () => {
    const near = buildRequest('a', { near: [{ to: { functionId: data.functionId }, maxMilliseconds: 5 }] });
    const flowing = buildRequest('b', { flows: [{ to: near.functionId, bitsPerSecond: 1 }] });
    const apart = buildRequest('c', {
      affinities: [{ type: 'apart', with: 'role = data', scope: 'zone' }],
    });
    expect(names([near, flowing, apart, data])).toEqual(['z', 'a', 'c', 'b']);
  });

  it('goes by name where two speak of each other, or of themselves', () => {
    const kin = ['b', 'a'].map((name) =>
      buildRequest(name, {
        labels: { kind: 'all' },
        affinities: [{ type: 'together', with: 'kind = all', scope: 'zone' }],
      }),
    );
    expect(names(kin)).toEqual(['a', 'b']);
  });

  it('has an end where they speak of each other in a circle', () => {
    const circle = [
      ['a', 'b'],
      ['b', 'c'],
      ['c', 'a'],
    ].map(([name = '', to = '']) =>
      buildRequest(name, {
        near: [{ to: { functionId: buildRequest(to).functionId }, maxMilliseconds: 5 }],
      }),
    );
    expect(names([...circle, data]).toSorted()).toEqual(['a', 'b', 'c', 'z']);
  });
});
