import type { HostId, TenantId, VnfInstanceId } from '../../kernel/index.ts';
import type { components } from '../../api-specs/generated/iotmano.ts';
import { deviceCount, isInstallationTenant, packageIdAt, type WantedVnfc } from '../domain/index.ts';
import type { HostSnapshot, Resources } from '../placement/index.ts';
import type { StoredRecord } from '../store/index.ts';
import type { LifecycleContext } from './context.ts';
import {
  addUse,
  newUse,
  NOTHING,
  roomTakenBy,
  snapshotHost,
  sumOf,
  unitDemand,
} from './snapshot-inventory.ts';

type Schemas = components['schemas'];

/** One unit of one function, as far as it is on a host. */
export interface UnitHere {
  readonly record: StoredRecord<'vnf-instance'>;
  readonly unit: string;
  readonly instances: number;
  readonly takes: Resources;
}

/** All that is wanted or set aside on a host, of whatever tenant, in order of function and unit. */
export function unitsOn(context: LifecycleContext, hostId: HostId): readonly UnitHere[] {
  const functionIds = context.inventory.look((index) => {
    const row = index.rowOf(hostId);
    return row === undefined ? [] : [...index.occupancy.functionsOn(row)];
  });
  return functionIds.toSorted().flatMap((id) => {
    const record = context.state.get('vnf-instance', id);
    if (record === undefined) return [];
    const here = copiesOn(record, hostId);
    return [...Map.groupBy(here, ({ unit }) => unit)].map(([unit, copies]) => ({
      record,
      unit,
      instances: copies.length,
      takes: copies.map((copy) => takenBy(context, record, copy)).reduce(sumOf, NOTHING),
    }));
  });
}

function copiesOn({ document }: StoredRecord<'vnf-instance'>, hostId: HostId): readonly WantedVnfc[] {
  return roomTakenBy(document).filter((copy) => copy.hostId === hostId);
}

function takenBy(
  { catalog }: LifecycleContext,
  { document }: StoredRecord<'vnf-instance'>,
  { unit, generation }: WantedVnfc,
): Resources {
  return unitDemand(catalog, packageIdAt(document, generation), unit)?.resources ?? NOTHING;
}

export function placedHere(units: readonly UnitHere[], tenant: TenantId): Schemas['PlacedHere'][] {
  return units
    .filter(({ record }) => record.tenant === tenant)
    .map(({ record, unit, instances, takes }) => ({
      vnfInstanceId: record.id,
      function: record.document.name,
      unit,
      instances,
      takes: amountsOf(takes),
    }));
}

/** What is of other tenants is told as a sum: whose it is, and what, is nobody else's business. */
export function placedByOthers(units: readonly UnitHere[], tenant: TenantId): Schemas['PlacedByOthers'] {
  const others = units.filter(({ record }) => record.tenant !== tenant);
  return {
    instances: others.reduce((total, { instances }) => total + instances, 0),
    takes: amountsOf(others.map(({ takes }) => takes).reduce(sumOf, NOTHING)),
  };
}

/** What a host offers to a tenant; undefined before it has told its facts. */
export function offerOf(
  { state, catalog, clock }: LifecycleContext,
  hostId: HostId,
  units: readonly UnitHere[],
  tenant: TenantId,
): Schemas['HostOffer'] | undefined {
  const use = newUse();
  const own = newUse();
  for (const record of new Set(units.map((unit) => unit.record))) {
    const owner = {
      id: record.id as VnfInstanceId,
      tenant: record.tenant,
      instance: record.document,
      copies: copiesOn(record, hostId),
    };
    addUse(use, catalog, owner);
    if (record.tenant === tenant || isInstallationTenant(tenant)) addUse(own, catalog, owner);
  }
  const host = snapshotHost(state, hostId, use, clock.now());
  return host === undefined ? undefined : { ...viewOf(host), portsInUse: [...own.ports].toSorted() };
}

function viewOf(host: HostSnapshot): Omit<Schemas['HostOffer'], 'portsInUse'> {
  const { tier, architecture, jurisdiction, reachableFrom, costPerHour, availability } = host;
  return {
    tier,
    architecture,
    ...(jurisdiction === undefined ? {} : { jurisdiction }),
    artifactTypes: [...host.artifactTypes],
    labels: host.labels,
    tenants: [...host.tenants],
    allocatable: amountsOf(host.allocatable),
    free: amountsOf(freeOf(host)),
    taints: [...(host.taints ?? [])],
    latencies: (host.latencies ?? []).map(({ to, p95Milliseconds }) => ({ to, p95Milliseconds })),
    ...(reachableFrom === undefined ? {} : { reachableFrom: [...reachableFrom] }),
    ...(costPerHour === undefined ? {} : { costPerHour }),
    ...(availability === undefined ? {} : { availability }),
  };
}

function freeOf({ allocatable, used }: HostSnapshot): Resources {
  const devices = Object.entries(allocatable.devices ?? {}).map(([name, count]) => [
    name,
    count - deviceCount(used.devices, name),
  ]);
  return {
    cpuMillis: allocatable.cpuMillis - used.cpuMillis,
    memoryBytes: allocatable.memoryBytes - used.memoryBytes,
    storageBytes: allocatable.storageBytes - used.storageBytes,
    ...(devices.length === 0 ? {} : { devices: Object.fromEntries(devices) }),
  };
}

function amountsOf({ cpuMillis, memoryBytes, storageBytes, devices }: Resources): Schemas['HostAmounts'] {
  return { cpuMillis, memoryBytes, storageBytes, ...(devices === undefined ? {} : { devices }) };
}
