import { copyName, type WantedVnfc } from '../domain/index.ts';
import type { UnitCounts } from './levels.ts';

/** Of what is too many where it stays, what its host has given up goes first; names of copies. Pure. */
export function surplusOf(
  copies: readonly WantedVnfc[],
  counts: UnitCounts,
  { moved, givenUp }: { readonly moved: readonly WantedVnfc[]; readonly givenUp: readonly WantedVnfc[] },
): readonly string[] {
  const leaving = new Set(moved.map(copyName));
  const staying = copies.filter((copy) => !leaving.has(copyName(copy)));
  const left = new Map(
    [...Map.groupBy(staying, ({ unit }) => unit)].map(([unit, all]) => [
      unit,
      all.length - (counts[unit] ?? 0),
    ]),
  );
  return givenUp
    .filter((copy) => !leaving.has(copyName(copy)))
    .toSorted((a, b) => b.slot - a.slot)
    .filter(({ unit }) => {
      const surplus = left.get(unit) ?? 0;
      left.set(unit, surplus - 1);
      return surplus > 0;
    })
    .map(copyName);
}
