import type { Clock, VnfInstanceId } from '../../kernel/index.ts';
import { FUNCTION_EFFORT, NO_SEARCH, type SearchEffort } from './search-effort.ts';

/**
 * How often a place is looked for again for a function that has found none. The first look searches for nothing: where many have lost their places at once, those
 * that find one easily do not wait for the search for others. Each further look waits twice as long, and all of them together take no more than a
 * quarter of the time. Held in memory: a new leader looks at once.
 */
export interface RefusalPace {
  /** How hard to look now; undefined: not yet. */
  effortFor(id: VnfInstanceId): SearchEffort | undefined;
  /** A look that took so long has found nothing. */
  refused(id: VnfInstanceId, milliseconds: number): void;
  /** It has a place, or needs none any more. */
  forget(id: VnfInstanceId): void;
  /** A host has come or has changed, for instance: nobody needs to wait, but for his share of the time. */
  roomMayHaveCome(): void;
}

/** Of the time that one round over all that wait has taken. */
const REST = 3;

interface Refusal {
  readonly count: number;
  readonly at: number;
  readonly milliseconds: number;
  readonly wait: number;
  /** How often room may have come until then. */
  readonly changes: number;
}

/** @param waits milliseconds after the first look, and at most after any */
export function createRefusalPace(
  clock: Clock,
  waits: { readonly first: number; readonly most: number },
): RefusalPace {
  const refusals = new Map<VnfInstanceId, Refusal>();
  /** One look at each that waits. */
  let roundMilliseconds = 0;
  let changes = 0;
  const forget = (id: VnfInstanceId): void => {
    roundMilliseconds -= refusals.get(id)?.milliseconds ?? 0;
    if (refusals.delete(id) && refusals.size === 0) roundMilliseconds = 0;
  };
  return {
    effortFor: (id) => {
      const refusal = refusals.get(id);
      if (refusal === undefined) return NO_SEARCH;
      const own = refusal.changes === changes ? refusal.wait : 0;
      const wait = Math.max(own, REST * roundMilliseconds);
      return clock.monotonic() >= refusal.at + wait ? FUNCTION_EFFORT : undefined;
    },
    refused: (id, milliseconds) => {
      const count = (refusals.get(id)?.count ?? 0) + 1;
      forget(id);
      roundMilliseconds += milliseconds;
      const wait = Math.min(waits.first * 2 ** (count - 1), waits.most);
      refusals.set(id, { count, at: clock.monotonic(), milliseconds, wait, changes });
    },
    forget,
    roomMayHaveCome: () => {
      changes += 1;
    },
  };
}
