import type { VnfInstanceId } from '../../kernel/index.ts';
import { rejectionsOf, type CompiledRequest } from './compile-request.ts';
import { HOST_SCOPE } from './domains.ts';
import type { Constraint } from './constraints.ts';
import { COLUMNS } from './host-columns.ts';
import type { HostIndex } from './host-index.ts';
import type { Departure, InstanceMove } from './instance-moves.ts';
import { MovablePlaces, type PlacesOptions } from './movable-places.ts';
import { PlanDisruption, type ChargedMove } from './plan-disruption.ts';
import { MISPLACED, scoreAt, scoreOfFunction } from './placed-score.ts';
import { describeShortfall, summarise } from './reasons.ts';
import type {
  BudgetLimit,
  DisruptionBudget,
  PlacedFunction,
  RelocationMove,
  RelocationPace,
  RelocationProblem,
} from './relocation-types.ts';
import { brokenRules, Watchers } from './watchers.ts';

export type Outcome =
  | { readonly type: 'moved' }
  /** No place is better than the one that it has. */
  | { readonly type: 'stays' }
  | { readonly type: 'stuck'; readonly reason: string; readonly isPassing?: boolean }
  | { readonly type: 'spared'; readonly limit: BudgetLimit };

/** Whether a move is worth it. */
type Worth = (move: { readonly to: number; readonly gain: number }) => boolean;

export type RelocationOptions = Omit<PlacesOptions, 'rules'> & RelocationPace;

/** A move that others' rules forbid is tried with so many other places. */
const MOST_TRIES = 8;

/** A plan in the making: what it moves is booked in the index, one instance after the other, each where the rules of all are kept. */
export class Relocation {
  readonly index: HostIndex;
  readonly problem: RelocationProblem;
  readonly disruption: PlanDisruption;
  readonly places: MovablePlaces;
  readonly watchers: Watchers;
  readonly moves: RelocationMove[] = [];
  readonly pace: RelocationPace;
  readonly #placed: ReadonlyMap<VnfInstanceId, PlacedFunction>;
  readonly #made: ChargedMove[] = [];
  /** What the goal asks of new places; it is no fault of a place that is left. */
  readonly #besides: readonly Constraint[];
  /** Whether somebody reads why an instance finds no place: it takes a look at every host. */
  isExplaining = true;
  #steps = 0;
  readonly #broken = new Map<VnfInstanceId, ReadonlySet<string>>();

  constructor(
    index: HostIndex,
    problem: RelocationProblem,
    budget: DisruptionBudget,
    { timeLeft, startAt, ...options }: RelocationOptions,
  ) {
    this.index = index;
    this.problem = problem;
    this.pace = { timeLeft, startAt };
    this.disruption = new PlanDisruption(index, problem.functions, budget, () => timeLeft() <= 0);
    this.#besides = options.besides;
    this.#placed = new Map(problem.functions.map((each) => [each.request.functionId, each]));
    this.watchers = new Watchers(problem.functions, problem.rules);
    this.places = new MovablePlaces(index, this.watchers, { ...options, rules: problem.rules });
  }

  functionOf(functionId: VnfInstanceId): PlacedFunction | undefined {
    return this.#placed.get(functionId);
  }

  /** Why an instance may not leave its row, whatever is free elsewhere; undefined: it may. */
  pinOf({ placed, demand, row }: Departure): string | undefined {
    if (placed.request.coverage !== undefined) return 'it runs once on each host that it covers';
    return placed.pinned ?? placed.pinnedUnits?.[demand.unit] ?? heldBy(this.index, row);
  }

  /** Moves one instance to the best place there is, if that is within the budget and worth it. Nothing has changed where it is not moved. */
  moveOne(departure: Departure, isWorth: Worth = () => true): Outcome {
    const limit = this.disruption.refusal([departure]);
    const pin = this.pinOf(departure);
    if (pin !== undefined)
      return { type: 'stuck', reason: pin, isPassing: departure.placed.isPinnedForNow === true };
    if (limit !== undefined) return { type: 'spared', limit };
    const { placed, demand, row } = departure;
    const closed: number[] = [];
    const before = this.#standing(placed);
    const { limits } = this.places.of(placed, demand).compiled;
    const excess = limits.excess;
    this.lift(departure);
    let outcome: Outcome | undefined;
    let refused: string | undefined;
    for (let tries = 0; outcome === undefined && tries < MOST_TRIES; tries += 1) {
      const { compiled, candidates } = this.places.of(placed, demand);
      const to = candidates.best();
      if (to === undefined) break;
      if (to === row) {
        outcome = { type: 'stays' };
        break;
      }
      const own = this.#ownGain(compiled, row, to);
      this.put({ placed, demand, row: to });
      refused = this.#refusal(before.hard, compiled, excess);
      if (refused === undefined) {
        const gain = this.#gainOfAll(placed, own, before.soft);
        if (isWorth({ to, gain })) {
          for (const each of closed) this.places.open(each);
          this.#record([{ ...departure, to, gain }]);
          return { type: 'moved' };
        }
        outcome = { type: 'stays' };
      }
      this.lift({ placed, demand, row: to });
      if (outcome === undefined) this.#closeLike(placed, to, closed);
    }
    const reason = refused ?? (outcome === undefined ? this.#whyNowhere(departure) : '');
    for (const each of closed) this.places.open(each);
    this.put(departure);
    return outcome ?? { type: 'stuck', reason };
  }

  /** Takes an instance off its row; it is put back, or placed by `placeStep`. */
  lift({ placed, demand, row }: Departure): void {
    this.index.book(placed.request.functionId, demand, row, -1);
  }

  /** Puts an instance on a row: where it was, or where it goes. */
  put({ placed, demand, row }: Departure): void {
    this.index.book(placed.request.functionId, demand, row, 1);
    // Where full hosts are filled first, or what is alike likes to be together, it makes a row better.
    this.index.tellGained([row]);
    this.#broken.clear();
  }

  /** Places lifted instances as one step. @returns whether that was done; if not, for a rule of others, they are still lifted */
  placeStep(
    moves: readonly InstanceMove[],
    group: ReadonlySet<VnfInstanceId>,
    before: GroupStanding,
  ): boolean {
    for (const { placed, demand, to } of moves) this.put({ placed, demand, row: to });
    this.#broken.clear();
    const isBroken = before.some(({ watcher, broken }) => {
      if (group.has(watcher.request.functionId)) return false;
      return this.#worsened(watcher, broken);
    });
    if (isBroken) {
      for (const { placed, demand, to } of moves) this.lift({ placed, demand, row: to });
      return false;
    }
    this.#record(moves.filter(({ row, to }) => row !== to));
    return true;
  }

  /** Says what each of the last so many moves gains. */
  regard(count: number, gain: number): void {
    for (let at = this.moves.length - count; at < this.moves.length; at += 1) {
      const move = this.moves[at];
      if (move !== undefined) this.moves[at] = { ...move, gain };
    }
  }

  /** What holds of those who watch any of a group, before it moves. */
  standingOf(group: readonly PlacedFunction[]): GroupStanding {
    const watchers = new Set(group.flatMap((each) => this.watchers.of(each).hard));
    return [...watchers].map((watcher) => ({ watcher, broken: this.#brokenOf(watcher) }));
  }

  /** Takes back all moves after the first so many. */
  undo(moves: number): void {
    this.moves.length = moves;
    for (const made of this.#made.splice(moves).toReversed()) {
      this.lift({ ...made.move, row: made.move.to });
      this.put(made.move);
      this.disruption.refund(made);
    }
    this.#steps = this.moves.at(-1)?.step ?? 0;
  }

  #standing(placed: PlacedFunction): { readonly hard: GroupStanding; readonly soft: number } {
    const { soft } = this.watchers.of(placed);
    return { hard: this.standingOf([placed]), soft: this.scoreOf(soft) };
  }

  /** Of some functions together. */
  scoreOf(functions: Iterable<PlacedFunction>): number {
    return [...functions].reduce(
      (total, each) => total + scoreOfFunction(this.index, each, this.problem.rules),
      0,
    );
  }

  #ownGain(compiled: CompiledRequest, from: number, to: number): number {
    const isProper = compiled.constraints.every(
      (each) => each.rows.has(from) || this.#besides.includes(each) || !this.index.isReady(from),
    );
    const gain = scoreAt(this.index, compiled, to) - scoreAt(this.index, compiled, from);
    return isProper ? gain : gain + MISPLACED;
  }

  /** With what others gain. One that is near to itself is among these, and scored as a whole. */
  #gainOfAll(placed: PlacedFunction, own: number, before: number): number {
    const { soft } = this.watchers.of(placed);
    if (soft.length === 0) return own;
    const ofOthers = this.scoreOf(soft) - before;
    return soft.includes(placed) ? ofOthers : own + ofOthers;
  }

  #refusal(hard: GroupStanding, { limits, request }: CompiledRequest, excess: number): string | undefined {
    this.#broken.clear();
    const { functionId, name } = request;
    limits.recount(this.index.occupancy.rowsOf(functionId));
    if (limits.excess > excess) return `${name} would be spread more unevenly than it may be`;
    const broken = hard.find(({ watcher, broken: was }) => this.#worsened(watcher, was));
    return broken === undefined ? undefined : `a rule of ${broken.watcher.request.name} would be broken`;
  }

  #worsened(watcher: PlacedFunction, before: ReadonlySet<string>): boolean {
    for (const each of this.#brokenOf(watcher)) if (!before.has(each)) return true;
    return false;
  }

  #brokenOf(watcher: PlacedFunction): ReadonlySet<string> {
    const { functionId } = watcher.request;
    const known = this.#broken.get(functionId) ?? brokenRules(this.index, watcher, this.problem.rules);
    this.#broken.set(functionId, known);
    return known;
  }

  /** The place that others' rules forbid, with all that are in its domain of a scope that such rules speak of. */
  #closeLike(placed: PlacedFunction, row: number, closed: number[]): void {
    const shut = (each: number): void => {
      if (this.places.isClosed(each)) return;
      this.places.close(each);
      closed.push(each);
    };
    shut(row);
    const watched = [placed, ...this.watchers.of(placed).hard].flatMap(({ request }) => [
      ...(request.affinities ?? []).map(({ scope }) => scope),
      ...(request.spread ?? []).map(({ by }) => by),
    ]);
    const scope = watched.find((each) => each !== HOST_SCOPE);
    if (scope === undefined) return;
    const domain = this.index.labels.code(row, scope);
    this.index.present.forEach((each) => {
      if (this.index.labels.code(each, scope) === domain) shut(each);
    });
  }

  #whyNowhere({ placed, demand }: Departure): string {
    if (!this.isExplaining) return 'it fits nowhere else';
    const { compiled } = this.places.of(placed, demand);
    const reasons = summarise(rejectionsOf(this.index, compiled));
    return describeShortfall({
      functionId: placed.request.functionId,
      name: placed.request.name,
      unit: demand.unit,
      missing: 1,
      consideredHosts: this.index.size,
      reasons,
    });
  }

  #record(moved: readonly InstanceMove[]): void {
    this.#steps += 1;
    for (const made of this.disruption.charge(moved)) {
      const { placed, demand, row, to, gain } = made.move;
      this.#made.push(made);
      this.moves.push({
        step: this.#steps,
        functionId: placed.request.functionId,
        unit: demand.unit,
        from: this.index.idOf(row),
        to: this.index.idOf(to),
        instances: 1,
        cost: this.disruption.costOf(made.move),
        gain,
      });
    }
    this.#broken.clear();
  }
}

export type GroupStanding = readonly {
  readonly watcher: PlacedFunction;
  readonly broken: ReadonlySet<string>;
}[];

/** Why what runs on a host is not moved: nobody knows whether the host would let it go. */
function heldBy(index: HostIndex, row: number): string | undefined {
  const standing = index.labels.text(row, COLUMNS.standing) ?? '';
  if (index.isLost(row)) return 'its host is not heard from';
  return /^(READY|DRAINING)(, draining)?$/.test(standing)
    ? undefined
    : `its host is ${standing}: nobody knows whether it would let go`;
}
