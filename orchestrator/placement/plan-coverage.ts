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
 * Costs the hosts that are to be looked at (`coverageOn`), and a look at all of them only where something has to be placed.
 */
export function planCoverage(
  index: HostIndex,
  request: PlacementRequest,
  rules: readonly PlacementRule[],
): readonly Shortfall[] {
  const { functionId } = request;
  const rows = rowsToLookAt(index, request);
  const covered = rows.filter((row) => isCovered(index, request, row));
  const stays = new Set(covered);
  const candidates = request.coverageOn === undefined ? index.occupancy.rowsOf(functionId).keys() : rows;
  for (const row of candidates) if (!stays.has(row)) removeFrom(index, request, row);
  const incomplete = covered.filter((row) => lacksUnit(index, request, row));
  if (incomplete.length === 0) return [];
  const compiled = request.units.map((demand) => compileRequest(index, request, demand, rules));
  const skipped = incomplete
    .toSorted((a, b) => index.compareRows(a, b))
    .flatMap((row) => cover(index, request, compiled, row).map((rejection) => ({ row, rejection })));
  if (skipped.length === 0) return [];
  return [
    {
      functionId,
      name: request.name,
      unit: request.units.map(({ unit }) => unit).join(', '),
      missing: skipped.length,
      consideredHosts: covered.length,
      reasons: summarise(skipped.map(({ rejection }) => rejection)),
      hosts: skipped.map(({ row }) => index.idOf(row)),
    },
  ];
}

function rowsToLookAt(index: HostIndex, { coverage, coverageOn }: PlacementRequest): readonly number[] {
  if (coverageOn !== undefined)
    return [...new Set(coverageOn)].flatMap((hostId) => index.rowOf(hostId) ?? []);
  const matching = index.present.copy();
  if (coverage !== undefined) matching.keep(index.labels.matching(coverage));
  const rows: number[] = [];
  matching.forEach((row) => rows.push(row));
  return rows;
}

function isCovered(index: HostIndex, { coverage, tenant }: PlacementRequest, row: number): boolean {
  if (coverage !== undefined && !index.labels.matching(coverage).has(row)) return false;
  const tenants = index.labels.text(row, COLUMNS.tenants);
  const isOurs = tenants === undefined || tenants.split(' ').includes(tenant);
  return isOurs && !index.isDraining(row);
}

function lacksUnit({ occupancy }: HostIndex, { functionId, units }: PlacementRequest, row: number): boolean {
  return units.some(({ unit }) => !occupancy.rowsOfUnit(functionId, unit).has(row));
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
