import { compareText } from '../domain/index.ts';
import type { HostIndex } from './host-index.ts';
import type { Departure } from './instance-moves.ts';
import type { Relocation } from './relocation.ts';

/** All instances on a row of what is known, in one order. */
export function departuresFrom(relocation: Relocation, row: number): readonly Departure[] {
  const { index } = relocation;
  return index.occupancy.functionsOn(row).flatMap((functionId) => {
    const placed = relocation.functionOf(functionId);
    if (placed === undefined) return [];
    return placed.request.units.flatMap((demand) =>
      Array.from(
        { length: index.occupancy.rowsOfUnit(functionId, demand.unit).get(row) ?? 0 },
        (): Departure => ({ placed, demand, row }),
      ),
    );
  });
}

/** The more important first, then large ones: small ones find room in what they leave. */
export function byImportance(index: HostIndex): (a: Departure, b: Departure) => number {
  return (a, b) =>
    (b.placed.request.priority ?? 0) - (a.placed.request.priority ?? 0) ||
    b.demand.resources.memoryBytes - a.demand.resources.memoryBytes ||
    b.demand.resources.cpuMillis - a.demand.resources.cpuMillis ||
    compareText(a.placed.request.functionId, b.placed.request.functionId) ||
    compareText(a.demand.unit, b.demand.unit) ||
    index.compareRows(a.row, b.row);
}

/** How many of the kind are on the row now. */
export function instancesAt({ index }: Relocation, { placed, demand, row }: Departure): number {
  return index.occupancy.rowsOfUnit(placed.request.functionId, demand.unit).get(row) ?? 0;
}
