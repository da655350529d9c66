import type { HostId, TenantId, VnfInstanceId, VnfPkgId } from '../../kernel/index.ts';
import type { DescriptorUnit, RunRule } from '../../descriptors/index.ts';
import {
  availabilityOf,
  deviceCount,
  deviceCounts,
  hostLabels,
  packageIdAt,
  wantedVnfcs,
  type FunctionVersion,
  type HostDocument,
  type HostFactsDocument,
  type Versions,
  type VnfInstanceDocument,
  type WantedUnit,
  type WantedVnfc,
} from '../domain/index.ts';
import type { FixedPort, HostSnapshot, PlacedUnit, Resources, UnitDemand } from '../placement/index.ts';
import type { StateView } from '../store/index.ts';
import type { FunctionCatalog, FunctionPackage } from './function-catalog.ts';
import { identityOf } from './placement-identity.ts';
import { whyFixed } from './why-fixed.ts';

/** What is to be taken as wanted of a function instance instead of what the store says; it need not be there yet. */
export interface WantedOverride {
  readonly id: VnfInstanceId;
  readonly vnfPkgId: VnfPkgId;
  /** Of which the copies of other generations are, where there is one. */
  readonly replaced?: FunctionVersion;
  readonly generation?: number;
  readonly wanted: readonly WantedUnit[];
}

/** The instance with `wanted` and nothing else. */
export function overrideOf(
  id: VnfInstanceId,
  { vnfPkgId, replaced, generation }: Versions,
  wanted: readonly WantedUnit[],
): WantedOverride {
  return {
    id,
    vnfPkgId,
    wanted,
    ...(replaced === undefined ? {} : { replaced }),
    ...(generation === undefined ? {} : { generation }),
  };
}

export const NOTHING: Resources = { cpuMillis: 0, memoryBytes: 0, storageBytes: 0 };

/** What is wanted or set aside on one host. */
export interface HostUse {
  used: Resources;
  readonly ports: Set<FixedPort>;
  readonly placed: Map<string, PlacedUnit>;
}

/** One host as placement sees it; undefined where it is not enrolled, or has not told its facts. */
export function snapshotHost(
  state: StateView,
  hostId: HostId,
  use: HostUse | undefined,
  now: number,
): HostSnapshot | undefined {
  const host = state.get('host', hostId)?.document;
  const facts = state.get('host-facts', hostId)?.document;
  if (host === undefined || facts === undefined) return undefined;
  return {
    hostId,
    state: host.state,
    isDraining: host.draining,
    isDisputed: host.disputed,
    tenants: host.tenants,
    labels: hostLabels(hostId, facts),
    tier: facts.tier,
    architecture: facts.architecture,
    ...(facts.jurisdiction === undefined ? {} : { jurisdiction: facts.jurisdiction }),
    artifactTypes: [...new Set(facts.drivers.flatMap(({ artifactTypes }) => artifactTypes))],
    allocatable: {
      cpuMillis: facts.cpu.allocatableMillis,
      memoryBytes: facts.memory.allocatableBytes,
      storageBytes: facts.storage.allocatableBytes,
      ...(facts.devices.length === 0 ? {} : { devices: deviceCounts(facts) }),
    },
    used: use?.used ?? NOTHING,
    ports: [...(use?.ports ?? [])],
    ...(facts.reachableFrom === undefined ? {} : { reachableFrom: facts.reachableFrom }),
    placed: [...(use?.placed.values() ?? [])],
    ...taintsOf(host),
    ...(host.costPerHour === undefined ? {} : { costPerHour: host.costPerHour }),
    ...(host.absence === undefined ? {} : { availability: availabilityOf(host, now) }),
    ...uplinkOf(facts),
    ...(facts.latencies.length === 0
      ? {}
      : {
          latencies: facts.latencies.map(({ to, p95Milliseconds, measuredAt }) => ({
            to,
            p95Milliseconds,
            ageSeconds: Math.max(0, now - Date.parse(measuredAt)) / 1000,
          })),
        }),
  };
}

/** What is placed nowhere anew stays where it is: to placement, everybody keeps off. */
export const CORDON = { text: 'cordoned', effect: 'refuse' } as const;

function taintsOf({ taints = [], cordoned = false }: HostDocument): Pick<HostSnapshot, 'taints'> {
  const all = cordoned ? [...taints, CORDON] : taints;
  return all.length === 0 ? {} : { taints: all };
}

function uplinkOf({
  uplink,
  meteredUplink,
}: Pick<HostFactsDocument, 'uplink' | 'meteredUplink'>): Pick<HostSnapshot, 'uplink'> {
  if (uplink === undefined && meteredUplink === undefined) return {};
  return { uplink: { ...uplink, ...(meteredUplink === undefined ? {} : { isMetered: meteredUplink }) } };
}

export function newUse(): HostUse {
  return { used: NOTHING, ports: new Set(), placed: new Map() };
}

/** A function instance, as far as its room and its neighbours are concerned. */
interface Owner {
  readonly id: VnfInstanceId;
  readonly tenant: TenantId;
  readonly instance: VnfInstanceDocument;
}

/** Copies of one function instance take their room on a host. */
export function addUse(
  use: HostUse,
  catalog: FunctionCatalog,
  { id, instance, tenant, copies }: Owner & { readonly copies: readonly WantedVnfc[] },
): void {
  const descriptor = catalog.find(instance.vnfPkgId)?.descriptor;
  if (descriptor === undefined) return;
  const identity = identityOf(descriptor, { tenant, instance });
  for (const { unit, generation } of copies) {
    const own = catalog.find(packageIdAt(instance, generation))?.descriptor;
    const descriptorUnit = own?.units.find(({ name }) => name === unit);
    if (own !== undefined && descriptorUnit !== undefined)
      addUnit(
        use,
        own.run,
        descriptorUnit,
        { functionId: id, ...identity },
        mayMakeRoom(descriptor, instance, unit),
      );
  }
}

/** What has no instances yet, or may not go elsewhere, makes no room for others. */
function mayMakeRoom(
  descriptor: FunctionPackage['descriptor'],
  instance: VnfInstanceDocument,
  unit: string,
): boolean {
  return instance.wanted.length > 0 && whyFixed({ descriptor }, instance, unit) === undefined;
}

/** What an instance takes up: what is wanted, before that what is set aside. */
export function claimOf({ wanted, reservation }: VnfInstanceDocument): readonly WantedUnit[] {
  return wanted.length > 0 ? wanted : (reservation ?? []);
}

/** All that takes room: what an instance takes up, and what is kept for copies that are on their way. */
export function roomTakenBy(document: VnfInstanceDocument): readonly WantedVnfc[] {
  const held = (document.displaced ?? []).flatMap(({ heldOn, ...copy }) =>
    heldOn === undefined ? [] : [{ ...copy, hostId: heldOn }],
  );
  return [...wantedVnfcs(claimOf(document)), ...held];
}

function addUnit(
  use: HostUse,
  run: RunRule,
  unit: DescriptorUnit,
  owner: Pick<PlacedUnit, 'functionId' | 'labels' | 'priority' | 'flows' | 'affinities'>,
  isRemovable: boolean,
): void {
  const resources = demandOf(unit, run);
  const fixedPorts = fixedPortsOf(unit);
  use.used = sumOf(use.used, resources);
  for (const port of fixedPorts) use.ports.add(port);
  const key = `${owner.functionId} ${unit.name}`;
  const instances = (use.placed.get(key)?.instances ?? 0) + 1;
  use.placed.set(key, {
    ...owner,
    unit: unit.name,
    instances,
    ...(isRemovable ? { resources, fixedPorts } : {}),
  });
}

export function sumOf(a: Resources, b: Resources): Resources {
  const devices: Record<string, number> = { ...a.devices };
  for (const [name, count] of Object.entries(b.devices ?? {}))
    devices[name] = deviceCount(devices, name) + count;
  return {
    cpuMillis: a.cpuMillis + b.cpuMillis,
    memoryBytes: a.memoryBytes + b.memoryBytes,
    storageBytes: a.storageBytes + b.storageBytes,
    ...(Object.keys(devices).length === 0 ? {} : { devices }),
  };
}

/** What one copy of a unit of a package takes, as placement books it. */
export function unitDemand(
  catalog: FunctionCatalog,
  vnfPkgId: VnfPkgId,
  name: string,
): UnitDemand | undefined {
  const descriptor = catalog.find(vnfPkgId)?.descriptor;
  const unit = descriptor?.units.find((each) => each.name === name);
  if (descriptor === undefined || unit === undefined) return undefined;
  return {
    unit: name,
    instances: 0,
    resources: demandOf(unit, descriptor.run),
    artifactTypes: [],
    fixedPorts: fixedPortsOf(unit),
  };
}

/** What one instance of a unit takes of a host; where runs overlap, of as many of them as may go on at once. */
export function demandOf(unit: DescriptorUnit, run: RunRule): Resources {
  const atOnce = run.mode === 'schedule' ? run.atMost : 1;
  return {
    ...unit.resources,
    cpuMillis: unit.resources.cpuMillis * atOnce,
    memoryBytes: unit.resources.memoryBytes * atOnce,
    storageBytes: unit.volumes.reduce((total, { sizeBytes }) => total + sizeBytes, 0) * atOnce,
  };
}

export function fixedPortsOf(unit: DescriptorUnit): readonly FixedPort[] {
  return unit.ports.flatMap(({ protocol, number }): FixedPort[] =>
    number === undefined ? [] : [`${protocol}/${number}`],
  );
}
