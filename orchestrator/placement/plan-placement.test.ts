import { describe, expect, it } from 'vitest';
import type { HostId, TenantId, VnfInstanceId } from '../../kernel/index.ts';
import {
  describePlan,
  planPlacement,
  type PlacementProblem,
  type PlacementRequest,
  type PlacementRule,
} from './index.ts';
import { buildDemand, buildHost, buildRequest } from './testkit.ts';

const id = (name: string) => `f-${name}` as VnfInstanceId;

function plan(
  hosts: readonly ReturnType<typeof buildHost>[],
  requests: readonly PlacementRequest[],
  rules: readonly PlacementRule[] = [],
): readonly string[] {
  const problem: PlacementProblem = { requests, rules };
  return describePlan(problem, planPlacement({ hosts }, problem));
}

describe('filters', () => {
  it.each([
    ['a tier', buildHost('h', { tier: 'cloud' }), { tiers: ['device-edge'] }, 'lack tier=device-edge'],
    ['an architecture', buildHost('h'), { architectures: ['arm64'] }, 'lack arch=arm64'],
    ['a label', buildHost('h'), { require: ['accelerator.tpu >= 1'] }, 'do not match "accelerator.tpu >= 1"'],
    [
      'a jurisdiction',
      buildHost('h', { jurisdiction: 'US' }),
      { jurisdictions: ['EU'] },
      'are not in jurisdiction EU',
    ],
    ['a known jurisdiction', buildHost('h'), { jurisdictions: ['DE'] }, 'are not in jurisdiction DE'],
    [
      'a driver',
      buildHost('h', { artifactTypes: ['container'] }),
      {},
      'have no driver for artifacts of type process',
    ],
    ['a state', buildHost('h', { state: 'SUSPECT' }), {}, 'are SUSPECT'],
    ['peace', buildHost('h', { isDisputed: true }), {}, 'are disputed'],
    ['a future', buildHost('h', { isDraining: true }), {}, 'are being drained'],
    ['our tenant', buildHost('h', { tenants: ['other' as TenantId] }), {}, 'do not serve tenant default'],
    ['our choice', buildHost('h'), { hosts: ['h2' as HostId] }, 'are not among h2'],
    ['luck', buildHost('h'), { avoidHosts: ['h' as HostId] }, 'have just been given up for it'],
    [
      'a free port',
      buildHost('h', { ports: ['tcp/4222'] }),
      { units: [buildDemand(1, 1, { fixedPorts: ['tcp/4222'] })] },
      'have port tcp/4222 in use',
    ],
    ['memory', buildHost('h'), { units: [buildDemand(1, 2048)] }, 'lack memory: need 2 GiB, most free 1 GiB'],
    [
      'CPU',
      buildHost('h'),
      { units: [buildDemand(1, 1, { resources: { cpuMillis: 5000, memoryBytes: 1, storageBytes: 0 } })] },
      'lack CPU: need 5000m, most free 4000m',
    ],
  ] satisfies [string, ReturnType<typeof buildHost>, Partial<PlacementRequest>, string][])(
    'refuse a host that lacks %s',
    (_what, host, changes, reason) => {
      expect(plan([host], [buildRequest('a', changes)])).toEqual([
        `a/main: no host for 1 instance: of 1 host, 1 ${reason}`,
      ]);
    },
  );

  it('take a host in a member state of the EU, and in a part of the country that is asked for', () => {
    const host = buildHost('h', { jurisdiction: 'DE-BY' });
    for (const jurisdictions of [['EU'], ['DE'], ['DE-BY']])
      expect(plan([host], [buildRequest('a', { jurisdictions })])).toEqual(['place 1 × a/main on h']);
  });

  it('count each host once, under the first thing that it lacks', () => {
    const hosts = [
      ...Array.from({ length: 790 }, (_, index) => buildHost(`amd-${index}`)),
      ...Array.from({ length: 22 }, (_, index) =>
        buildHost(`arm-${index}`, {
          architecture: 'arm64',
          allocatable: { cpuMillis: 4000, memoryBytes: 96 * 2 ** 20, storageBytes: 0 },
        }),
      ),
    ];
    expect(plan(hosts, [buildRequest('a', { architectures: ['arm64'] })])).toEqual([
      'a/main: no host for 1 instance: of 812 hosts, 790 lack arch=arm64, 22 lack memory: need 128 MiB, most free 96 MiB',
    ]);
  });

  it('say that there are no hosts where there are none', () => {
    expect(plan([], [buildRequest('a')])).toEqual(['a/main: no host for 1 instance: there are no hosts']);
  });

  it('keep a function where it reaches what it requires, and where it is reached', () => {
    const hosts = [
      buildHost('behind-nat', { reachableFrom: ['site = north'], labels: { site: 'north' } }),
      buildHost('north', { labels: { site: 'north' } }),
      buildHost('south', { labels: { site: 'south' } }),
    ];
    const broker = buildRequest('broker', { hosts: ['behind-nat' as HostId], dependents: [id('client')] });
    const client = buildRequest('client', {
      providers: [id('broker')],
      avoidHosts: ['behind-nat' as HostId],
    });
    expect(plan(hosts, [client, broker])).toEqual([
      'place 1 × broker/main on behind-nat',
      'place 1 × client/main on north',
    ]);
    expect(plan(hosts.slice(0, 1).concat(hosts.slice(2)), [client, broker])[0]).toContain(
      '1 cannot reach what it requires',
    );
    const placed = { functionId: id('client'), unit: 'main', instances: 1 };
    const withClient = [
      buildHost('behind-nat', { reachableFrom: ['host = north'] }),
      buildHost('south', { placed: [placed] }),
    ];
    expect(
      plan(withClient, [
        buildRequest('broker', { hosts: ['behind-nat' as HostId], dependents: [id('client')] }),
      ])[0],
    ).toContain('1 cannot be reached by what requires it');
  });
});

describe('scores', () => {
  it('spread the instances of a function over the domains it names, then by room', () => {
    const hosts = [
      buildHost('a1', { labels: { zone: 'a' } }),
      buildHost('a2', { labels: { zone: 'a' } }),
      buildHost('b1', { labels: { zone: 'b' }, used: { cpuMillis: 3000, memoryBytes: 0, storageBytes: 0 } }),
    ];
    expect(plan(hosts, [buildRequest('f', { units: [buildDemand(3)], spread: [{ by: 'zone' }] })])).toEqual([
      'place 1 × f/main on a1',
      'place 1 × f/main on a2',
      'place 1 × f/main on b1',
    ]);
  });

  it('heed preferences by weight, even against room', () => {
    const hosts = [
      buildHost('roomy'),
      buildHost('mains', {
        labels: { power: 'mains' },
        used: { cpuMillis: 3000, memoryBytes: 0, storageBytes: 0 },
      }),
    ];
    const prefer = [{ expression: 'power = mains', weight: 10 }];
    expect(plan(hosts, [buildRequest('f', { prefer })])).toEqual(['place 1 × f/main on mains']);
    const against = [...prefer, { expression: 'not power = mains', weight: 11 }];
    expect(plan(hosts, [buildRequest('f', { prefer: against })])).toEqual(['place 1 × f/main on roomy']);
  });

  it('prefer the host with most room, and the first by name among equals', () => {
    const used = { cpuMillis: 0, memoryBytes: 512 * 2 ** 20, storageBytes: 0 };
    expect(
      plan([buildHost('c', { used }), buildHost('b'), buildHost('a', { used })], [buildRequest('f')]),
    ).toEqual(['place 1 × f/main on b']);
    expect(plan([buildHost('b'), buildHost('a')], [buildRequest('f')])).toEqual(['place 1 × f/main on a']);
  });
});

describe('rules of a service', () => {
  it('keep functions together, also where the first host that suits one has no room for both', () => {
    const small = { cpuMillis: 4000, memoryBytes: 300 * 2 ** 20, storageBytes: 0 };
    const hosts = [
      buildHost('large', { labels: { power: 'battery' } }),
      buildHost('small', { allocatable: small, labels: { power: 'mains' } }),
    ];
    const requests = [
      buildRequest('a', { prefer: [{ expression: 'power = mains', weight: 1 }] }),
      buildRequest('b', { units: [buildDemand(1, 256)] }),
    ];
    const together: PlacementRule = { type: 'together', functionIds: [id('a'), id('b')], scope: 'host' };
    expect(plan(hosts, requests, [together])).toEqual([
      'place 1 × a/main on large',
      'place 1 × b/main on large',
    ]);
    expect(plan(hosts, requests)).toEqual(['place 1 × a/main on small', 'place 1 × b/main on large']);
  });

  it('keep functions apart, and the instances of one function where the rule names only it', () => {
    const hosts = [
      buildHost('a1', { labels: { zone: 'a' } }),
      buildHost('a2', { labels: { zone: 'a' } }),
      buildHost('b1', { labels: { zone: 'b' }, used: { cpuMillis: 3000, memoryBytes: 0, storageBytes: 0 } }),
    ];
    const apart = (...names: string[]): PlacementRule => ({
      type: 'apart',
      functionIds: names.map(id),
      scope: 'zone',
    });
    expect(plan(hosts, [buildRequest('x'), buildRequest('y')], [apart('x', 'y')])).toEqual([
      'place 1 × x/main on a1',
      'place 1 × y/main on b1',
    ]);
    const three = buildRequest('x', { units: [buildDemand(3)] });
    expect(plan(hosts, [three], [apart('x')])).toEqual([
      'x/main: no host for 1 instance: of 3 hosts, 3 are in a zone that holds what must be apart from it',
    ]);
  });

  it('refuse hosts without the label that a rule speaks of', () => {
    const apart: PlacementRule = { type: 'apart', functionIds: [id('x')], scope: 'zone' };
    expect(plan([buildHost('h')], [buildRequest('x')], [apart])[0]).toContain('1 lack the label zone');
  });
});

describe('coverage', () => {
  const each = buildRequest('gateway', { coverage: 'tier = device-edge' });
  const placed = [{ functionId: id('gateway'), unit: 'main', instances: 1 }];

  it('puts one on every host that matches, and reports those that cannot run it', () => {
    const hosts = [
      buildHost('e1', { tier: 'device-edge' }),
      buildHost('e2', { tier: 'device-edge', artifactTypes: ['container'] }),
      buildHost('c1'),
    ];
    expect(plan(hosts, [each])).toEqual([
      'place 1 × gateway/main on e1',
      'gateway: not on 1 of the hosts to cover: of 2 hosts, 1 have no driver for artifacts of type process',
    ]);
  });

  it('leaves hosts that no longer match or are drained, and stays on those that are silent', () => {
    const hosts = [
      buildHost('moved', { tier: 'cloud', placed }),
      buildHost('drained', { tier: 'device-edge', isDraining: true, placed }),
      buildHost('silent', { tier: 'device-edge', state: 'LOST', placed }),
    ];
    expect(plan(hosts, [each])).toEqual([
      'remove 1 × gateway/main on drained',
      'remove 1 × gateway/main on moved',
    ]);
  });

  it('is content with no host at all', () => {
    expect(plan([buildHost('c1')], [each])).toEqual(['nothing changes']);
  });
});

describe('scaling in', () => {
  it('takes from hosts that are not READY first, then where the load is uneven', () => {
    const of = (instances: number) => [{ functionId: id('f'), unit: 'main', instances }];
    const hosts = [
      buildHost('a', { placed: of(1) }),
      buildHost('b', { placed: of(2) }),
      buildHost('c', { placed: of(1), state: 'SUSPECT' }),
    ];
    expect(plan(hosts, [buildRequest('f', { units: [buildDemand(2)] })])).toEqual([
      'remove 1 × f/main on b',
      'remove 1 × f/main on c',
    ]);
  });
});
