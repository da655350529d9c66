import type { Revision } from './contract.ts';

/** Which records of one kind were written, in order, as far back as is worth keeping. */
export interface RecentIds {
  append(revision: Revision, id: string): void;
  /** Ids written after that revision, each once; `too-old` where that is not known any more: look at all of them. */
  since(revision: Revision): readonly string[] | 'too-old';
}

/** Newest writes that are kept at least: who looks now and then is never further behind. */
export const WRITES_KEPT = 16_384;
const NONE: readonly string[] = [];

/** @param reachesBackTo nothing is known of writes up to that revision */
export function createRecentIds(reachesBackTo: Revision): RecentIds {
  let before = reachesBackTo;
  let revisions: Revision[] = [];
  let ids: string[] = [];
  return {
    append: (revision, id) => {
      revisions.push(revision);
      ids.push(id);
      if (ids.length <= 2 * WRITES_KEPT) return;
      before = revisions[WRITES_KEPT] ?? before;
      revisions = revisions.slice(WRITES_KEPT + 1);
      ids = ids.slice(WRITES_KEPT + 1);
    },
    since: (revision) => {
      if (revision < before) return 'too-old';
      const first = firstAfter(revisions, revision);
      return first === ids.length ? NONE : [...new Set(ids.slice(first))];
    },
  };
}

function firstAfter(revisions: readonly Revision[], revision: Revision): number {
  let low = 0;
  let high = revisions.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((revisions[middle] ?? Infinity) <= revision) low = middle + 1;
    else high = middle;
  }
  return low;
}
