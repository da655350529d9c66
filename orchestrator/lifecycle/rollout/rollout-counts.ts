import {
  versionsOf,
  type VnfInstanceDocument,
  type WantedUnit,
  type WantedVnfc,
} from '../../domain/index.ts';
import type { LifecycleContext } from '../context.ts';
import { packageOf } from '../function-catalog.ts';
import { countsOfLevel, countsOfWanted, type UnitCounts } from '../levels.ts';

/**
 * Copies of each unit that the version which the instance is to be of has when all are there: as many as there were before, and of units that are new
 * in it as many as its level says. Empty with coverage: hosts come and go.
 * @param before what was intended when the change began
 */
export function countsOfRollout(
  { catalog }: Pick<LifecycleContext, 'catalog'>,
  instance: VnfInstanceDocument,
  before: readonly WantedUnit[],
): UnitCounts {
  if (instance.coverage !== undefined) return {};
  const { descriptor } = packageOf(catalog, instance.vnfPkgId);
  const known = new Set(
    versionsOf(instance)
      .slice(1)
      .flatMap(({ vnfPkgId }) => packageOf(catalog, vnfPkgId).descriptor.units.map(({ name }) => name)),
  );
  const had = countsOfWanted(before);
  const level = countsOfLevel(descriptor, instance.flavour, instance.level).counts;
  return Object.fromEntries(
    descriptor.units.map(({ name }) => [name, had[name] ?? (known.has(name) ? 0 : (level[name] ?? 0))]),
  );
}

/** Copies by unit. */
export function countCopies(copies: readonly WantedVnfc[]): UnitCounts {
  const counts: Record<string, number> = {};
  for (const { unit } of copies) counts[unit] = (counts[unit] ?? 0) + 1;
  return counts;
}
