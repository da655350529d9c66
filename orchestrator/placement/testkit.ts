import { DEFAULT_TENANT, type HostId, type VnfInstanceId } from '../../kernel/index.ts';
import type { PlacementResult } from './plan-types.ts';
import type {
  HostSnapshot,
  PlacementProblem,
  PlacementRequest,
  PlacementSnapshot,
  UnitDemand,
} from './types.ts';

const MIB = 2 ** 20;

/** A READY host with room for much, on which a test changes what it is about. */
export function buildHost(hostId: string, changes: Partial<HostSnapshot> = {}): HostSnapshot {
  const tier = changes.tier ?? 'cloud';
  return {
    hostId: hostId as HostId,
    state: 'READY',
    isDraining: false,
    isDisputed: false,
    tenants: [],
    tier,
    architecture: 'amd64',
    artifactTypes: ['process'],
    allocatable: { cpuMillis: 4000, memoryBytes: 1024 * MIB, storageBytes: 1024 * MIB },
    used: { cpuMillis: 0, memoryBytes: 0, storageBytes: 0 },
    ports: [],
    placed: [],
    ...changes,
    labels: { host: hostId, tier, ...changes.labels },
  };
}

export function buildDemand(instances = 1, memoryMiB = 128, changes: Partial<UnitDemand> = {}): UnitDemand {
  return {
    unit: 'main',
    instances,
    resources: { cpuMillis: 100, memoryBytes: memoryMiB * MIB, storageBytes: 0 },
    artifactTypes: ['process'],
    fixedPorts: [],
    ...changes,
  };
}

export function buildRequest(name: string, changes: Partial<PlacementRequest> = {}): PlacementRequest {
  return {
    functionId: `f-${name}` as VnfInstanceId,
    name,
    tenant: DEFAULT_TENANT,
    units: [buildDemand()],
    tiers: [],
    architectures: [],
    jurisdictions: [],
    require: [],
    prefer: [],
    avoidHosts: [],
    providers: [],
    dependents: [],
    ...changes,
  };
}

/** The inventory after a plan was carried out. */
export function applyPlan(
  { hosts }: PlacementSnapshot,
  { requests }: PlacementProblem,
  result: PlacementResult,
): PlacementSnapshot {
  if (!result.fits) return { hosts };
  const changes = [
    ...result.additions.map((item) => ({ ...item, sign: 1 })),
    ...result.removals.map((item) => ({ ...item, sign: -1 })),
  ];
  return {
    hosts: hosts.map((host) => {
      const here = changes.filter(({ hostId }) => hostId === host.hostId);
      return here.reduce<HostSnapshot>((current, { functionId, unit, instances, sign }) => {
        const request = requests.find((each) => each.functionId === functionId);
        const demand = request?.units.find((item) => item.unit === unit);
        const who = {
          ...(request?.labels === undefined ? {} : { labels: request.labels }),
          ...(request?.affinities === undefined ? {} : { affinities: request.affinities }),
          ...(request?.flows === undefined ? {} : { flows: request.flows }),
        };
        const count = instances * sign;
        const known = current.placed.find((item) => item.functionId === functionId && item.unit === unit);
        const total = (known?.instances ?? 0) + count;
        return {
          ...current,
          used: {
            cpuMillis: current.used.cpuMillis + count * (demand?.resources.cpuMillis ?? 0),
            memoryBytes: current.used.memoryBytes + count * (demand?.resources.memoryBytes ?? 0),
            storageBytes: current.used.storageBytes + count * (demand?.resources.storageBytes ?? 0),
          },
          ports:
            sign > 0
              ? [...current.ports, ...(demand?.fixedPorts ?? [])]
              : current.ports.filter((port) => demand?.fixedPorts.includes(port) !== true),
          placed: [
            ...current.placed.filter((item) => item !== known),
            ...(total > 0 ? [{ functionId, unit, instances: total, ...who }] : []),
          ],
        };
      }, host);
    }),
  };
}
