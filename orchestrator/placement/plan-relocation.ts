import type { HostId, VnfInstanceId } from '../../kernel/index.ts';
import { compareText } from '../domain/index.ts';
import { allBut, bitsOf, rowsOf, type Constraint } from './constraints.ts';
import { departuresFrom } from './departures.ts';
import { countWithin } from './disruption.ts';
import { HostIndex } from './host-index.ts';
import { instancesByRow, loadSpread } from './host-load.ts';
import { totalScore } from './placed-score.ts';
import { consolidate } from './plan-consolidation.ts';
import { rebalance } from './plan-rebalancing.ts';
import { strangersOn, vacate, type Remainder } from './plan-vacating.ts';
import type { Departure } from './instance-moves.ts';
import { Relocation } from './relocation.ts';
import type {
  DisruptionBudget,
  RelocationGoal,
  RelocationMove,
  RelocationPace,
  RelocationPlan,
  RelocationProblem,
} from './relocation-types.ts';
import { canCarryOut, straightened } from './straighten-moves.ts';
import type { PlacementRequest, PlacementSnapshot } from './types.ts';

interface Task {
  readonly index: HostIndex;
  readonly problem: RelocationProblem;
  readonly goal: RelocationGoal;
  readonly budget: DisruptionBudget;
  readonly pace: RelocationPace;
}

interface Attempt extends Remainder {
  readonly moves: readonly RelocationMove[];
  readonly isCutShort: boolean;
}

/**
 * Which instances to move, and in which order, for a goal. Pure and deterministic; planning again after the plan was carried out changes nothing. After each
 * step every host holds no more than it has, and every rule that held before still holds; whoever stops in between may do so. Nothing leaves a host that
 * is not heard from, and nothing that is pinned moves.
 * @param inventory a snapshot, or an index of one that is kept true and is as it was afterwards
 * @param pace its time is looked at before each move; when it is up the plan ends with those that it has, and what is left says so
 */
export function planRelocation(
  inventory: PlacementSnapshot | HostIndex,
  { functions, rules }: RelocationProblem,
  goal: RelocationGoal,
  budget: DisruptionBudget = {},
  { timeLeft = () => 1, startAt = 0 }: Partial<RelocationPace> = {},
): RelocationPlan {
  const problem = {
    functions: functions.toSorted((a, b) => compareText(a.request.functionId, b.request.functionId)),
    rules,
  };
  const index = inventory instanceof HostIndex ? inventory : HostIndex.of(inventory);
  for (const { request } of problem.functions)
    if (index.occupancy.functions.has(request.functionId))
      index.occupancy.introduce(request.functionId, request);
  const { moves, stuck, spared, isCutShort } = best({
    index,
    problem,
    goal,
    budget,
    pace: { timeLeft, startAt },
  });
  return booked(index, () => {
    const before = measure(index, problem);
    const requests = new Map(problem.functions.map(({ request }) => [request.functionId, request]));
    for (const move of moves) bookMove(index, requests.get(move.functionId), move);
    const after = measure(index, problem);
    return {
      moves: numbered(moves),
      instances: moves.reduce((total, each) => total + each.instances, 0),
      cost: rounded(moves.reduce((total, each) => total + each.cost, 0)),
      score: { before: rounded(before.score), after: rounded(after.score) },
      loadSpread: { before: rounded(before.loadSpread), after: rounded(after.loadSpread) },
      freedHosts: [...before.used.keys()]
        .filter((row) => !after.used.has(row))
        .map((row) => index.idOf(row))
        .toSorted(compareText),
      stuck,
      spared,
      isCutShort,
    };
  });
}

/** What leaves hosts tries once more, with full hosts filled first, where the first attempt leaves something for want of room. */
function best(task: Task): Attempt {
  const { goal } = task;
  const isPacking = goal.kind === 'consolidate';
  const first = attempt(task, isPacking);
  const isFinal = isPacking || goal.kind === 'rebalance' || first.isCutShort;
  if (first.stuck.length === 0 || isFinal) return first;
  const second = attempt(task, true);
  return !second.isCutShort && countOf(second) < countOf(first) ? second : first;
}

function countOf({ stuck }: Attempt): number {
  return stuck.reduce((total, { instances }) => total + instances, 0);
}

function attempt({ index, problem, goal, budget, pace }: Task, isPacking: boolean): Attempt {
  // What is planned has to be looked over once more.
  const toPlan = pace.timeLeft() / 2;
  const options = { isPacking, besides: besidesOf(index, goal), ...pace };
  const made = booked(index, () => {
    const planning = { ...options, timeLeft: () => pace.timeLeft() - toPlan };
    const relocation = new Relocation(index, problem, budget, planning);
    const remainder = pursue(relocation, goal, options.besides);
    const isCutShort = remainder.isCutShort === true || planning.timeLeft() <= 0;
    return { ...remainder, moves: [...relocation.moves], isCutShort };
  });
  for (const when of ['first', 'last'] as const) {
    const moves = straightened(made.moves, when);
    if (moves === undefined) return made;
    const isOrderly = booked(index, () => canCarryOut(new Relocation(index, problem, {}, options), moves));
    if (isOrderly) return { ...made, moves };
  }
  return { ...made, moves: withinBudget(index, made.moves, budget) };
}

/** What was moved twice, and cannot go at once where it ends, counts twice: the plan ends where that is more than is allowed. */
function withinBudget(
  index: HostIndex,
  moves: readonly RelocationMove[],
  budget: DisruptionBudget,
): readonly RelocationMove[] {
  const steps = [...Map.groupBy(moves, ({ step }) => step).values()];
  const disturbances = steps.map((step) =>
    step.map(({ functionId, instances, cost }) => {
      const holders = [...index.occupancy.rowsOf(functionId).values()];
      return { functionId, total: holders.reduce((sum, count) => sum + count, 0), instances, cost };
    }),
  );
  return steps.slice(0, countWithin(budget, disturbances)).flat();
}

function pursue(
  relocation: Relocation,
  goal: RelocationGoal,
  besides: readonly Constraint[],
): Remainder & { readonly isCutShort?: boolean } {
  const { index } = relocation;
  switch (goal.kind) {
    case 'rebalance':
      return { stuck: [], ...rebalance(relocation) };
    case 'consolidate':
      return consolidate(relocation);
    case 'drain':
    case 'evacuate': {
      const rows = leftRows(index, goal);
      const departures = rows.flatMap((row) => departuresFrom(relocation, row));
      const remainder = vacate(relocation, departures, () => hostsIn(index, besides));
      const strangers = rows.flatMap((row) => strangersOn(relocation, row));
      return { ...remainder, stuck: [...remainder.stuck, ...strangers] };
    }
    case 'move':
      return vacate(relocation, departuresOfMove(relocation, goal), () => hostsIn(index, besides));
  }
}

function departuresOfMove(
  relocation: Relocation,
  goal: Extract<RelocationGoal, { readonly kind: 'move' }>,
): readonly Departure[] {
  const rows = leftRows(relocation.index, goal);
  return rows
    .flatMap((row) => departuresFrom(relocation, row))
    .filter(
      ({ placed, demand }) =>
        placed.request.functionId === goal.functionId &&
        (goal.units === undefined || goal.units.includes(demand.unit)),
    );
}

/** Rows that a goal wants left. */
function leftRows(index: HostIndex, goal: RelocationGoal): readonly number[] {
  const rows = new Set<number>();
  const add = (hostIds: Iterable<string>): void => {
    for (const hostId of hostIds) {
      const row = index.rowOf(hostId);
      if (row !== undefined) rows.add(row);
    }
  };
  if (goal.kind === 'drain') add(goal.hosts);
  if (goal.kind === 'evacuate') index.labels.matching(goal.expression).forEach((row) => rows.add(row));
  if (goal.kind === 'move') {
    if (goal.from === undefined) for (const row of holdersOf(index, goal.functionId)) rows.add(row);
    else add(goal.from);
    for (const hostId of goal.to ?? []) rows.delete(index.rowOf(hostId) ?? -1);
  }
  return [...rows].filter((row) => index.present.has(row)).toSorted((a, b) => index.compareRows(a, b));
}

function besidesOf(index: HostIndex, goal: RelocationGoal): readonly Constraint[] {
  if (goal.kind === 'rebalance' || goal.kind === 'consolidate') return [];
  const left = bitsOf(index, leftRows(index, goal));
  const constraints: Constraint[] = [{ text: 'are to be left', rows: allBut(index, left) }];
  if (goal.kind === 'move' && goal.to !== undefined)
    constraints.push({ text: `are not ${goal.to.join(' or ')}`, rows: rowsOf(index, goal.to) });
  return constraints;
}

function hostsIn(index: HostIndex, besides: readonly Constraint[]): readonly HostId[] {
  const rows = index.present.copy();
  for (const { rows: allowed } of besides) rows.keep(allowed);
  const hosts: HostId[] = [];
  rows.forEach((row) => hosts.push(index.idOf(row)));
  return hosts;
}

function holdersOf(index: HostIndex, functionId: VnfInstanceId): Iterable<number> {
  return index.occupancy.rowsOf(functionId).keys();
}

/** Runs what books in the index, and takes back what it has booked. */
function booked<T>(index: HostIndex, run: () => T): T {
  const begin = index.mark();
  try {
    return run();
  } finally {
    index.tellGained(index.rollback(begin));
  }
}

function bookMove(
  index: HostIndex,
  request: PlacementRequest | undefined,
  { functionId, unit, from, to, instances }: RelocationMove,
): void {
  const demand = request?.units.find((each) => each.unit === unit);
  const [source, target] = [index.rowOf(from), index.rowOf(to)];
  if (demand === undefined || source === undefined || target === undefined) return;
  for (let count = 0; count < instances; count += 1) {
    index.book(functionId, demand, source, -1);
    index.book(functionId, demand, target, 1);
  }
}

function measure(
  index: HostIndex,
  problem: RelocationProblem,
): { readonly score: number; readonly loadSpread: number; readonly used: ReadonlyMap<number, number> } {
  return {
    score: totalScore(index, problem),
    loadSpread: loadSpread(index),
    used: instancesByRow(index),
  };
}

/** Steps in their order, from 1 on; alike moves that follow each other are one. */
function numbered(moves: readonly RelocationMove[]): readonly RelocationMove[] {
  const sizes = Map.groupBy(moves, ({ step }) => step);
  const result: RelocationMove[] = [];
  let step = 0;
  let last: RelocationMove | undefined;
  for (const move of moves) {
    const previous = result.at(-1);
    const isOfSameStep = last?.step === move.step;
    const isLike =
      previous !== undefined &&
      previous.functionId === move.functionId &&
      previous.unit === move.unit &&
      previous.from === move.from &&
      previous.to === move.to &&
      (isOfSameStep || sizes.get(move.step)?.length === 1);
    if (isLike && (isOfSameStep || sizes.get(last?.step ?? 0)?.length === 1)) {
      result[result.length - 1] = {
        ...previous,
        instances: previous.instances + move.instances,
        cost: previous.cost + move.cost,
        gain: Math.min(previous.gain, move.gain),
      };
    } else {
      if (!isOfSameStep) step += 1;
      result.push({ ...move, step });
    }
    last = move;
  }
  return result.map((move) => ({ ...move, cost: rounded(move.cost), gain: rounded(move.gain) }));
}

/** Sums of fractions depend on the order in which they are added up, in their last digits. */
function rounded(amount: number): number {
  return Math.round(amount * 1e6) / 1e6;
}
