import { compileRequest, rejectionAt, type CompiledRequest } from './compile-request.ts';
import { COLUMNS } from './host-columns.ts';
import type { HostIndex } from './host-index.ts';
import type { Rejection } from './rejection.ts';
import { summarise } from './reasons.ts';
import type { Shortfall } from './plan-types.ts';
import type { PlacementRequest, PlacementRule } from './types.ts';

/**
 * One of each unit on every host that matches; none on those that no longer do or are being drained. A silent host keeps what
 * it has: coverage cannot go elsewhere. Hosts that match and cannot run it are reported, and are no reason to refuse.
 */
export function planCoverage(
  index: HostIndex,
  request: PlacementRequest,
  rules: readonly PlacementRule[],
): readonly Shortfall[] {
  const covered = coveredRows(index, request);
  const left = [...index.occupancy.rowsOf(request.functionId).keys()].filter((row) => !covered.has(row));
  for (const row of left) removeFrom(index, request, row);
  const compiled = request.units.map((demand) => compileRequest(index, request, demand, rules));
  const rejections = [...covered]
    .toSorted((a, b) => index.compareRows(a, b))
    .flatMap((row) => cover(index, request, compiled, row));
  if (rejections.length === 0) return [];
  return [
    {
      functionId: request.functionId,
      name: request.name,
      unit: request.units.map(({ unit }) => unit).join(', '),
      missing: rejections.length,
      consideredHosts: covered.size,
      reasons: summarise(rejections),
    },
  ];
}

function coveredRows(index: HostIndex, { coverage, tenant }: PlacementRequest): ReadonlySet<number> {
  const rows = index.present.copy();
  if (coverage !== undefined) rows.keep(index.labels.matching(coverage));
  const covered = new Set<number>();
  rows.forEach((row) => {
    const tenants = index.labels.text(row, COLUMNS.tenants);
    const isOurs = tenants === undefined || tenants.split(' ').includes(tenant);
    if (isOurs && !index.isDraining(row)) covered.add(row);
  });
  return covered;
}

/** All units on the host, or none of those that are missing there. */
function cover(
  index: HostIndex,
  { functionId }: PlacementRequest,
  units: readonly CompiledRequest[],
  row: number,
): readonly Rejection[] {
  const begin = index.mark();
  for (const compiled of units) {
    if (index.occupancy.rowsOfUnit(functionId, compiled.demand.unit).has(row)) continue;
    const rejection = rejectionAt(compiled, row);
    if (rejection !== undefined) {
      index.rollback(begin);
      for (const { limits } of units) limits.recount(index.occupancy.rowsOf(functionId));
      return [rejection];
    }
    index.book(functionId, compiled.demand, row, 1);
    for (const { limits } of units) limits.take(row);
  }
  return [];
}

function removeFrom(index: HostIndex, { functionId, units }: PlacementRequest, row: number): void {
  for (const demand of units)
    if (index.occupancy.rowsOfUnit(functionId, demand.unit).has(row)) index.book(functionId, demand, row, -1);
}
