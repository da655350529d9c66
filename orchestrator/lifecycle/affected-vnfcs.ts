import { wantedVnfcs, type AffectedVnfc, type WantedUnit, type WantedVnfc } from '../domain/index.ts';

/** What differs between what was wanted before an operation and after it. */
export function affectedVnfcs(
  before: readonly WantedUnit[],
  after: readonly WantedUnit[],
): readonly AffectedVnfc[] {
  const old = new Map(wantedVnfcs(before).map((copy) => [placeOf(copy), copy]));
  const now = new Map(wantedVnfcs(after).map((copy) => [placeOf(copy), copy]));
  const changed = [...now.values()].flatMap((copy): AffectedVnfc[] => {
    const known = old.get(placeOf(copy));
    if (known === undefined) return [{ copy, changeType: 'ADDED' }];
    return known.epoch === copy.epoch ? [] : [{ copy, changeType: 'MODIFIED' }];
  });
  const removed = [...old.values()].filter((copy) => !now.has(placeOf(copy)));
  return [...changed, ...removed.map((copy): AffectedVnfc => ({ copy, changeType: 'REMOVED' }))];
}

function placeOf({ hostId, unit, generation, slot }: WantedVnfc): string {
  return `${hostId}/${unit}-g${generation}-${slot}`;
}
