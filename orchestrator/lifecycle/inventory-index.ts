import type { Clock, HostId, TenantId, VnfInstanceId } from '../../kernel/index.ts';
import {
  copyName,
  packageIdAt,
  wantedVnfcs,
  type Versions,
  type VnfInstanceDocument,
  type WantedVnfc,
} from '../domain/index.ts';
import { HostIndex, type PlacementSnapshot } from '../placement/index.ts';
import type { Revision, StateView, StoredRecord } from '../store/index.ts';
import type { FunctionCatalog } from './function-catalog.ts';
import {
  addUse,
  newUse,
  roomTakenBy,
  snapshotHost,
  unitDemand,
  type WantedOverride,
} from './snapshot-inventory.ts';

/**
 * The inventory, arranged for placement and kept: what has changed in the store since the last look is taken in with the next one, record by record,
 * whoever changed it. Nothing has to tell it.
 */
export interface InventoryIndex {
  /**
   * Lets placement look at the inventory as it is accepted now.
   * @param overrides what is to be taken as wanted of function instances instead of what the store says; they need not be there yet
   * @param isLost hosts that are silent for longer than the function to be placed bears, whatever the inventory still says of them
   */
  look<T>(
    use: (index: HostIndex) => T,
    overrides?: readonly WantedOverride[],
    isLost?: (hostId: HostId) => boolean,
  ): T;
}

const AGE_STEP_MILLISECONDS = 10_000;
const HOUR_MILLISECONDS = 3_600_000;

interface KnownInstance {
  readonly revision: number;
  readonly instance: VnfInstanceDocument;
  readonly tenant: TenantId;
  readonly copies: readonly WantedVnfc[];
  readonly byHost: ReadonlyMap<HostId, readonly WantedVnfc[]>;
  readonly identity: string;
}

export interface InventoryIndexOptions {
  readonly clock: Pick<Clock, 'now'>;
  /** Hosts that may be lost to some function: `isLost` of a look is asked about no others. */
  suspected(): Iterable<HostId>;
  readonly reserves?: PlacementSnapshot['reserves'];
}

export function createInventoryIndex(
  state: StateView,
  catalog: FunctionCatalog,
  { clock, suspected, reserves = {} }: InventoryIndexOptions,
): InventoryIndex {
  const index = HostIndex.of({ hosts: [], reserves });
  const begin = clock.now();
  let hour = 0;
  /** Revisions of host and facts, by host. */
  const hosts = new Map<HostId, string>();
  const instances = new Map<VnfInstanceId, KnownInstance>();
  const instancesOn = new Map<HostId, Set<VnfInstanceId>>();
  const stale = new Set<HostId>();
  /** Hosts of which absences are remembered: these count the less the longer they are ago. */
  const absent = new Set<HostId>();
  let seen: Revision = -1;

  function refresh(): void {
    age();
    takeChanges();
    for (const hostId of stale) rebuild(hostId);
    stale.clear();
  }

  /** In steps: what nobody could tell apart need not be computed anew. */
  function age(): void {
    const passed = clock.now() - begin;
    index.now = Math.floor(passed / AGE_STEP_MILLISECONDS) * (AGE_STEP_MILLISECONDS / 1000);
    const newHour = Math.floor(passed / HOUR_MILLISECONDS);
    if (newHour !== hour) for (const hostId of absent) stale.add(hostId);
    hour = newHour;
  }

  function takeChanges(): void {
    const newest = state.acceptedRevision;
    if (newest === seen) return;
    for (const kind of ['host', 'host-facts'] as const)
      for (const id of changedIds(kind, hosts.keys())) findChangedHost(id as HostId);
    for (const id of changedIds('vnf-instance', instances.keys())) findChangedInstance(id as VnfInstanceId);
    seen = newest;
  }

  /** What may have changed since the last look: costs what has changed, unless that is too much to have been kept. */
  function changedIds(
    kind: 'host' | 'host-facts' | 'vnf-instance',
    known: Iterable<string>,
  ): Iterable<string> {
    const changed = state.changedSince(kind, seen);
    if (changed !== 'too-old') return changed;
    return new Set([...known, ...[...state.list(kind)].map(({ id }) => id)]);
  }

  function findChangedHost(hostId: HostId): void {
    const revision = state.get('host', hostId)?.revision;
    const version = `${revision} ${state.get('host-facts', hostId)?.revision ?? ''}`;
    if (hosts.get(hostId) === version) return;
    if (revision !== undefined) hosts.set(hostId, version);
    else if (!hosts.delete(hostId)) return;
    stale.add(hostId);
  }

  function findChangedInstance(id: VnfInstanceId): void {
    const record = state.get('vnf-instance', id);
    if (instances.get(id)?.revision !== record?.revision) know(id, record);
  }

  function know(id: VnfInstanceId, record: StoredRecord<'vnf-instance'> | undefined): void {
    const before = instances.get(id);
    const now = record === undefined ? undefined : knownOf(record);
    if (now === undefined) instances.delete(id);
    else instances.set(id, now);
    for (const hostId of new Set([...(before?.byHost.keys() ?? []), ...(now?.byHost.keys() ?? [])])) {
      const there = instancesOn.get(hostId) ?? new Set<VnfInstanceId>();
      instancesOn.set(hostId, there);
      if (now?.byHost.has(hostId) === true) there.add(id);
      else there.delete(id);
      if (takesOf(before, hostId) !== takesOf(now, hostId)) stale.add(hostId);
    }
  }

  function rebuild(hostId: HostId): void {
    const use = newUse();
    for (const id of instancesOn.get(hostId) ?? []) {
      const known = instances.get(id);
      if (known === undefined) continue;
      const { instance, tenant, byHost } = known;
      addUse(use, catalog, { id, instance, tenant, copies: byHost.get(hostId) ?? [] });
    }
    const host = snapshotHost(state, hostId, use, begin + index.now * 1000);
    if (host?.availability === undefined) absent.delete(hostId);
    else absent.add(hostId);
    if (host === undefined) index.delete(hostId);
    else index.put(host);
  }

  /** Books the difference between what the store says of an instance and what is to be taken as wanted. */
  function override(versions: WantedOverride): void {
    const { id, wanted } = versions;
    const current = instances.get(id);
    const before = current?.copies ?? [];
    const after = wantedVnfcs(wanted);
    change(id, current?.instance ?? versions, without(before, after), -1);
    change(id, versions, without(after, before), 1);
  }

  function change(id: VnfInstanceId, versions: Versions, copies: readonly WantedVnfc[], sign: 1 | -1): void {
    for (const { unit, hostId, generation } of copies) {
      const row = index.rowOf(hostId);
      const demand = unitDemand(catalog, packageIdAt(versions, generation), unit);
      if (row !== undefined && demand !== undefined) index.book(id, demand, row, sign);
    }
  }

  return {
    look: (use, overrides = [], isLost) => {
      refresh();
      const begin = index.mark();
      const before = index.silent;
      try {
        if (isLost !== undefined) index.silent = silentRows(isLost);
        for (const each of overrides) override(each);
        return use(index);
      } finally {
        // Who has ranked hosts meanwhile saw them with what the overrides add.
        index.tellGained(index.rollback(begin));
        index.occupancy.dismiss(overrides.map(({ id }) => id).filter((id) => !instances.has(id)));
        index.silent = before;
      }
    },
  };

  function silentRows(isLost: (hostId: HostId) => boolean): ReadonlySet<number> {
    const rows = new Set<number>();
    for (const hostId of suspected()) {
      // What is LOST for everybody, the index says itself.
      if (state.get('host', hostId)?.document.state === 'LOST') continue;
      const row = index.rowOf(hostId);
      if (row !== undefined && isLost(hostId)) rows.add(row);
    }
    return rows;
  }
}

function knownOf({ revision, document, tenant }: StoredRecord<'vnf-instance'>): KnownInstance {
  const copies = roomTakenBy(document);
  return {
    revision,
    instance: document,
    tenant,
    copies,
    byHost: Map.groupBy(copies, ({ hostId }) => hostId),
    // What neighbours and placement may have to know beside the room that it takes.
    identity: JSON.stringify([
      document.vnfPkgId,
      // What covers hosts makes no room for others, with or without instances.
      document.coverage !== undefined || document.wanted.length > 0,
      document.coverage !== undefined,
      document.bind,
    ]),
  };
}

/** What of an instance takes room on a host, and who it is: the same text, the same to placement. */
function takesOf(known: KnownInstance | undefined, hostId: HostId): string {
  const copies = known?.byHost.get(hostId);
  if (known === undefined || copies === undefined) return '';
  const taken = copies.map(({ unit, generation }) => `${unit}:${packageIdAt(known.instance, generation)}`);
  return `${known.identity} ${taken.join(' ')}`;
}

/** Those of the copies that are not among the others: the same slot on the same host. */
function without(copies: readonly WantedVnfc[], others: readonly WantedVnfc[]): readonly WantedVnfc[] {
  const known = new Set(others.map(copyName));
  return copies.filter((copy) => !known.has(copyName(copy)));
}
