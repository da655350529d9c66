import type { HostId, VnfInstanceId, VnfPkgId } from '../../kernel/index.ts';
import { hostIdOf, type VnfInstanceDocument } from '../domain/index.ts';
import type { Revision, StateView } from '../store/index.ts';
import type { Convergence } from './assess-convergence.ts';
import { createCoveredFunction, type CoveredFunction } from './covered-function.ts';
import type { FunctionCatalog } from './function-catalog.ts';
import type { Liveness } from './liveness.ts';

/**
 * How far functions with coverage are from what is wanted of them, kept by host. They may have a copy on every host of a fleet, and each
 * of these reports by itself: a look costs the hosts of which something has changed since the last one, and those that are suspected,
 * not all copies. Nothing has to tell it: what has changed in the store is taken in with the next look, whoever changed it.
 */
export interface CoverageIndex {
  /** What `assessConvergence` finds when it looks at all copies, in order of their hosts. */
  convergenceOf(id: VnfInstanceId, instance: VnfInstanceDocument): Convergence;
  /** Hosts that are not enrolled any more, and of which copies are still wanted. */
  hostsGone(id: VnfInstanceId, instance: VnfInstanceDocument): ReadonlySet<HostId>;
}

export interface CoverageIndexOptions {
  readonly state: StateView;
  readonly catalog: FunctionCatalog;
  readonly liveness: Liveness;
}

export function createCoverageIndex({ state, catalog, liveness }: CoverageIndexOptions): CoverageIndex {
  const functions = new Map<VnfInstanceId, CoveredFunction>();
  /** Functions that want something on a host, have taken something from it, or are reported from it. */
  const users = new Map<HostId, Set<VnfInstanceId>>();
  /** Of functions that nobody has asked about yet: hosts that report something of them. */
  const reported = new Map<VnfInstanceId, Set<HostId>>();
  let seen: Revision = -1;

  function takeChanges(): void {
    const newest = state.acceptedRevision;
    if (newest === seen) return;
    const observed = state.changedSince('observed', seen);
    const hosts = state.changedSince('host', seen);
    const applied = state.changedSince('host-applied', seen);
    const instances = state.changedSince('vnf-instance', seen);
    seen = newest;
    if (observed === 'too-old' || hosts === 'too-old' || applied === 'too-old' || instances === 'too-old') {
      beginAgain();
      return;
    }
    for (const id of observed) touchObserved(id);
    for (const id of hosts) for (const known of usersOf(id as HostId)) known.touch(id as HostId);
    for (const id of applied) for (const known of usersOf(id as HostId)) known.touchApplied(id as HostId);
    for (const id of instances) if (state.get('vnf-instance', id) === undefined) forget(id as VnfInstanceId);
  }

  function beginAgain(): void {
    for (const all of [functions, users, reported]) all.clear();
    for (const { id } of state.list('observed')) touchObserved(id);
  }

  function touchObserved(recordId: string): void {
    const hostId = hostIdOf(recordId);
    const owner = state.get('observed', recordId)?.document.workload.key.vnfInstanceId;
    // What is not there any more does not say whose it was: all that use the host look again.
    if (owner === undefined) for (const known of usersOf(hostId)) known.touch(hostId);
    else if (functions.has(owner)) functions.get(owner)?.touch(hostId);
    else if (state.get('vnf-instance', owner)?.document.coverage !== undefined)
      reported.set(owner, (reported.get(owner) ?? new Set()).add(hostId));
  }

  function* usersOf(hostId: HostId): Generator<CoveredFunction> {
    for (const id of users.get(hostId) ?? []) {
      const known = functions.get(id);
      if (known !== undefined) yield known;
    }
  }

  function use(id: VnfInstanceId, hostId: HostId, isUsed: boolean): void {
    const there = users.get(hostId) ?? new Set<VnfInstanceId>();
    if (isUsed) users.set(hostId, there.add(id));
    else if (there.delete(id) && there.size === 0) users.delete(hostId);
  }

  function forget(id: VnfInstanceId): void {
    for (const hostId of functions.get(id)?.hosts() ?? []) use(id, hostId, false);
    functions.delete(id);
    reported.delete(id);
  }

  function open(id: VnfInstanceId, vnfPkgId: VnfPkgId): CoveredFunction {
    const reportedFrom = [...(reported.get(id) ?? []), ...(functions.get(id)?.hosts() ?? [])];
    forget(id);
    const opened = createCoveredFunction({
      id,
      vnfPkgId,
      state,
      catalog,
      liveness,
      reportedFrom,
      use: (hostId, isUsed) => use(id, hostId, isUsed),
    });
    functions.set(id, opened);
    return opened;
  }

  function look(id: VnfInstanceId, { vnfPkgId }: VnfInstanceDocument): CoveredFunction {
    takeChanges();
    const known = functions.get(id);
    return known?.vnfPkgId === vnfPkgId ? known : open(id, vnfPkgId);
  }

  return {
    convergenceOf: (id, instance) => look(id, instance).convergence(instance),
    hostsGone: (id, instance) => look(id, instance).hostsGone(instance),
  };
}
