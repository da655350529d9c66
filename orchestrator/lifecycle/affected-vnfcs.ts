import { copyName, wantedVnfcs, type AffectedVnfc, type WantedUnit } from '../domain/index.ts';

/** What differs between what was wanted before an operation and after it. */
export function affectedVnfcs(
  before: readonly WantedUnit[],
  after: readonly WantedUnit[],
): readonly AffectedVnfc[] {
  const old = new Map(wantedVnfcs(before).map((copy) => [copyName(copy), copy]));
  const now = new Map(wantedVnfcs(after).map((copy) => [copyName(copy), copy]));
  const changed = [...now.values()].flatMap((copy): AffectedVnfc[] => {
    const known = old.get(copyName(copy));
    if (known === undefined) return [{ copy, changeType: 'ADDED' }];
    return known.epoch === copy.epoch ? [] : [{ copy, changeType: 'MODIFIED' }];
  });
  const removed = [...old.values()].filter((copy) => !now.has(copyName(copy)));
  return [...changed, ...removed.map((copy): AffectedVnfc => ({ copy, changeType: 'REMOVED' }))];
}
