import type { HostId } from '../../kernel/index.ts';
import type { WantedVnfc } from '../domain/index.ts';
import { assessConvergence, type Convergence } from './assess-convergence.ts';

/** What was found on each host of one function, and what that comes to. */
export interface ConvergenceTotals {
  has(hostId: HostId): boolean;
  hosts(): Iterable<HostId>;
  /** What was found on a host now; undefined: there is nothing to find any more. */
  set(hostId: HostId, found: Convergence | undefined): void;
  /** Of all hosts together, in order of host: to be read before anything else is set. Costs the hosts that are not as they are to be. */
  sum(displaced: readonly WantedVnfc[]): Convergence;
}

export function createConvergenceTotals(): ConvergenceTotals {
  const byHost = new Map<HostId, Convergence>();
  /** Most hosts have found the same: what is as it is to be is held once. */
  const shared = new Map<string, Convergence>();
  const unreached = new Set<HostId>();
  const failed = new Set<HostId>();
  let reached = 0;
  let leftovers = 0;
  let working = 0;

  function count(found: Convergence, sign: 1 | -1): void {
    reached += sign * found.reached;
    leftovers += sign * found.leftovers;
    if (found.isWorking) working += sign;
  }

  function share(found: Convergence): Convergence {
    if (!found.isReached) return found;
    const name = `${found.reached} ${found.isWorking}`;
    const known = shared.get(name) ?? found;
    shared.set(name, known);
    return known;
  }

  function inOrder(hosts: ReadonlySet<HostId>): readonly Convergence[] {
    return [...hosts].toSorted().flatMap((hostId) => byHost.get(hostId) ?? []);
  }

  return {
    has: (hostId) => byHost.has(hostId),
    hosts: () => byHost.keys(),
    set: (hostId, found) => {
      const before = byHost.get(hostId);
      if (before !== undefined) count(before, -1);
      for (const hosts of [unreached, failed]) hosts.delete(hostId);
      if (found === undefined) {
        byHost.delete(hostId);
        return;
      }
      byHost.set(hostId, share(found));
      count(found, 1);
      if (!found.isReached) unreached.add(hostId);
      if (found.failed.length > 0) failed.add(hostId);
    },
    sum: (displaced) => {
      const moving = assessConvergence({ ...NOTHING, displaced });
      return {
        isReached: unreached.size === 0 && moving.isReached,
        reached,
        leftovers,
        get pending() {
          return [...inOrder(unreached).flatMap(({ pending }) => pending), ...moving.pending];
        },
        failed: inOrder(failed).flatMap((found) => found.failed),
        isWorking: working > 0,
      };
    },
  };
}

const NOTHING = {
  wanted: [],
  observed: [],
  mode: 'service',
  lostHosts: new Set<HostId>(),
  withdrawnFrom: [],
  isCoverage: true,
} as const;
