import { describe, expect, it } from 'vitest';
import type { HostId, TenantId, VnfInstanceId } from '../../kernel/index.ts';
import {
  describePlan,
  HostIndex,
  planPlacement,
  planWithReasons,
  type HostSnapshot,
  type PlacementRequest,
  type PlacementRule,
  type PlacementSnapshot,
  type PlanningOptions,
} from './index.ts';
import { buildDemand, buildHost, buildRequest } from './testkit.ts';

const id = (name: string) => `f-${name}` as VnfInstanceId;

interface Extras {
  readonly rules?: readonly PlacementRule[];
  readonly options?: PlanningOptions;
  readonly reserves?: PlacementSnapshot['reserves'];
}

/** The plan in lines. */
function plan(
  hosts: readonly HostSnapshot[],
  requests: readonly PlacementRequest[] | PlacementRequest,
  { rules = [], options = {}, reserves = {} }: Extras = {},
): readonly string[] {
  const problem = { requests: [requests].flat(), rules };
  return describePlan(problem, planPlacement({ hosts, reserves }, problem, options));
}

/** Where the one instance goes. */
function chosen(
  hosts: readonly HostSnapshot[],
  changes: Partial<PlacementRequest>,
  extras: Extras = {},
): string {
  const [line = ''] = plan(hosts, buildRequest('a', changes), extras);
  return line.replace('place 1 × a/main on ', '');
}

const placed = (name: string, labels: Readonly<Record<string, string>> = {}, instances = 1) => ({
  functionId: id(name),
  unit: 'main',
  instances,
  labels,
});

describe('devices', () => {
  const withTpus = (name: string, count: number) =>
    buildHost(name, {
      allocatable: { cpuMillis: 4000, memoryBytes: 2 ** 30, storageBytes: 0, devices: { tpu: count } },
    });
  const wanting = (instances: number) =>
    buildRequest('a', {
      units: [
        buildDemand(instances, 1, {
          resources: { cpuMillis: 1, memoryBytes: 1, storageBytes: 0, devices: { tpu: 1 } },
        }),
      ],
    });

  it('are counted: as many instances as there are devices', () => {
    const hosts = [withTpus('one', 1), withTpus('two', 2), buildHost('none')];
    expect(plan(hosts, wanting(3))).toEqual(['place 1 × a/main on one', 'place 2 × a/main on two']);
    expect(plan(hosts, wanting(4))).toEqual([
      'a/main: no host for 1 instance: of 3 hosts, 3 lack tpu: need 1, most free 0',
    ]);
  });
});

describe('a class of devices that is called what every object has', () => {
  it('is counted as any other', () => {
    const devices = { constructor: 2 };
    const resources = { cpuMillis: 1, memoryBytes: 1, storageBytes: 0 };
    const host = buildHost('h', {
      allocatable: { ...resources, cpuMillis: 1000, memoryBytes: 1000, devices },
    });
    const wanting = (count: number) =>
      buildRequest('a', {
        units: [buildDemand(1, 1, { resources: { ...resources, devices: { constructor: count } } })],
      });
    expect(plan([host, buildHost('none')], wanting(2))).toEqual(['place 1 × a/main on h']);
    expect(plan([host, buildHost('none')], wanting(3))[0]).toContain('no host');
  });
});

describe('storage', () => {
  it('is taken by volumes, and lacking where there is too little', () => {
    const units = [
      buildDemand(1, 1, { resources: { cpuMillis: 1, memoryBytes: 1, storageBytes: 3 * 2 ** 30 } }),
    ];
    expect(chosen([buildHost('h')], { units })).toContain('lack storage: need 3 GiB, most free 1 GiB');
  });
});

describe('taints', () => {
  const tainted = (effect: 'refuse' | 'avoid') =>
    buildHost('lab', { taints: [{ text: 'dedicated=lab', effect }] });

  it('keep out what does not tolerate them, by key or whole', () => {
    expect(chosen([tainted('refuse')], {})).toContain('1 have a taint that a does not tolerate');
    expect(chosen([tainted('refuse')], { tolerates: ['dedicated=iot'] })).toContain('does not tolerate');
    for (const tolerates of [['dedicated'], ['dedicated=lab']])
      expect(chosen([tainted('refuse')], { tolerates })).toBe('lab');
  });

  it('that only say avoid make a host worse, and keep nothing out', () => {
    expect(chosen([tainted('avoid')], {})).toBe('lab');
    const small = buildHost('other', {
      allocatable: { cpuMillis: 200, memoryBytes: 2 ** 28, storageBytes: 0 },
    });
    expect(chosen([tainted('avoid'), small], {})).toBe('other');
    expect(chosen([tainted('avoid'), small], { tolerates: ['dedicated'] })).toBe('lab');
  });
});

describe('tenants', () => {
  it('share hosts, or have some of their own', () => {
    const hosts = [buildHost('a-own', { tenants: ['acme' as TenantId] }), buildHost('shared')];
    expect(chosen(hosts, { tenant: 'other' as TenantId })).toBe('shared');
    expect(chosen(hosts.slice(0, 1), { tenant: 'acme' as TenantId })).toBe('a-own');
  });
});

describe('objectives', () => {
  it('make cheap hosts better; one whose cost is not known is as dear as the dearest', () => {
    const hosts = [
      buildHost('dear', { costPerHour: 2 }),
      buildHost('cheap', { costPerHour: 1 }),
      buildHost('a-unknown'),
    ];
    expect(chosen(hosts, { objectives: { cost: 10 } })).toBe('cheap');
    expect(chosen(hosts, {})).toBe('a-unknown');
  });

  it('make hosts with a metered uplink worse', () => {
    const hosts = [buildHost('a-metered', { uplink: { isMetered: true } }), buildHost('flat')];
    expect(chosen(hosts, { objectives: { metered: 5 } })).toBe('flat');
    expect(chosen(hosts, {})).toBe('a-metered');
  });

  it('make hosts that were often away worse, also where nothing is said of it', () => {
    const hosts = [buildHost('a-flaky', { availability: 0.8 }), buildHost('steady')];
    expect(chosen(hosts, {})).toBe('steady');
    expect(chosen(hosts, { objectives: { availability: 0 } })).toBe('a-flaky');
  });

  it('weigh a power source as any other preference', () => {
    const hosts = [
      buildHost('a-battery', { labels: { power: 'battery' } }),
      buildHost('mains', { labels: { power: 'mains' } }),
    ];
    expect(chosen(hosts, { prefer: [{ expression: 'power = mains', weight: 1 }] })).toBe('mains');
  });
});

describe('a reserve', () => {
  const half = buildHost('h', { allocatable: { cpuMillis: 200, memoryBytes: 2 ** 30, storageBytes: 0 } });
  const units = [buildDemand(2, 1)];

  it('is kept free on hosts of its tier, and told as what is lacking', () => {
    const reserves = { cloud: 0.3 };
    expect(chosen([half], { units }, { reserves })).toContain('1 lack CPU: need 100m, most free 40m');
    expect(plan([half], buildRequest('a', { units }), { reserves: { 'device-edge': 0.3 } })).toEqual([
      'place 2 × a/main on h',
    ]);
  });

  it('is there for what may use it', () => {
    const request = buildRequest('a', { units, usesReserve: true });
    expect(plan([half], request, { reserves: { cloud: 0.3 } })).toEqual(['place 2 × a/main on h']);
  });
});

describe('nearness', () => {
  const measured = (name: string, to: string, p95Milliseconds: number, ageSeconds = 0) =>
    buildHost(name, { latencies: [{ to, p95Milliseconds, ageSeconds }] });

  it('to a host, a zone or a label is by measured latency, and what nobody has measured is too far', () => {
    const hosts = [measured('far', 'zone=north', 30), measured('near', 'zone=north', 10), buildHost('a')];
    const to = { label: 'zone=north' };
    expect(chosen(hosts, { near: [{ to, maxMilliseconds: 20 }] })).toBe('near');
    expect(chosen(hosts, { near: [{ to, maxMilliseconds: 5 }] })).toContain(
      'of 3 hosts, 3 are not known to be within 5 ms of zone=north',
    );
    const there = buildHost('there', { labels: { zone: 'north' } });
    expect(chosen([...hosts, there], { near: [{ to, maxMilliseconds: 0 }] })).toBe('there');
    const toHost = { host: 'far' as HostId };
    expect(chosen([...hosts, measured('z', 'far', 3)], { near: [{ to: toHost, maxMilliseconds: 4 }] })).toBe(
      'far',
    );
  });

  it('heeds how old a measurement is', () => {
    const near = [{ to: { label: 'north' }, maxMilliseconds: 20, maxAgeSeconds: 60 }];
    expect(chosen([measured('old', 'north', 1, 61), measured('new', 'north', 19, 59)], { near })).toBe('new');
  });

  it('to another function, or to the data that it keeps, is to wherever it is, as measured from either end', () => {
    const store = buildHost('core', {
      placed: [placed('store')],
      allocatable: { cpuMillis: 0, memoryBytes: 0, storageBytes: 0 },
      latencies: [{ to: 'edge-2', p95Milliseconds: 4, ageSeconds: 0 }],
    });
    const hosts = [store, buildHost('edge-1'), buildHost('edge-2')];
    expect(chosen(hosts, { near: [{ to: { functionId: id('store') }, maxMilliseconds: 5 }] })).toBe('edge-2');
  });

  it('with a weight is best effort, and the nearer the better', () => {
    const to = { label: 'north' };
    const hosts = [measured('a', 'north', 15), measured('b', 'north', 5), buildHost('c')];
    expect(chosen(hosts, { near: [{ to, maxMilliseconds: 20, weight: 3 }] })).toBe('b');
    expect(chosen([buildHost('c')], { near: [{ to, maxMilliseconds: 20, weight: 3 }] })).toBe('c');
  });
});

describe('affinities', () => {
  const north = buildHost('north', {
    labels: { zone: 'n' },
    placed: [placed('db', { role: 'data', tenant: 'default' })],
  });
  const northToo = buildHost('north-2', { labels: { zone: 'n' } });
  const south = buildHost('a-south', { labels: { zone: 's' } });

  it('keep apart from whatever has a label, by host or zone', () => {
    const apart = (scope: string) => ({
      affinities: [{ type: 'apart' as const, with: 'role = data', scope }],
    });
    expect(chosen([north, northToo], apart('host'))).toBe('north-2');
    expect(chosen([north, northToo, south], apart('zone'))).toBe('a-south');
    expect(chosen([north], apart('host'))).toContain('1 are in a host that holds what matches "role = data"');
  });

  it('keep together with it; the first of its own kind may go anywhere', () => {
    const together = { affinities: [{ type: 'together' as const, with: 'role = data', scope: 'zone' }] };
    expect(chosen([south, north, northToo], together)).toMatch(/^north/);
    expect(chosen([south], together)).toContain('1 are in no zone that holds what matches "role = data"');
    expect(chosen([south], { ...together, labels: { role: 'data' } })).toBe('a-south');
  });

  it('with a weight only make it better or worse', () => {
    const soft = { affinities: [{ type: 'apart' as const, with: 'role = data', scope: 'zone', weight: 5 }] };
    expect(chosen([north, south], soft)).toBe('a-south');
    expect(chosen([north], soft)).toBe('north');
  });

  it('of a function with its own kind keep its instances apart', () => {
    const own = { type: 'apart' as const, with: 'name = a', scope: 'zone' };
    const request = buildRequest('a', {
      units: [buildDemand(3)],
      labels: { name: 'a' },
      affinities: [own],
    });
    expect(plan([north, northToo, south], request)[0]).toContain('no host for 1 instance');
    expect(plan([north, northToo, south], { ...request, units: [buildDemand(2)] })).toHaveLength(2);
  });
});

describe('affinities of what is there', () => {
  const apart = [{ type: 'apart' as const, with: 'role = ae', scope: 'host' }];
  const full = { cpuMillis: 4000, memoryBytes: 2 ** 27, storageBytes: 0 };
  const wary = buildRequest('a', { labels: { role: 'cse' }, affinities: apart, units: [buildDemand(2)] });
  const hosts = [
    buildHost('h1', { used: full, placed: [{ ...placed('a', { role: 'cse' }), affinities: apart }] }),
    buildHost('h2', { placed: [placed('e', { role: 'ae' })] }),
  ];
  const units = [buildDemand(1, 1, { resources: { cpuMillis: 0, memoryBytes: 1, storageBytes: 0 } })];
  const newcomer = buildRequest('d', { labels: { role: 'ae' }, hosts: ['h1' as HostId], units });

  it('keep off what they are hard apart from, whoever comes first', () => {
    expect(plan(hosts, newcomer)[0]).toContain('1 are in a host that holds what is to be apart from it');
  });

  it('hold after it was tried what would be without them', () => {
    const index = HostIndex.of({ hosts });
    expect(planWithReasons(index, { requests: [wary], rules: [] })).toMatchObject({ fits: false });
    expect(planPlacement(index, { requests: [newcomer], rules: [] }).fits).toBe(false);
  });
});

describe('rules of a service at best effort', () => {
  it('are kept where that is possible, and break nothing where it is not', () => {
    const hosts = ['x', 'y'].map((zone) => buildHost(zone, { labels: { zone } }));
    const requests = ['a', 'b'].map((name) => buildRequest(name));
    const rules = [{ type: 'together' as const, functionIds: [id('a'), id('b')], scope: 'zone', weight: 5 }];
    expect(plan(hosts, requests, { rules })).toEqual(['place 1 × a/main on x', 'place 1 × b/main on x']);
    const full = hosts.map((host) => ({ ...host, allocatable: { ...host.allocatable, cpuMillis: 100 } }));
    expect(plan(full, requests, { rules })).toEqual(['place 1 × a/main on x', 'place 1 × b/main on y']);
  });
});

describe('a spread with a maximum skew', () => {
  const zones = (counts: readonly number[], by = 'zone') =>
    counts.flatMap((count, zone) =>
      Array.from({ length: count }, (_, at) =>
        buildHost(`${zone}-${at}`, {
          labels: { [by]: `z${zone}` },
          allocatable: { cpuMillis: 100, memoryBytes: 2 ** 30, storageBytes: 0 },
        }),
      ),
    );
  const spread = (instances: number, by: string, maxSkew: number) =>
    buildRequest('a', { units: [buildDemand(instances, 1)], spread: [{ by, maxSkew, weight: 0 }] });

  it('lets no domain hold more than so many above the one that holds least', () => {
    expect(plan(zones([3, 1]), spread(3, 'zone', 1))).toHaveLength(3);
    expect(plan(zones([3, 1]), spread(4, 'zone', 1))[0]).toContain(
      '3 would hold more than 1 above the zone that holds least',
    );
    expect(plan(zones([3, 1]), spread(4, 'zone', 2))).toHaveLength(4);
  });

  it('works over infrastructure providers: the failure of one is no single point of failure', () => {
    const lines = plan(zones([3, 3], 'provider'), spread(4, 'provider', 1));
    expect(lines.filter((line) => line.includes(' 0-'))).toHaveLength(2);
  });

  it('refuses hosts that lack the label', () => {
    expect(plan([buildHost('h')], spread(1, 'zone', 1))[0]).toContain('1 lack the label zone');
  });
});

describe('jurisdictions', () => {
  it('hold for the ways between functions as well', () => {
    const db = buildHost('db', {
      jurisdiction: 'DE',
      labels: { zone: 'core' },
      placed: [placed('db')],
      allocatable: { cpuMillis: 0, memoryBytes: 0, storageBytes: 0 },
      uplink: { jurisdictions: ['DE'] },
    });
    const edge = (name: string, through: readonly string[]) =>
      buildHost(name, { jurisdiction: 'FR', labels: { zone: name }, uplink: { jurisdictions: through } });
    const request = { jurisdictions: ['EU'], providers: [id('db')] };
    expect(chosen([db, edge('a-via-us', ['FR', 'US']), edge('direct', ['FR'])], request)).toBe('direct');
    expect(chosen([db, edge('a-via-us', ['FR', 'US'])], request)).toContain(
      '1 send their traffic through other jurisdictions than EU',
    );
    expect(chosen([db, edge('a-via-us', ['FR', 'US'])], { jurisdictions: ['EU'] })).toBe('a-via-us');
  });
});

describe('priorities', () => {
  const full = (name: string, ...tenants: readonly (readonly [name: string, priority: number])[]) => {
    const resources = { cpuMillis: 1000, memoryBytes: 2 ** 20, storageBytes: 0 };
    return buildHost(name, {
      used: { cpuMillis: 1000 * tenants.length, memoryBytes: 0, storageBytes: 0 },
      placed: tenants.map(([victim, priority]) => ({
        ...placed(victim),
        priority,
        resources,
        fixedPorts: [],
      })),
    });
  };
  const units = [buildDemand(1, 1, { resources: { cpuMillis: 1000, memoryBytes: 1, storageBytes: 0 } })];
  const urgent = buildRequest('urgent', { units, priority: 10 });
  const options = { maxEvictions: 2 };
  const four = (name: string, priority: number) =>
    full(
      name,
      [`${name}-1`, priority],
      [`${name}-2`, priority],
      [`${name}-3`, priority],
      [`${name}-4`, priority],
    );

  it('decide who comes first', () => {
    const host = buildHost('h', { allocatable: { cpuMillis: 1000, memoryBytes: 2 ** 30, storageBytes: 0 } });
    const first = buildRequest('a', { units });
    expect(plan([host], [first, urgent])[0]).toContain('a/main: no host');
  });

  it('take the place of the lowest ones, as few as can be, and only where nothing else is free', () => {
    expect(plan([four('x', 5), four('y', 1)], urgent, { options })).toEqual([
      'make room: remove 1 × f-y-1/main on y',
      'place 1 × urgent/main on y',
    ]);
    expect(plan([four('x', 5), buildHost('z')], urgent, { options })).toEqual(['place 1 × urgent/main on z']);
  });

  it('take the place of no equals, of no more than may be disturbed, and of nobody unless asked to', () => {
    expect(plan([four('x', 10)], urgent, { options })[0]).toContain('no host');
    expect(plan([four('x', 1)], urgent)[0]).toContain('no host');
    const wide = {
      ...urgent,
      units: [buildDemand(3, 1, units[0])].map((unit) => ({ ...unit, instances: 3 })),
    };
    expect(plan([four('x', 1)], wide, { options })[0]).toContain('no host for 1 instance');
  });

  it('do not reach over the fence of a tenant', () => {
    const foreign = four('x', 1);
    const others = foreign.placed.map((each) => ({ ...each, labels: { tenant: 'other' } }));
    expect(plan([{ ...foreign, placed: others }], urgent, { options })[0]).toContain('no host');
  });
});

describe('a gang', () => {
  it('is placed whole or not at all', () => {
    const hosts = [
      buildHost('h', { allocatable: { cpuMillis: 250, memoryBytes: 2 ** 30, storageBytes: 0 } }),
    ];
    const requests = ['a', 'b', 'c'].map((name) => buildRequest(name));
    const result = planPlacement({ hosts }, { requests, rules: [] });
    expect(result).toMatchObject({ fits: false, shortfalls: [{ name: 'c', missing: 1 }] });
    expect(result).not.toHaveProperty('additions');
  });
});
