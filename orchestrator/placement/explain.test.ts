import { describe, expect, it } from 'vitest';
import type { HostId, VnfInstanceId } from '../../kernel/index.ts';
import {
  describeRefusal,
  explainHost,
  HostIndex,
  planOrRelax,
  planWithReasons,
  type HostSnapshot,
  type PlacementRequest,
  type PlacementRule,
  type PlacementSnapshot,
} from './index.ts';
import { buildDemand, buildHost, buildRequest } from './testkit.ts';

const MIB = 2 ** 20;
const roomOf = (memoryMiB: number) => ({
  allocatable: { cpuMillis: 4000, memoryBytes: memoryMiB * MIB, storageBytes: 0 },
});
const taint = (text: string): Partial<HostSnapshot> => ({ taints: [{ text, effect: 'refuse' }] });
const measured = (p95Milliseconds: number): Partial<HostSnapshot> => ({
  latencies: [{ to: 'sensor', p95Milliseconds, ageSeconds: 1 }],
});

function relaxationsOf(
  hosts: readonly HostSnapshot[],
  requests: readonly PlacementRequest[],
  rules: readonly PlacementRule[] = [],
  reserves: PlacementSnapshot['reserves'] = {},
): readonly string[] {
  const result = planWithReasons(HostIndex.of({ hosts, reserves }), { requests, rules });
  return result.fits ? ['it fits'] : (result.relaxations ?? []).map(({ text }) => text);
}

describe('what does not fit says the least that would make it fit', () => {
  it.each<[string, readonly HostSnapshot[], Partial<PlacementRequest>, readonly string[]]>([
    [
      'memory',
      [buildHost('h1', roomOf(96)), buildHost('h2', roomOf(64))],
      {},
      ['fits on 1 host if resources.memory of a/main were at most 96Mi'],
    ],
    [
      'CPU',
      [buildHost('h')],
      { units: [buildDemand(1, 1, { resources: { cpuMillis: 5000, memoryBytes: MIB, storageBytes: 0 } })] },
      ['fits on 1 host if resources.cpu of a/main were at most 4'],
    ],
    [
      'storage',
      [buildHost('h')],
      {
        units: [
          buildDemand(1, 1, { resources: { cpuMillis: 1, memoryBytes: MIB, storageBytes: 2048 * MIB } }),
        ],
      },
      ['fits on 1 host if volumes of a/main were at most 1Gi together'],
    ],
    [
      'fewer instances, and what would let all of them fit',
      [buildHost('h', roomOf(256))],
      { units: [buildDemand(3, 100)] },
      [
        'fits on 1 host if resources.memory of a/main were at most 85Mi',
        'fits on 1 host if a/main had 2 instances instead of 3',
      ],
    ],
    [
      'a tier',
      [buildHost('h1', { tier: 'cloud-edge' }), buildHost('h2', { tier: 'cloud-edge' })],
      { tiers: ['cloud'] },
      ['fits on 2 hosts if placement.tiers of a also allowed cloud-edge'],
    ],
    [
      'an architecture',
      [buildHost('h', { architecture: 'arm64' })],
      { architectures: ['amd64'] },
      ['fits on 1 host if placement.architectures of a also allowed arm64'],
    ],
    [
      'a jurisdiction',
      [buildHost('h', { jurisdiction: 'CH' })],
      { jurisdictions: ['EU'] },
      ['fits on 1 host if placement.jurisdictions of a also allowed CH'],
    ],
    [
      'a label',
      [buildHost('h')],
      { require: ['power = mains', 'tier = cloud'] },
      ['fits on 1 host if placement.require of a did not ask for "power = mains"'],
    ],
    [
      'a taint',
      [buildHost('h', taint('dedicated=lab'))],
      {},
      ['fits on 1 host if placement.tolerate of a also named dedicated=lab'],
    ],
    [
      'latency',
      [buildHost('h1', measured(31.5)), buildHost('h2', measured(80))],
      { near: [{ to: { label: 'sensor' }, maxMilliseconds: 20 }] },
      [
        'fits on 1 host if placement.near of a to sensor had a maxLatency of 32ms',
        'fits on 2 hosts if placement.near of a to sensor had a weight (best effort)',
      ],
    ],
    [
      'evenness',
      [
        buildHost('h1', { labels: { zone: 'x' } }),
        buildHost('h2', { labels: { zone: 'y' }, ...roomOf(128) }),
      ],
      { units: [buildDemand(4)], spread: [{ by: 'zone', maxSkew: 1 }] },
      [
        'fits on 2 hosts if placement.spread of a by zone had a maxSkew of 2',
        'fits on 2 hosts if a/main had 3 instances instead of 4',
        'fits on 2 hosts if resources.memory of a/main were at most 64Mi',
        'fits on 2 hosts if placement.spread of a by zone had no maxSkew',
      ],
    ],
    [
      'a device',
      [buildHost('h', { allocatable: { ...buildHost('h').allocatable, devices: { tpu: 1 } } })],
      {
        units: [
          buildDemand(1, 1, {
            resources: { cpuMillis: 1, memoryBytes: MIB, storageBytes: 0, devices: { tpu: 2 } },
          }),
        ],
      },
      ['fits on 1 host if resources.devices.tpu of a/main were 1'],
    ],
    [
      'a port',
      [buildHost('h', { ports: ['tcp/80'] })],
      { units: [buildDemand(1, 1, { fixedPorts: ['tcp/80'] })] },
      [
        'fits on 1 host if ports of a/main left tcp/80 to the host to choose',
        'fits on 1 host if port tcp/80 were free on h',
      ],
    ],
    [
      'a host that is being drained',
      [buildHost('h', { isDraining: true, state: 'DRAINING' }), buildHost('i', { isDisputed: true })],
      {},
      ['fits on 1 host if h, which is being drained, were used again'],
    ],
    [
      'a host that the request does not name',
      [buildHost('h'), buildHost('i', { state: 'LOST' })],
      { hosts: ['i' as HostId] },
      ['fits on 1 host if constraints.hosts of a also allowed h'],
    ],
    [
      'an affinity',
      [
        buildHost('h', {
          placed: [{ functionId: 'f-b' as VnfInstanceId, unit: 'main', instances: 1, labels: { name: 'b' } }],
        }),
      ],
      { affinities: [{ type: 'apart', with: 'name = b', scope: 'host' }] },
      ['fits on 1 host if placement.affinities of a (apart with "name = b") had a weight (best effort)'],
    ],
    [
      'two things, where no single one is enough',
      [buildHost('h', { tier: 'cloud-edge', ...taint('dedicated=lab') })],
      { tiers: ['cloud'] },
      [
        'fits on 1 host if placement.tolerate of a also named dedicated=lab and placement.tiers of a also allowed cloud-edge',
      ],
    ],
    [
      'three things, where no two are enough',
      [buildHost('h', { tier: 'cloud-edge', architecture: 'arm64', ...taint('lab') })],
      { tiers: ['cloud'], architectures: ['amd64'] },
      [
        'fits on 1 host if placement.tolerate of a also named lab and placement.tiers of a also allowed cloud-edge and placement.architectures of a also allowed arm64',
      ],
    ],
    ['nothing, where nothing helps', [buildHost('h', { state: 'LOST' })], {}, []],
    ['nothing, where there are no hosts', [], {}, []],
  ])('%s', (_what, hosts, changes, expected) => {
    expect(relaxationsOf(hosts, [buildRequest('a', changes)])).toEqual(expected);
  });

  it('a reserve', () => {
    expect(relaxationsOf([buildHost('h')], [buildRequest('a')], [], { cloud: 0.9 })).toEqual([
      'fits on 1 host if resources.memory of a/main were at most 102Mi',
      'fits on 1 host if a might use what is reserved (placement.priority above 0)',
    ]);
  });

  it('a rule of the service, or less of a function that is tied to the one that fell short', () => {
    const functionIds = ['f-a', 'f-b'] as VnfInstanceId[];
    const requests = [
      buildRequest('a', { units: [buildDemand(1, 600)] }),
      buildRequest('b', { units: [buildDemand(1, 600)] }),
    ];
    const hosts = [buildHost('h1'), buildHost('h2')];
    expect(relaxationsOf(hosts, requests, [{ type: 'together', functionIds, scope: 'host' }])).toEqual([
      'fits on 2 hosts if resources.memory of a/main were at most 424Mi',
      'fits on 2 hosts if resources.memory of b/main were at most 424Mi',
      'fits on 2 hosts if the rule of the service that a, b be together by host had a weight (best effort)',
    ]);
  });

  it('all of two functions, each of which falls short', () => {
    const requests = [
      buildRequest('a', { tiers: ['cloud-edge'] }),
      buildRequest('b', { units: [buildDemand(1, 2048)] }),
    ];
    expect(relaxationsOf([buildHost('h')], requests)).toEqual([
      'fits on 1 host if placement.tiers of a also allowed cloud and resources.memory of b/main were at most 896Mi',
    ]);
  });

  it('in the sentence with which an operation is refused', () => {
    const problem = { requests: [buildRequest('a', { units: [buildDemand(1, 2048)] })], rules: [] };
    const result = planOrRelax(HostIndex.of({ hosts: [buildHost('h')] }), problem);
    expect(describeRefusal(problem, result)).toBe(
      'a/main: no host for 1 instance: of 1 host, 1 lack memory: need 2 GiB, most free 1 GiB; ' +
        'fits on 1 host if resources.memory of a/main were at most 1Gi',
    );
  });
});

describe('a host says of a function', () => {
  const hosts = [
    buildHost('h1', { labels: { zone: 'x' } }),
    buildHost('h2', { labels: { zone: 'y' }, ...roomOf(512) }),
    buildHost('h3', {
      isDraining: true,
      state: 'DRAINING',
      ...roomOf(64),
      ...taint('lab'),
      ports: ['tcp/80'],
    }),
  ];
  const index = HostIndex.of({ hosts });

  it('how it scores, by part, and which place it takes', () => {
    const request = buildRequest('a', { prefer: [{ expression: 'zone = x', weight: 5 }] });
    expect(explainHost(index, 'h2' as HostId, request, [])).toEqual([
      {
        unit: 'main',
        against: [],
        rating: { hostId: 'h2', score: 0.009 * 0.75, parts: { room: 0.009 * 0.75 } },
        rank: 2,
        candidates: 2,
      },
    ]);
    expect(explainHost(index, 'h1' as HostId, request, [])).toMatchObject([
      { rank: 1, rating: { parts: { 'prefers zone = x': 5 } } },
    ]);
  });

  it('everything that stands against it', () => {
    const request = buildRequest('a', {
      tiers: ['cloud-edge'],
      units: [buildDemand(1, 128, { fixedPorts: ['tcp/80'], artifactTypes: ['container'] })],
    });
    expect(explainHost(index, 'h3' as HostId, request, [])).toEqual([
      {
        unit: 'main',
        against: [
          'is being drained',
          'has a taint that a does not tolerate',
          'lacks tier=cloud-edge',
          'has no driver for artifacts of type container',
          'has port tcp/80 in use',
          'lacks memory: 128 MiB needed, 64 MiB free',
        ],
        candidates: 0,
      },
    ]);
  });

  it('that it is not covered, of one that runs on each host of a kind', () => {
    const request = buildRequest('a', { coverage: 'zone = x' });
    expect(explainHost(index, 'h2' as HostId, request, [])).toMatchObject([
      { against: ['is not covered: does not match "zone = x"'], candidates: 1 },
    ]);
    expect(explainHost(index, 'h1' as HostId, request, [])).toMatchObject([{ rank: 1, candidates: 1 }]);
  });

  it('nothing where it is not known', () => {
    expect(explainHost(index, 'h9' as HostId, buildRequest('a'), [])).toBeUndefined();
  });
});
