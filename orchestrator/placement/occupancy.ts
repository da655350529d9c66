import type { VnfInstanceId } from '../../kernel/index.ts';
import { isHardApart, LabelAnswers, type Wary } from './label-answers.ts';
import type { Affinity, Flow, PlacedUnit, PlacementRequest, UnitDemand } from './types.ts';

export interface Occupants {
  /** Instances by row, of all units. */
  readonly rows: Map<number, number>;
  readonly units: Map<string, UnitOccupants>;
  labels: Readonly<Record<string, string>>;
  flows: readonly Flow[];
  affinities: readonly Affinity[];
  priority: number;
  /** Another one after every change; never one that it had before. */
  version: number;
}

export interface UnitOccupants {
  readonly rows: Map<number, number>;
  total: number;
  /** What one takes; known where it may have to make room. */
  demand?: UnitDemand;
}

const NOBODY: ReadonlyMap<number, number> = new Map();
const NO_FLOWS: readonly Flow[] = [];
const NO_AFFINITIES: readonly Affinity[] = [];
const NO_FUNCTIONS: ReadonlySet<VnfInstanceId> = new Set();

/** Who a function is, beside where it is. */
type Who = {
  readonly [Name in 'labels' | 'priority' | 'flows' | 'affinities']?: PlacementRequest[Name] | undefined;
};

/** Which function has how many instances on which row. */
export class Occupancy {
  /** Rises with every change of where anything is. */
  version = 0;
  readonly #functions = new Map<VnfInstanceId, Occupants>();
  /** Functions by row: whoever leaves a row is found without a look at all. */
  readonly #byRow = new Map<number, VnfInstanceId[]>();
  /** Who sends to whom, by who is sent to. */
  readonly #consumers = new Map<VnfInstanceId, Set<VnfInstanceId>>();
  /** What functions are hard apart from. */
  readonly #wary = new Map<VnfInstanceId, readonly Affinity[]>();
  #answers: LabelAnswers | undefined;

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

  flowsOf(functionId: VnfInstanceId): readonly Flow[] {
    return this.#functions.get(functionId)?.flows ?? NO_FLOWS;
  }

  /** Functions that send to one, as far as they are known. */
  consumersOf(functionId: VnfInstanceId): ReadonlySet<VnfInstanceId> {
    return this.#consumers.get(functionId) ?? NO_FUNCTIONS;
  }

  /** Functions whose labels satisfy an expression, also those of which nothing is placed. */
  matching(expression: string): readonly VnfInstanceId[] {
    return this.#toAnswer().matching(expression);
  }

  /** Functions that are hard apart from what has the labels, as far as they are known. */
  waryOf(labels: Readonly<Record<string, string>>): readonly Wary[] {
    return this.#toAnswer().waryOf(labels);
  }

  countOf(functionId: VnfInstanceId, unit: string): number {
    return this.#functions.get(functionId)?.units.get(unit)?.total ?? 0;
  }

  /** What is there already, with its host. */
  enter(
    { functionId, unit, instances, priority, resources, fixedPorts, labels, flows, affinities }: PlacedUnit,
    row: number,
  ): void {
    const occupants = this.#occupants(functionId);
    this.#say(functionId, occupants, { labels, priority, flows, affinities });
    const ofUnit = unitOf(occupants, unit);
    if (resources === undefined) delete ofUnit.demand;
    else ofUnit.demand = { unit, instances: 0, resources, artifactTypes: [], fixedPorts: fixedPorts ?? [] };
    this.#change(functionId, occupants, ofUnit, row, instances);
  }

  /** Says who a function is, before its first instance is placed. */
  introduce(functionId: VnfInstanceId, who: Who): void {
    this.#say(functionId, this.#occupants(functionId), who);
  }

  /** Forgets who functions are of which nothing is placed. */
  dismiss(functionIds: Iterable<VnfInstanceId>): void {
    for (const functionId of functionIds) {
      const occupants = this.#functions.get(functionId);
      if (occupants?.rows.size === 0) this.#forget(functionId, occupants);
    }
  }

  #forget(functionId: VnfInstanceId, occupants: Occupants): void {
    this.#forgetFlows(functionId, occupants);
    this.#wary.delete(functionId);
    this.#functions.delete(functionId);
    this.#answers = undefined;
  }

  #toAnswer(): LabelAnswers {
    return (this.#answers ??= new LabelAnswers(this.#functions, this.#wary));
  }

  #say(functionId: VnfInstanceId, occupants: Occupants, { labels, priority, flows, affinities }: Who): void {
    if (labels !== undefined && labels !== occupants.labels) {
      occupants.labels = labels;
      this.#answers = undefined;
    }
    if (priority !== undefined) occupants.priority = priority;
    if (affinities !== undefined && affinities !== occupants.affinities) {
      occupants.affinities = affinities;
      const apart = affinities.filter(isHardApart);
      if (apart.length === 0) this.#wary.delete(functionId);
      else this.#wary.set(functionId, apart);
      this.#answers = undefined;
    }
    if (flows === undefined || flows === occupants.flows) return;
    this.#forgetFlows(functionId, occupants);
    occupants.flows = flows;
    this.version += 1;
    for (const { to } of flows) {
      const consumers = this.#consumers.get(to) ?? new Set();
      this.#consumers.set(to, consumers.add(functionId));
    }
  }

  #forgetFlows(functionId: VnfInstanceId, { flows }: Occupants): void {
    for (const { to } of flows) {
      const consumers = this.#consumers.get(to);
      consumers?.delete(functionId);
      if (consumers?.size === 0) this.#consumers.delete(to);
    }
  }

  count(functionId: VnfInstanceId, demand: UnitDemand, row: number, change: number): void {
    const occupants = this.#occupants(functionId);
    const ofUnit = unitOf(occupants, demand.unit);
    this.#change(functionId, occupants, ofUnit, row, change);
  }

  /** Everything leaves a row. */
  leave(row: number): void {
    this.version += 1;
    for (const functionId of this.#byRow.get(row) ?? []) {
      const occupants = this.#functions.get(functionId);
      if (occupants === undefined) continue;
      occupants.rows.delete(row);
      occupants.version = this.version;
      for (const ofUnit of occupants.units.values()) {
        ofUnit.total -= ofUnit.rows.get(row) ?? 0;
        ofUnit.rows.delete(row);
      }
      if (occupants.rows.size === 0) this.#forget(functionId, occupants);
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
    this.version += 1;
    bump(ofUnit.rows, row, change);
    ofUnit.total += change;
    bump(occupants.rows, row, change);
    occupants.version = this.version;
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
      known = {
        rows: new Map(),
        units: new Map(),
        labels: {},
        flows: NO_FLOWS,
        affinities: NO_AFFINITIES,
        priority: 0,
        version: 0,
      };
      this.#functions.set(functionId, known);
      this.#answers = undefined;
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
