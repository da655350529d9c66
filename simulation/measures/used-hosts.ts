import type { HostId } from '../../kernel/index.ts';
import type { Fleet } from '../world/fleet.ts';

/** Hosts to which something is assigned, and what they cost. */
export interface UsedHosts {
  assigned(hostId: HostId, recordId: string, isThere: boolean): void;
  readonly count: number;
  /** Of all of them, per hour. */
  readonly costPerHour: number;
}

export function createUsedHosts(fleet: Fleet): UsedHosts {
  const assignments = new Map<HostId, Set<string>>();
  /** Hosts in use by cost: a sum of many small numbers, taken over and over, would drift. */
  const byCost = new Map<number, number>();

  function count(hostId: HostId, difference: number): void {
    const cost = fleet.host(hostId)?.group.costPerHour ?? 0;
    byCost.set(cost, (byCost.get(cost) ?? 0) + difference);
  }

  return {
    assigned: (hostId, recordId, isThere) => {
      const there = assignments.get(hostId);
      if (isThere && there === undefined) {
        assignments.set(hostId, new Set([recordId]));
        count(hostId, 1);
      } else if (isThere) there?.add(recordId);
      else if (there?.delete(recordId) === true && there.size === 0) {
        assignments.delete(hostId);
        count(hostId, -1);
      }
    },
    get count() {
      return assignments.size;
    },
    get costPerHour() {
      return [...byCost].reduce((sum, [cost, hosts]) => sum + cost * hosts, 0);
    },
  };
}
