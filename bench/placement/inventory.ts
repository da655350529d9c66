import type { ArtifactType, Tier } from '../../descriptors/index.ts';
import { createRandom, DEFAULT_TENANT, type HostId, type VnfInstanceId } from '../../kernel/index.ts';
import type { HostSnapshot, PlacementRequest } from '../../orchestrator/placement/index.ts';

const MIB = 2 ** 20;
const FUNCTIONS = 200;
const COUNTRIES = ['DE', 'FR', 'PL', 'SE', 'US', 'CH'];

/**
 * Hosts of mixed tiers, architectures, zones, jurisdictions and labels, with the latency that each has measured to three zones. What all of them
 * have together is the same however many they are, so that each number of hosts is filled alike.
 */
export function buildHosts(count: number, instances: number): readonly HostSnapshot[] {
  const random = createRandom(1);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const zones = Array.from({ length: Math.max(10, Math.round(count / 500)) }, (_, at) => `zone-${at}`);
  const share = (4 * instances) / count;
  return Array.from({ length: count }, (_, at) => {
    const tier = pick<Tier>(['device-edge', 'device-edge', 'cloud-edge', 'cloud']);
    const size = tier === 'cloud' ? 2 : 1;
    const hostId = `host-${String(at).padStart(6, '0')}` as HostId;
    const zone = pick(zones);
    const architecture = pick(['amd64', 'arm64']);
    const jurisdiction = pick(COUNTRIES);
    return {
      hostId,
      state: 'READY',
      isDraining: false,
      isDisputed: false,
      tenants: [],
      labels: {
        host: hostId,
        tier,
        arch: architecture,
        zone,
        jurisdiction,
        ring: pick(['canary', 'early', 'late']),
        power: pick(['mains', 'mains', 'battery', 'solar']),
        'accelerator.tpu': pick(['0', '0', '0', '1']),
        site: `site-${Math.floor(random() * 200)}`,
      },
      tier,
      architecture,
      jurisdiction,
      artifactTypes: pick<readonly ArtifactType[]>([['process'], ['container'], ['process', 'container']]),
      allocatable: {
        cpuMillis: Math.max(500, Math.ceil(share * 100 * size)),
        memoryBytes: Math.max(256, Math.ceil(share * 64 * size)) * MIB,
        storageBytes: 2 ** 34,
      },
      used: { cpuMillis: 0, memoryBytes: 0, storageBytes: 0 },
      ports: [],
      placed: [],
      latencies: Array.from({ length: 3 }, () => ({
        to: pick(zones),
        p95Milliseconds: 1 + random() * 60,
        ageSeconds: random() * 600,
      })),
      costPerHour: random(),
    };
  });
}

/** Functions with resources, labels, spread over zones, latency and jurisdictions. @param instances of all of them together */
export function buildRequests(instances: number): readonly PlacementRequest[] {
  const random = createRandom(2);
  const each = Math.round(instances / FUNCTIONS);
  return Array.from({ length: FUNCTIONS }, (_, at) => ({
    functionId: `function-${at}` as VnfInstanceId,
    name: `function-${at}`,
    tenant: DEFAULT_TENANT,
    units: [
      {
        unit: 'main',
        instances: each,
        resources: {
          cpuMillis: 50 + Math.floor(random() * 4) * 25,
          memoryBytes: (32 + Math.floor(random() * 4) * 16) * MIB,
          storageBytes: 0,
        },
        artifactTypes: at % 3 === 0 ? ['process'] : ['container', 'process'],
        fixedPorts: [],
      },
    ],
    tiers: at % 4 === 0 ? ['cloud', 'cloud-edge'] : [],
    architectures: at % 5 === 0 ? ['arm64'] : [],
    jurisdictions: at % 3 === 1 ? ['EU'] : [],
    require: at % 10 === 7 ? ['ring in (canary, early) and power != battery'] : [],
    prefer: at % 2 === 0 ? [{ expression: 'power = mains', weight: 10 }] : [],
    spread: at % 2 === 1 ? [{ by: 'zone' }] : at % 8 === 2 ? [{ by: 'zone', maxSkew: 50 }] : [],
    ...(at % 6 === 0 ? { near: [{ to: { label: `zone-${at % 10}` }, maxMilliseconds: 40, weight: 5 }] } : {}),
    ...(at % 7 === 0 ? { objectives: { cost: 5 } } : {}),
    avoidHosts: [],
    providers: [],
    dependents: [],
  }));
}
