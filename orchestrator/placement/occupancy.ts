import type { VnfInstanceId } from '../../kernel/index.ts';
import type { PlacedUnit, UnitDemand } from './types.ts';

export interface Occupants {
  /** Instances by row, of all units. */
  readonly rows: Map<number, number>;
  readonly units: Map<string, UnitOccupants>;
  labels: Readonly<Record<string, string>>;
  priority: number;
  /** Rises with every change. */
  version: number;
}

export interface UnitOccupants {
  readonly rows: Map<number, number>;
  total: number;
  /** What one takes; known where it may have to make room. */
  demand?: UnitDemand;
}

const NOBODY: ReadonlyMap<number, number> = new Map();

/** Which function has how many instances on which row. */
export class Occupancy {
  readonly #functions = new Map<VnfInstanceId, Occupants>();
  /** Functions by row: whoever leaves a row is found without a look at all. */
  readonly #byRow = new Map<number, VnfInstanceId[]>();

  get functions(): ReadonlyMap<VnfInstanceId, Occupants> {
    return this.#functions;
  }

  /** Instances of a function by row. */
  rowsOf(functionId: VnfInstanceId): ReadonlyMap<number, number> {
    return this.#functions.get(functionId)?.rows ?? NOBODY;
  }

  rowsOfUnit(functionId: VnfInstanceId, unit: string): ReadonlyMap<number, number> {
    return this.#functions.get(functionId)?.units.get(unit)?.rows ?? NOBODY;
  }

  functionsOn(row: number): readonly VnfInstanceId[] {
    return this.#byRow.get(row) ?? [];
  }

  countOf(functionId: VnfInstanceId, unit: string): number {
    return this.#functions.get(functionId)?.units.get(unit)?.total ?? 0;
  }

  /** What is there already, with its host. */
  enter(
    { functionId, unit, instances, priority, resources, fixedPorts, labels }: PlacedUnit,
    row: number,
  ): void {
    const occupants = this.#occupants(functionId);
    if (labels !== undefined) occupants.labels = labels;
    if (priority !== undefined) occupants.priority = priority;
    const ofUnit = unitOf(occupants, unit);
    if (resources !== undefined)
      ofUnit.demand ??= { unit, instances: 0, resources, artifactTypes: [], fixedPorts: fixedPorts ?? [] };
    this.#change(functionId, occupants, ofUnit, row, instances);
  }

  /** Says who a function is, before its first instance is placed. */
  introduce(functionId: VnfInstanceId, labels: Readonly<Record<string, string>>, priority: number): void {
    const occupants = this.#occupants(functionId);
    occupants.labels = labels;
    occupants.priority = priority;
  }

  count(functionId: VnfInstanceId, demand: UnitDemand, row: number, change: number): void {
    const occupants = this.#occupants(functionId);
    const ofUnit = unitOf(occupants, demand.unit);
    ofUnit.demand ??= demand;
    this.#change(functionId, occupants, ofUnit, row, change);
  }

  /** Everything leaves a row. */
  leave(row: number): void {
    for (const functionId of this.#byRow.get(row) ?? []) {
      const occupants = this.#functions.get(functionId);
      if (occupants === undefined) continue;
      occupants.rows.delete(row);
      occupants.version += 1;
      for (const ofUnit of occupants.units.values()) {
        ofUnit.total -= ofUnit.rows.get(row) ?? 0;
        ofUnit.rows.delete(row);
      }
      if (occupants.rows.size === 0) this.#functions.delete(functionId);
    }
    this.#byRow.delete(row);
  }

  #change(
    functionId: VnfInstanceId,
    occupants: Occupants,
    ofUnit: UnitOccupants,
    row: number,
    change: number,
  ): void {
    bump(ofUnit.rows, row, change);
    ofUnit.total += change;
    bump(occupants.rows, row, change);
    occupants.version += 1;
    const here = this.#byRow.get(row);
    if (here === undefined) {
      this.#byRow.set(row, [functionId]);
      return;
    }
    const at = here.indexOf(functionId);
    if (occupants.rows.has(row) === at >= 0) return;
    if (at < 0) here.push(functionId);
    else here.splice(at, 1);
  }

  #occupants(functionId: VnfInstanceId): Occupants {
    let known = this.#functions.get(functionId);
    if (known === undefined) {
      known = { rows: new Map(), units: new Map(), labels: {}, priority: 0, version: 0 };
      this.#functions.set(functionId, known);
    }
    return known;
  }
}

function unitOf(occupants: Occupants, unit: string): UnitOccupants {
  let known = occupants.units.get(unit);
  if (known === undefined) {
    known = { rows: new Map(), total: 0 };
    occupants.units.set(unit, known);
  }
  return known;
}

function bump(rows: Map<number, number>, row: number, change: number): void {
  const count = (rows.get(row) ?? 0) + change;
  if (count === 0) rows.delete(row);
  else rows.set(row, count);
}
