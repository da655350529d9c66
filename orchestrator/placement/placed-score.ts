import type { Bits } from './bits.ts';
import type { CompiledRequest } from './compile-request.ts';
import { hostConstraints } from './constraints.ts';
import { instancesByDomain, rowsWithDomain } from './domains.ts';
import type { HostIndex } from './host-index.ts';
import { relationConstraints } from './relations.ts';
import type { PlacedFunction, RelocationProblem } from './relocation-types.ts';
import { EVENNESS_WEIGHT, scoreParts, SPREAD_WEIGHT, spreadsOf } from './score.ts';
import type { PlacementRule, UnitDemand } from './types.ts';

/** Of an instance on a READY host on which it could not be placed any more: any place that it may have is better. */
export const MISPLACED = 1_000_000;

/** What placement makes of one more instance on a row, save how much stays free there. */
export function scoreAt(index: HostIndex, { request, parts, limits }: CompiledRequest, row: number): number {
  const here = index.occupancy.rowsOf(request.functionId).get(row) ?? 0;
  let score = limits.score(row, true) + limits.score(row, false) - EVENNESS_WEIGHT * here;
  for (const part of parts) score += part.of(row);
  return score;
}

/**
 * How well all instances of a function are placed: what each row scores for each of them, less what instances that share a domain cost each other. Moving one
 * instance changes it by the difference of `scoreAt` between the two rows, taken without that instance.
 */
export function scoreOfFunction(
  index: HostIndex,
  { request }: PlacedFunction,
  rules: readonly PlacementRule[],
): number {
  const rows = index.occupancy.rowsOf(request.functionId);
  if (rows.size === 0) return 0;
  const parts = scoreParts(index, request, rules);
  let score = 0;
  for (const [row, instances] of rows) {
    for (const part of parts) score += instances * part.of(row);
    score -= EVENNESS_WEIGHT * pairs(instances);
  }
  for (const { by, weight = SPREAD_WEIGHT } of spreadsOf(request, rules)) {
    for (const count of instancesByDomain(index, request.functionId, by).values())
      score -= weight * pairs(count);
  }
  return score - MISPLACED * countMisplaced(index, request, rules);
}

/** Of all functions of a problem. */
export function totalScore(index: HostIndex, { functions, rules }: RelocationProblem): number {
  return functions.reduce((total, each) => total + scoreOfFunction(index, each, rules), 0);
}

/** Rows of which everything but room is right for a unit, wherever its own instances are. */
function properRows(
  index: HostIndex,
  request: PlacedFunction['request'],
  demand: UnitDemand,
  rules: readonly PlacementRule[],
): Bits {
  const rows = index.present.copy();
  for (const { rows: allowed } of [
    ...hostConstraints(index, request, demand),
    ...relationConstraints(index, request, rules, { isOwnCounted: false }),
  ])
    rows.keep(allowed);
  for (const { by, maxSkew } of spreadsOf(request, rules))
    if (maxSkew !== undefined) rows.keep(rowsWithDomain(index, by));
  return rows;
}

function countMisplaced(
  index: HostIndex,
  request: PlacedFunction['request'],
  rules: readonly PlacementRule[],
): number {
  let misplaced = 0;
  for (const demand of request.units) {
    const proper = properRows(index, request, demand, rules);
    for (const [row, instances] of index.occupancy.rowsOfUnit(request.functionId, demand.unit))
      if (!proper.has(row) && index.isReady(row) && !index.isLost(row)) misplaced += instances;
  }
  return misplaced;
}

function pairs(count: number): number {
  return (count * (count - 1)) / 2;
}
