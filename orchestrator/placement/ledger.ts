import type { HostId, VnfInstanceId } from '../../kernel/index.ts';
import { compareText } from '../domain/index.ts';
import type {
  FixedPort,
  HostSnapshot,
  Placement,
  PlacementSnapshot,
  Resources,
  UnitDemand,
} from './types.ts';

/** What a plan in the making has used up; every entry can be taken back. */
export interface Ledger {
  /** In order of id, whatever the order of the snapshot. */
  readonly hosts: readonly HostSnapshot[];
  free(host: HostSnapshot): Resources;
  isPortTaken(host: HostSnapshot, port: FixedPort): boolean;
  /** Instances of the function, or of one unit of it, on one host. */
  countOn(functionId: VnfInstanceId, hostId: HostId, unit?: string): number;
  countOf(functionId: VnfInstanceId, unit: string): number;
  /** Hosts that hold the function, in order of id. */
  hostsOf(functionId: VnfInstanceId): readonly HostSnapshot[];
  add(functionId: VnfInstanceId, demand: UnitDemand, host: HostSnapshot): void;
  remove(functionId: VnfInstanceId, demand: UnitDemand, host: HostSnapshot): void;
  mark(): number;
  /** Takes back what came after the mark. */
  rollback(mark: number): void;
  additions(): readonly Placement[];
  removals(): readonly Placement[];
}

interface Entry {
  readonly functionId: VnfInstanceId;
  readonly demand: UnitDemand;
  readonly host: HostSnapshot;
  readonly sign: 1 | -1;
}

interface HostAccount {
  used: Resources;
  readonly ports: Map<FixedPort, number>;
}

export function createLedger(snapshot: PlacementSnapshot): Ledger {
  const hosts = snapshot.hosts.toSorted((a, b) => compareText(a.hostId, b.hostId));
  const accounts = new Map(hosts.map((host) => [host.hostId, openAccount(host)]));
  /** functionId → hostId → unit → instances */
  const placed = new Map<VnfInstanceId, Map<HostId, Map<string, number>>>();
  const byId = new Map(hosts.map((host) => [host.hostId, host]));
  const entries: Entry[] = [];
  for (const host of hosts) {
    for (const { functionId, unit, instances } of host.placed)
      count(functionId, host.hostId, unit, instances);
  }

  function count(functionId: VnfInstanceId, hostId: HostId, unit: string, change: number): void {
    const onHosts = placed.get(functionId) ?? new Map<HostId, Map<string, number>>();
    const units = onHosts.get(hostId) ?? new Map<string, number>();
    placed.set(functionId, onHosts);
    onHosts.set(hostId, units);
    const instances = (units.get(unit) ?? 0) + change;
    if (instances === 0) units.delete(unit);
    else units.set(unit, instances);
    if (units.size === 0) onHosts.delete(hostId);
  }

  function book({ functionId, demand, host, sign }: Entry): void {
    count(functionId, host.hostId, demand.unit, sign);
    const account = accounts.get(host.hostId);
    if (account === undefined) return;
    account.used = sum(account.used, demand.resources, sign);
    for (const port of demand.fixedPorts) account.ports.set(port, (account.ports.get(port) ?? 0) + sign);
  }

  function enter(entry: Entry): void {
    entries.push(entry);
    book(entry);
  }

  const unitsOn = (functionId: VnfInstanceId, hostId: HostId) => placed.get(functionId)?.get(hostId);
  return {
    hosts,
    free: (host) => sum(host.allocatable, accounts.get(host.hostId)?.used ?? host.used, -1),
    isPortTaken: (host, port) => (accounts.get(host.hostId)?.ports.get(port) ?? 0) > 0,
    countOn: (functionId, hostId, unit) =>
      unit === undefined
        ? total(unitsOn(functionId, hostId)?.values())
        : (unitsOn(functionId, hostId)?.get(unit) ?? 0),
    countOf: (functionId, unit) =>
      total([...(placed.get(functionId)?.values() ?? [])].map((units) => units.get(unit) ?? 0)),
    hostsOf: (functionId) =>
      [...(placed.get(functionId)?.keys() ?? [])]
        .flatMap((hostId) => byId.get(hostId) ?? [])
        .toSorted((a, b) => compareText(a.hostId, b.hostId)),
    add: (functionId, demand, host) => enter({ functionId, demand, host, sign: 1 }),
    remove: (functionId, demand, host) => enter({ functionId, demand, host, sign: -1 }),
    mark: () => entries.length,
    rollback: (mark) => {
      for (const entry of entries.splice(mark).toReversed())
        book({ ...entry, sign: entry.sign === 1 ? -1 : 1 });
    },
    additions: () => toPlacements(entries, 1),
    removals: () => toPlacements(entries, -1),
  };
}

function openAccount(host: HostSnapshot): HostAccount {
  return { used: host.used, ports: new Map(host.ports.map((port) => [port, 1])) };
}

function sum(a: Resources, b: Resources, sign: 1 | -1): Resources {
  return {
    cpuMillis: a.cpuMillis + sign * b.cpuMillis,
    memoryBytes: a.memoryBytes + sign * b.memoryBytes,
    storageBytes: a.storageBytes + sign * b.storageBytes,
  };
}

function total(values: Iterable<number> | undefined): number {
  let result = 0;
  for (const value of values ?? []) result += value;
  return result;
}

function toPlacements(entries: readonly Entry[], sign: 1 | -1): readonly Placement[] {
  const byPlace = Map.groupBy(
    entries.filter((entry) => entry.sign === sign),
    ({ functionId, demand, host }) => `${functionId} ${demand.unit} ${host.hostId}`,
  );
  return [...byPlace.entries()]
    .toSorted(([a], [b]) => compareText(a, b))
    .flatMap(([, [first, ...rest]]) =>
      first === undefined
        ? []
        : [
            {
              functionId: first.functionId,
              unit: first.demand.unit,
              hostId: first.host.hostId,
              instances: rest.length + 1,
            },
          ],
    );
}
