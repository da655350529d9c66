import type { HostId, VnfInstanceId } from '../../kernel/index.ts';
import { wantedVnfcs, type VnfInstanceDocument, type WantedVnfc } from '../../orchestrator/domain/index.ts';
import type { StateView } from '../../orchestrator/store/index.ts';

/** Why a copy runs elsewhere than it did, or anew. */
export const CAUSES = [
  'moved: host lost',
  'evicted: host drained',
  'moved: other',
  'restarted: power failure',
  'restarted: lease ended',
  'restarted: healed in place',
] as const;
export type Cause = (typeof CAUSES)[number];

/** Follows what is wanted of function instances: copies that get a host, and copies that change it. */
export interface Disruptions {
  /** A function instance changed, or is gone. How many copies got a host that they did not have. */
  see(id: VnfInstanceId, document: VnfInstanceDocument | undefined): number;
  count(cause: Cause): void;
  readonly counts: Readonly<Record<Cause, number>>;
}

interface Known {
  readonly wanted: VnfInstanceDocument['wanted'];
  readonly copies: ReadonlyMap<string, WantedVnfc>;
}

export function createDisruptions(state: StateView): Disruptions {
  const known = new Map<VnfInstanceId, Known>();
  const counts = Object.fromEntries(CAUSES.map((cause) => [cause, 0])) as Record<Cause, number>;

  function causeOfMove(hostId: HostId): Cause {
    const host = state.get('host', hostId)?.document;
    if (host === undefined || host.state === 'LOST' || host.state === 'SUSPECT') return 'moved: host lost';
    return host.draining ? 'evicted: host drained' : 'moved: other';
  }

  function compare(
    before: ReadonlyMap<string, WantedVnfc>,
    after: readonly WantedVnfc[],
    isCoverage: boolean,
  ): number {
    let placed = 0;
    for (const copy of after) {
      const was = before.get(nameOf(copy, isCoverage));
      if (was?.hostId !== copy.hostId) {
        placed += 1;
        if (was !== undefined) counts[causeOfMove(was.hostId)] += 1;
      } else if (was.epoch !== copy.epoch) counts['restarted: healed in place'] += 1;
    }
    return placed;
  }

  return {
    counts,
    count: (cause) => void (counts[cause] += 1),
    see: (id, document) => {
      const before = known.get(id);
      if (document === undefined || document.wanted.length + (document.displaced?.length ?? 0) === 0) {
        known.delete(id);
        return 0;
      }
      if (before?.wanted === document.wanted) return 0;
      const isCoverage = document.coverage !== undefined;
      const wanted = wantedVnfcs(document.wanted);
      const placed = compare(before?.copies ?? new Map(), wanted, isCoverage);
      const copies = new Map(
        [...(document.displaced ?? []), ...wanted].map((copy) => [nameOf(copy, isCoverage), copy]),
      );
      known.set(id, { wanted: document.wanted, copies });
      return placed;
    },
  };
}

/** Which copy, wherever it is; with coverage each host has its own. */
function nameOf({ unit, slot, hostId }: WantedVnfc, isCoverage: boolean): string {
  return `${unit} ${isCoverage ? hostId : slot}`;
}
