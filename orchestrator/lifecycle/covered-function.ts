import type { HostId, VnfInstanceId, VnfPkgId } from '../../kernel/index.ts';
import { isSameJson, type VnfInstanceDocument, type WantedUnit } from '../domain/index.ts';
import { appliedRevisionOf, type Revision, type StateView } from '../store/index.ts';
import { assessConvergence, type Convergence } from './assess-convergence.ts';
import { createConvergenceTotals } from './convergence-totals.ts';
import { packageOf, type FunctionCatalog } from './function-catalog.ts';
import { judgeHost, type Liveness } from './liveness.ts';

/** One function with coverage, host by host. */
export interface CoveredFunction {
  readonly vnfPkgId: VnfPkgId;
  /** Something of the host, or of what it reports, has changed. */
  touch(hostId: HostId): void;
  /** The host has applied more of what it was told. */
  touchApplied(hostId: HostId): void;
  /** Of all hosts together. Looks again at what has changed, and at every host that is suspected. */
  convergence(instance: VnfInstanceDocument): Convergence;
  /** Hosts that are not enrolled any more, and of which copies are still wanted. Who is heard makes no difference: only what has changed is looked at. */
  hostsGone(instance: VnfInstanceDocument): ReadonlySet<HostId>;
  /** Hosts of which it has to hear. */
  hosts(): Iterable<HostId>;
}

export interface CoveredFunctionOptions {
  readonly id: VnfInstanceId;
  readonly vnfPkgId: VnfPkgId;
  readonly state: StateView;
  readonly catalog: FunctionCatalog;
  readonly liveness: Liveness;
  /** Hosts that report something of it, wanted or not. */
  readonly reportedFrom: Iterable<HostId>;
  /** Told of each host of which it has to hear, and of those no longer. */
  readonly use: (hostId: HostId, isUsed: boolean) => void;
}

const NO_HOSTS: ReadonlySet<HostId> = new Set();

export function createCoveredFunction({
  id,
  vnfPkgId,
  state,
  catalog,
  liveness,
  reportedFrom,
  use,
}: CoveredFunctionOptions): CoveredFunction {
  const { descriptor } = packageOf(catalog, vnfPkgId);
  const totals = createConvergenceTotals();
  const stale = new Set<HostId>(reportedFrom);
  const lost = new Set<HostId>();
  const gone = new Set<HostId>();
  let wanted: VnfInstanceDocument['wanted'] = [];
  let withdrawn: VnfInstanceDocument['withdrawn'];
  let wantedOn: ReadonlyMap<HostId, readonly WantedUnit[]> = new Map();
  let withdrawnOn: ReadonlyMap<HostId, Revision> = new Map();

  const isLost = (hostId: HostId): boolean => judgeHost(state, liveness, descriptor, hostId).isLost;

  function takeWanted(instance: VnfInstanceDocument): void {
    if (instance.wanted !== wanted) {
      wanted = instance.wanted;
      wantedOn = markDifferences(wantedOn, wantedByHost(wanted));
    }
    if (instance.withdrawn !== withdrawn) {
      withdrawn = instance.withdrawn;
      withdrawnOn = markDifferences(
        withdrawnOn,
        new Map(withdrawn?.map(({ hostId, revision }) => [hostId, revision])),
      );
    }
  }

  function markDifferences<Value>(
    before: ReadonlyMap<HostId, Value>,
    after: ReadonlyMap<HostId, Value>,
  ): ReadonlyMap<HostId, Value> {
    for (const [hostId, value] of after) if (!isSameJson(before.get(hostId), value)) stale.add(hostId);
    for (const hostId of before.keys()) if (!after.has(hostId)) stale.add(hostId);
    return after;
  }

  /** A host that falls silent, or is heard again, makes no record change at that moment. */
  function hear(): void {
    for (const hostId of liveness.suspectedHosts())
      if (totals.has(hostId) && !lost.has(hostId) && isLost(hostId)) stale.add(hostId);
    for (const hostId of lost) if (!isLost(hostId)) stale.add(hostId);
  }

  function assess(hostId: HostId): void {
    const units = wantedOn.get(hostId) ?? [];
    const observed = [...state.listByPrefix('observed', `${hostId}.${id}-`)]
      .map(({ document }) => document)
      .filter(({ workload }) => workload.key.vnfInstanceId === id);
    const withdrawal = withdrawnOn.get(hostId);
    const isUsed = units.length > 0 || observed.length > 0 || withdrawal !== undefined;
    note(lost, hostId, isUsed && isLost(hostId));
    note(gone, hostId, units.length > 0 && state.get('host', hostId) === undefined);
    if (isUsed !== totals.has(hostId)) use(hostId, isUsed);
    if (!isUsed) {
      totals.set(hostId, undefined);
      return;
    }
    const isConfirmed = withdrawal === undefined || appliedRevisionOf(state, hostId) >= withdrawal;
    const found = assessConvergence({
      wanted: units,
      displaced: [],
      observed,
      mode: descriptor.run.mode,
      lostHosts: lost.has(hostId) ? new Set([hostId]) : NO_HOSTS,
      withdrawnFrom: isConfirmed ? [] : [hostId],
      isCoverage: true,
    });
    totals.set(hostId, found);
  }

  function assessStale(): void {
    for (const hostId of stale) assess(hostId);
    stale.clear();
  }

  return {
    vnfPkgId,
    touch: (hostId) => void stale.add(hostId),
    touchApplied: (hostId) => {
      if (withdrawnOn.has(hostId)) stale.add(hostId);
    },
    convergence: (instance) => {
      takeWanted(instance);
      hear();
      assessStale();
      return totals.sum(instance.displaced ?? []);
    },
    hostsGone: (instance) => {
      takeWanted(instance);
      assessStale();
      return gone;
    },
    hosts: totals.hosts,
  };
}

function wantedByHost(wanted: readonly WantedUnit[]): ReadonlyMap<HostId, readonly WantedUnit[]> {
  const byHost = new Map<HostId, WantedUnit[]>();
  for (const { unit, generation, hosts } of wanted)
    for (const host of hosts) {
      const here = byHost.get(host.hostId);
      const one = { unit, generation, hosts: [host] };
      if (here === undefined) byHost.set(host.hostId, [one]);
      else here.push(one);
    }
  return byHost;
}

function note(hosts: Set<HostId>, hostId: HostId, isOne: boolean): void {
  if (isOne) hosts.add(hostId);
  else hosts.delete(hostId);
}
