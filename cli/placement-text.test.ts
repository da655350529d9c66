import { describe, expect, it } from 'vitest';
import { hostText, ordinal, type HostExplanation } from './host-text.ts';
import { planText, type ServicePlan } from './placement-text.ts';

const PLAN: ServicePlan = {
  fits: true,
  instances: [
    {
      function: 'broker',
      unit: 'main',
      slot: 0,
      hostId: 'cloud-1',
      score: 9.50812,
      parts: { spread: -1000, 'prefers zone = north': 10, 'near sensor': 999.5, room: 0.00812 },
      runnersUp: [{ hostId: 'cloud-2', score: -0.5, parts: { cost: -0.508, room: 0.008 } }],
    },
    { function: 'gateway', unit: 'main', slot: 0, hostId: 'gw-1' },
  ],
  reasons: ['gateway: not on 1 of the hosts to cover: of 2 hosts, 1 are SUSPECT'],
  relaxations: [],
};

describe('a plan', () => {
  it('is a table of where each instance would be, with its score and the parts of it that count most', () => {
    expect(planText(PLAN, false)).toBe(
      `FUNCTION  UNIT  SLOT  HOST     SCORE  WHY
broker    main  0     cloud-1  9.508  spread -1000, near sensor +999.5, prefers zone = north +10
gateway   main  0     gw-1     -      -
gateway: not on 1 of the hosts to cover: of 2 hosts, 1 are SUSPECT
`,
    );
  });

  it('shows the hosts that came next to who asks for them', () => {
    expect(planText(PLAN, true)).toContain(
      `broker    main  0     cloud-1         9.508  spread -1000, near sensor +999.5, prefers zone = north +10
                        then cloud-2  -0.5   cost -0.508, room +0.008
`,
    );
  });

  it('that does not fit is the reasons, and what would make it fit', () => {
    const reasons = ['a/main: no host for 1 instance: of 1 host, 1 lack tier=cloud'];
    const text = 'fits on 1 host if placement.tiers of a also allowed cloud-edge';
    expect(planText({ fits: false, instances: [], reasons, relaxations: [{ text }] }, false)).toBe(
      `${reasons[0]}\n  ${text}\n`,
    );
  });
});

const HOST: HostExplanation = {
  hostId: 'gw-1',
  state: 'READY',
  draining: false,
  disputed: false,
  offer: {
    tier: 'device-edge',
    architecture: 'arm64',
    artifactTypes: ['process'],
    labels: { site: 'north', host: 'gw-1' },
    tenants: [],
    allocatable: { cpuMillis: 4000, memoryBytes: 2 ** 31, storageBytes: 2 ** 34, devices: { tpu: 1 } },
    free: {
      cpuMillis: 3750,
      memoryBytes: 2 ** 31 - 96 * 2 ** 20,
      storageBytes: 2 ** 34,
      devices: { tpu: 1 },
    },
    portsInUse: ['tcp/1883'],
    taints: [{ text: 'dedicated=lab', effect: 'avoid' }],
    latencies: [{ to: 'zone=north', p95Milliseconds: 3.25 }],
  },
  placed: [
    {
      vnfInstanceId: 'id-1',
      function: 'cse-broker',
      unit: 'main',
      instances: 1,
      takes: { cpuMillis: 100, memoryBytes: 64 * 2 ** 20, storageBytes: 0 },
    },
  ],
  others: { instances: 2, takes: { cpuMillis: 150, memoryBytes: 32 * 2 ** 20, storageBytes: 0 } },
  functions: [
    {
      vnfInstanceId: 'id-1',
      function: 'cse-broker',
      unit: 'main',
      instancesHere: 1,
      fits: true,
      against: [],
      score: -89.99,
      parts: { taint: -100, 'prefers site = north': 10, room: 0.01 },
      rank: 12,
      candidates: 340,
    },
    {
      vnfInstanceId: 'id-2',
      function: 'cse-storage',
      unit: 'main',
      instancesHere: 0,
      fits: false,
      against: ['lacks tier=cloud', 'lacks memory: 4 GiB needed, 1.9 GiB free'],
      candidates: 3,
    },
  ],
  more: 7,
};

describe('a host', () => {
  it('says what it offers, what runs there and why, and what stands against the others', () => {
    expect(hostText(HOST)).toBe(
      `host          gw-1
state         READY
tier          device-edge
architecture  arm64
runs          process
labels        site=north
allocatable   4 CPU, 2 GiB memory, 16 GiB storage, 1 tpu
free          3.75 CPU, 1.9 GiB memory, 16 GiB storage, 1 tpu
ports in use  tcp/1883
taints        dedicated=lab (avoid)
latencies     zone=north 3.25 ms

PLACED THERE     UNIT  INSTANCES  TAKES
cse-broker       main  1          0.1 CPU, 64 MiB memory
(other tenants)  -     2          0.15 CPU, 32 MiB memory

FUNCTION     UNIT  HERE  MAY RUN  RANK         SCORE   WHY
cse-broker   main  1     yes      12th of 340  -89.99  taint -100, prefers site = north +10, room +0.01
cse-storage  main  0     no       -            -       lacks tier=cloud; lacks memory: 4 GiB needed, 1.9 GiB free

7 more functions were not looked into; name one, or a service, with --for
`,
    );
  });

  it('that has told nothing yet, and runs nothing, says so', () => {
    const { offer: _offer, ...silent } = HOST;
    const others = { instances: 0, takes: { cpuMillis: 0, memoryBytes: 0, storageBytes: 0 } };
    const shown = hostText({ ...silent, state: 'ENROLLED', placed: [], others, functions: [], more: 0 });
    expect(shown).toBe(
      'host   gw-1\nstate  ENROLLED\noffer  it has not told its facts yet\n\nnothing is placed there\n',
    );
  });

  it('has its rank in words', () => {
    expect([1, 2, 3, 4, 11, 12, 13, 21, 102, 111].map(ordinal)).toEqual(
      '1st 2nd 3rd 4th 11th 12th 13th 21st 102nd 111th'.split(' '),
    );
  });
});
