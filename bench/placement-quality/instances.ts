import type { Tier } from '../../descriptors/index.ts';
import { createRandom, DEFAULT_TENANT, type HostId, type VnfInstanceId } from '../../kernel/index.ts';
import type {
  HostSnapshot,
  LatencyMeasurement,
  PlacementProblem,
  PlacementRequest,
  PlacementRule,
  PlacementSnapshot,
} from '../../orchestrator/placement/index.ts';

const MIB = 2 ** 20;

export interface Instance {
  readonly kind: Kind;
  readonly seed: number;
  readonly snapshot: PlacementSnapshot;
  readonly problem: PlacementProblem;
}

/** Dice of one instance. */
interface Dice {
  /** A whole number, ends included. */
  number(least: number, most: number): number;
  pick<T>(list: readonly T[]): T;
  chance(share: number): boolean;
}

type Build = (dice: Dice, scale: number) => Omit<Instance, 'kind' | 'seed'>;

/** Each kind is about one thing that makes a greedy choice regrettable. Some instances of most kinds have no solution. */
export const BUILDERS = {
  'tight memory': tightMemory,
  'anti-affinity chain': antiAffinityChain,
  'latency tree': latencyTree,
  jurisdictions,
  'mixed architectures': mixedArchitectures,
  gangs,
  'hard spread': hardSpread,
} satisfies Record<string, Build>;

export type Kind = keyof typeof BUILDERS;

export function buildInstance(kind: Kind, seed: number, scale: number): Instance {
  const random = createRandom(seed);
  const dice: Dice = {
    number: (least, most) => least + Math.floor(random() * (most - least + 1)),
    pick: (list) => list[Math.floor(random() * list.length)] as (typeof list)[number],
    chance: (share) => random() < share,
  };
  return { kind, seed, ...BUILDERS[kind](dice, scale) };
}

function host(
  at: number,
  memoryMiB: number,
  changes: Partial<HostSnapshot> & { readonly zone?: string } = {},
): HostSnapshot {
  const { zone, labels, ...rest } = changes;
  const hostId = `host-${String(at).padStart(3, '0')}` as HostId;
  return {
    hostId,
    state: 'READY',
    isDraining: false,
    isDisputed: false,
    tenants: [],
    tier: 'cloud-edge',
    architecture: 'amd64',
    artifactTypes: ['process'],
    allocatable: { cpuMillis: 4000, memoryBytes: memoryMiB * MIB, storageBytes: 2 ** 34 },
    used: { cpuMillis: 0, memoryBytes: 0, storageBytes: 0 },
    ports: [],
    placed: [],
    ...rest,
    labels: { host: hostId, ...(zone === undefined ? {} : { zone }), ...labels },
  };
}

function request(
  at: number,
  instances: number,
  memoryMiB: number,
  changes: Partial<PlacementRequest> = {},
): PlacementRequest {
  return {
    functionId: idOf(at),
    name: `function-${at}`,
    tenant: DEFAULT_TENANT,
    units: [
      {
        unit: 'main',
        instances,
        resources: { cpuMillis: 50, memoryBytes: memoryMiB * MIB, storageBytes: 0 },
        artifactTypes: ['process'],
        fixedPorts: [],
      },
    ],
    tiers: [],
    architectures: [],
    jurisdictions: [],
    require: [],
    prefer: [],
    avoidHosts: [],
    providers: [],
    dependents: [],
    labels: { function: `f${at}` },
    ...changes,
  };
}

function idOf(at: number): VnfInstanceId {
  return `function-${at}` as VnfInstanceId;
}

const many = <T>(count: number, make: (at: number) => T): readonly T[] =>
  Array.from({ length: Math.round(count) }, (_, at) => make(at));

/** Hosts that are filled to 88 to 102 %, with preferences that not everybody can follow. */
function tightMemory(dice: Dice, scale: number): ReturnType<Build> {
  const hosts = many(dice.number(4, 7) * scale, (at) =>
    host(at, dice.number(5, 12) * 64, {
      labels: { power: dice.pick(['mains', 'battery']) },
      costPerHour: dice.number(1, 10) / 10,
    }),
  );
  const total = hosts.reduce((sum, each) => sum + each.allocatable.memoryBytes, 0) / MIB;
  const target = total * (0.88 + dice.number(0, 14) / 100);
  const requests: PlacementRequest[] = [];
  for (let left = target, at = 0; left >= 64; at += 1) {
    const memory = Math.min(dice.number(1, 6) * 64, Math.floor(left / 64) * 64);
    const instances = Math.max(1, Math.min(dice.number(1, 2), Math.floor(left / memory)));
    left -= memory * instances;
    requests.push(
      request(at, instances, memory, {
        prefer: [{ expression: 'power = mains', weight: dice.number(1, 10) }],
        objectives: { cost: dice.number(0, 8) },
      }),
    );
  }
  return { snapshot: { hosts }, problem: { requests, rules: [] } };
}

/** Neighbours in a chain share no host, or no zone; each has zones that it likes. */
function antiAffinityChain(dice: Dice, scale: number): ReturnType<Build> {
  const zones = ['a', 'b', 'c', 'd'].slice(0, dice.number(2, 4));
  const hosts = many(dice.number(5, 8) * scale, (at) =>
    host(at, dice.number(2, 5) * 64, { zone: dice.pick(zones) }),
  );
  const count = dice.number(5, 8) * scale;
  const requests = many(count, (at) =>
    request(at, 1, dice.number(1, 2) * 64, {
      prefer: zones.map((zone) => ({ expression: `zone = ${zone}`, weight: dice.number(0, 12) })),
      ...(at > 0 && dice.chance(0.3)
        ? { affinities: [{ type: 'apart', with: `function = f${at - 1}`, scope: 'host' }] }
        : {}),
    }),
  );
  const rules: readonly PlacementRule[] = many(count - 1, (at) => ({
    type: 'apart',
    functionIds: [idOf(at), idOf(at + 1)],
    scope: dice.chance(0.7) ? 'zone' : 'host',
  }));
  return { snapshot: { hosts }, problem: { requests, rules } };
}

/** A tree over sites: each function wants to be near the one above it, the root near a site; leaves near labels or hosts. */
function latencyTree(dice: Dice, scale: number): ReturnType<Build> {
  const sites = ['north', 'east', 'south', 'west'];
  const place = new Map(sites.map((site) => [site, [dice.number(0, 40), dice.number(0, 40)] as const]));
  const distance = (from: string, to: string): number => {
    const [[x1, y1], [x2, y2]] = [place.get(from) ?? [0, 0], place.get(to) ?? [0, 0]] as const;
    return 1 + Math.hypot(x1 - x2, y1 - y2);
  };
  const hosts = many(dice.number(6, 9) * scale, (at) => {
    const zone = dice.pick(sites);
    const own = dice.number(0, 4);
    const latencies: readonly LatencyMeasurement[] = sites.map((to) => ({
      to,
      p95Milliseconds: own + distance(zone, to),
      ageSeconds: 0,
    }));
    return host(at, dice.number(2, 4) * 64, { zone, latencies });
  });
  const requests = many(dice.number(5, 7) * scale, (at) => {
    const isHard = dice.chance(0.25);
    const parent = Math.floor((at - 1) / 2);
    const above = {
      to: { functionId: idOf(parent) },
      maxMilliseconds: dice.number(20, 45),
      ...(isHard ? {} : { weight: dice.number(5, 15) }),
    };
    const anchor = {
      to: dice.chance(0.5) ? { label: dice.pick(sites) } : { host: dice.pick(hosts).hostId },
      maxMilliseconds: dice.number(20, 50),
      weight: dice.number(3, 15),
    };
    return request(at, 1, dice.number(1, 2) * 64, {
      near: [...(at === 0 ? [] : [above]), ...(at === 0 || dice.chance(0.6) ? [anchor] : [])],
      providers: at === 0 ? [] : [idOf(parent)],
    });
  });
  return { snapshot: { hosts }, problem: { requests, rules: [] } };
}

/** What only some countries may have competes for them with what may be anywhere and likes them, too. */
function jurisdictions(dice: Dice, scale: number): ReturnType<Build> {
  const countries = ['DE', 'FR', 'US', 'CH'];
  const hosts = many(dice.number(5, 8) * scale, (at) =>
    host(at, dice.number(2, 5) * 64, {
      jurisdiction: countries[at % countries.length] ?? 'DE',
      labels: { power: dice.pick(['mains', 'solar', 'battery']) },
      costPerHour: dice.number(1, 10) / 10,
      availability: dice.number(90, 100) / 100,
    }),
  );
  const requests = many(dice.number(5, 8) * scale, (at) =>
    request(at, dice.number(1, 3), dice.number(1, 2) * 64, {
      jurisdictions: dice.pick([[], [], ['EU'], ['DE'], ['DE', 'CH'], ['US']]),
      prefer: [
        { expression: 'power = mains', weight: dice.number(0, 9) },
        { expression: 'power in (mains, solar)', weight: dice.number(0, 6) },
      ],
      objectives: { cost: dice.number(0, 9), availability: dice.number(0, 20) },
      spread: dice.chance(0.5) ? [{ by: 'host', weight: dice.number(1, 6) }] : [],
    }),
  );
  return { snapshot: { hosts }, problem: { requests, rules: [] } };
}

/** Architectures, tiers and accelerators that few hosts have, wanted by some and liked by all; taints to keep away from. */
function mixedArchitectures(dice: Dice, scale: number): ReturnType<Build> {
  const hosts = many(dice.number(5, 8) * scale, (at) =>
    host(at, dice.number(2, 6) * 64, {
      architecture: dice.pick(['amd64', 'amd64', 'arm64']),
      tier: dice.pick<Tier>(['device-edge', 'cloud-edge', 'cloud']),
      labels: { disk: dice.pick(['ssd', 'flash']) },
      allocatable: {
        cpuMillis: dice.number(2, 8) * 100,
        memoryBytes: dice.number(2, 6) * 64 * MIB,
        storageBytes: 2 ** 34,
        devices: { tpu: dice.number(0, 2) },
      },
      taints: dice.chance(0.2) ? [{ text: 'lab', effect: dice.pick(['refuse', 'avoid']) }] : [],
    }),
  );
  const requests = many(dice.number(5, 8) * scale, (at) => {
    const base = request(at, dice.number(1, 2), dice.number(1, 3) * 64, {
      architectures: dice.pick([[], [], ['arm64'], ['amd64']]),
      tiers: dice.pick<readonly Tier[]>([[], [], [], ['cloud', 'cloud-edge']]),
      prefer: [
        { expression: 'disk = ssd', weight: dice.number(0, 10) },
        { expression: 'tier = cloud', weight: dice.number(-4, 8) },
      ],
      tolerates: dice.chance(0.3) ? ['lab'] : [],
    });
    const hasTpu = dice.chance(0.3);
    const cpuMillis = dice.number(1, 3) * 100;
    return {
      ...base,
      units: base.units.map((unit) => ({
        ...unit,
        resources: { ...unit.resources, cpuMillis, ...(hasTpu ? { devices: { tpu: 1 } } : {}) },
      })),
    };
  });
  return { snapshot: { hosts }, problem: { requests, rules: [] } };
}

/** Clusters of functions that must be in one zone, or on one host, and wish to be with, or away from, other clusters. */
function gangs(dice: Dice, scale: number): ReturnType<Build> {
  const zones = ['a', 'b', 'c'];
  const hosts = many(dice.number(6, 9) * scale, (at) =>
    host(at, dice.number(3, 6) * 64, { zone: zones[at % zones.length] ?? 'a' }),
  );
  const clusters = many(dice.number(2, 3) * scale, (at) =>
    many(dice.number(2, 3), (member) => 3 * at + member),
  );
  const requests = clusters.flatMap((members, cluster) =>
    members.map((at) =>
      request(at, dice.number(1, 2), dice.number(1, 2) * 64, {
        prefer: zones.map((zone) => ({ expression: `zone = ${zone}`, weight: dice.number(0, 10) })),
        affinities:
          cluster > 0
            ? [
                {
                  type: dice.pick(['together', 'apart']),
                  with: `function = f${3 * cluster - 3}`,
                  scope: 'zone',
                  weight: dice.number(1, 8),
                },
              ]
            : [],
      }),
    ),
  );
  const rules: readonly PlacementRule[] = [
    ...clusters.map((members): PlacementRule => ({
      type: 'together',
      functionIds: members.map(idOf),
      scope: dice.chance(0.75) ? 'zone' : 'host',
    })),
    { type: 'apart', functionIds: [idOf(0), idOf(3)], scope: 'host', weight: dice.number(1, 9) },
  ];
  return { snapshot: { hosts }, problem: { requests, rules } };
}

/** Instances spread over zones within a skew, while zones differ in room and in how well they are liked. */
function hardSpread(dice: Dice, scale: number): ReturnType<Build> {
  const zones = ['a', 'b', 'c', 'd'].slice(0, dice.number(3, 4));
  const hosts = many(dice.number(6, 9) * scale, (at) =>
    host(at, dice.number(2, 4) * 64, {
      zone: zones[at % zones.length] ?? 'a',
      labels: { power: dice.pick(['mains', 'battery']) },
    }),
  );
  const requests = many(dice.number(3, 4) * scale, (at) =>
    request(at, dice.number(2, 5), 64, {
      spread: [
        { by: 'zone', maxSkew: dice.number(1, 2), weight: dice.number(0, 4) },
        ...(dice.chance(0.5) ? [{ by: 'host', weight: dice.number(1, 5) }] : []),
      ],
      prefer: [
        { expression: `zone = ${dice.pick(zones)}`, weight: dice.number(2, 10) },
        { expression: 'power = mains', weight: dice.number(1, 8) },
      ],
    }),
  );
  return { snapshot: { hosts }, problem: { requests, rules: [] } };
}
