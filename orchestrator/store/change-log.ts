import type { Change, Revision } from './contract.ts';
import { createFifo } from './fifo.ts';

/** The newest durable changes, in order, bounded by the number of record changes in them. */
export interface ChangeLog {
  append(change: Change): void;
  /** `too-old` when the log does not reach back to right after that revision. */
  since(revision: Revision): readonly Change[] | 'too-old';
  /** The earliest revision that `since` answers. */
  readonly reachesBackTo: Revision;
}

/**
 * @param before revision right before the first change that is (or will be) appended
 * @param limit record changes that are kept; the newest change is kept however large it is
 */
export function createChangeLog(before: Revision, limit: number): ChangeLog {
  const changes = createFifo<Change>();
  let reachesBackTo = before;
  let entries = 0;
  return {
    get reachesBackTo() {
      return reachesBackTo;
    },
    append: (change) => {
      changes.push(change);
      entries += change.entries.length;
      while (entries > limit && changes.length > 1) {
        const dropped = changes.shift();
        if (dropped === undefined) break;
        entries -= dropped.entries.length;
        reachesBackTo = dropped.revision;
      }
    },
    since: (revision) => {
      if (revision < reachesBackTo) return 'too-old';
      let low = 0;
      let high = changes.length;
      while (low < high) {
        const middle = (low + high) >>> 1;
        if ((changes.at(middle)?.revision ?? Infinity) <= revision) low = middle + 1;
        else high = middle;
      }
      return changes.from(low);
    },
  };
}
