import type { WorkloadSpec } from '../contract.ts';
import { decideRestart } from '../supervision/index.ts';

/** What has been seen of the ends of one pod's program. */
export interface EndBook {
  readonly pod: string;
  /** Ends counted so far. */
  readonly count: number;
  /** Time of the last end, milliseconds of a clock that stands still while the cluster makes the program wait for longer than its policy does. */
  readonly at: number;
  readonly recentExits: readonly number[];
  readonly delayMilliseconds: number;
  /** It is not to be started again, and why. */
  readonly verdict?: string;
}

/** What a pod shows of it now. */
export interface EndsSeen {
  readonly pod: string;
  readonly count: number;
  /** How long the program ran before its last end. */
  readonly lastRunMilliseconds: number;
  /** Nothing of what happened to the pod before can have been missed. */
  readonly isSeenFromStart: boolean;
}

/**
 * Whether a program that has ended again may be started once more. The kubelet starts it again in any case, later and later; this decides when
 * that is to end. Pure.
 */
export function countEnds(
  policy: WorkloadSpec['restart'],
  book: EndBook | undefined,
  seen: EndsSeen,
): EndBook {
  const known = book?.pod === seen.pod ? book : undefined;
  let next: EndBook = known ?? {
    pod: seen.pod,
    // Of the ends before the first look only the last one has a time; one that has been missed is forgiven.
    count: seen.isSeenFromStart ? 0 : Math.max(0, seen.count - 1),
    at: 0,
    recentExits: [],
    delayMilliseconds: 0,
  };
  while (next.verdict === undefined && next.count < seen.count) {
    const at = next.at + next.delayMilliseconds + seen.lastRunMilliseconds;
    const decision = decideRestart(policy, next.recentExits, at);
    if (decision.action === 'give-up') return { ...next, count: seen.count, at, verdict: decision.reason };
    const { recentExits, delayMilliseconds } = decision;
    next = { pod: seen.pod, count: next.count + 1, at, recentExits, delayMilliseconds };
  }
  return next;
}
