import { compareText } from '../domain/index.ts';
import { bestRows } from './best-rows.ts';
import { compileRequest } from './compile-request.ts';
import { describeRelaxation } from './describe-relaxation.ts';
import { HostIndex } from './host-index.ts';
import { planPlacement } from './plan-placement.ts';
import { costOf } from './relaxation-cost.ts';
import { relaxationOptions, type RelaxationOption } from './relaxation-options.ts';
import { leniencyOf, relaxProblem } from './relax-problem.ts';
import type { Change, PlanningOptions, Relaxation, Shortfall } from './plan-types.ts';
import type { PlacementProblem, PlacementSnapshot } from './types.ts';

export interface RelaxationBounds {
  /** Plans that are tried, at most. */
  readonly mostPlans: number;
  /** Relaxations that are told, at most. */
  readonly mostTold: number;
}

/** More changes at once than these are another request. */
const MOST_CHANGES = 4;

/**
 * The smallest changes to what is asked for, each of which makes all of it fit: single ones, or where no single one does, pairs, or where no pair
 * does, one set of which none can be left out. Each is verified by planning with exactly it. Amounts are the largest that bisection finds.
 * Deterministic, and bounded: nothing is told of what was not tried.
 * @param shortfalls as planning the problem with the same options has told them
 * @param inventory is as it was afterwards
 */
export function findRelaxations(
  inventory: PlacementSnapshot | HostIndex,
  problem: PlacementProblem,
  shortfalls: readonly Shortfall[],
  options: PlanningOptions,
  { mostPlans, mostTold }: RelaxationBounds,
): readonly Relaxation[] {
  const index = inventory instanceof HostIndex ? inventory : HostIndex.of(inventory);
  // What the first attempts place, a search places, too.
  const { maxEvictions = 0, mayMakeRoom, isPatienceOver = () => false } = options;
  const planning = { maxEvictions, ...(mayMakeRoom === undefined ? {} : { mayMakeRoom }), isPatienceOver };
  const trial = createTrial(index, problem, planning, mostPlans);
  const choices = relaxationOptions(index, problem, shortfalls);
  const single = choices.filter((choice) => trial.fits([widest(choice)])).map((choice) => [choice]);
  const sets = single.length > 0 ? single : setsOf(choices, trial);
  const told = sets
    .map((set) => refine(set, trial))
    .toSorted((a, b) => totalCost(a) - totalCost(b) || compareText(JSON.stringify(a), JSON.stringify(b)))
    .slice(0, mostTold);
  return told.map((changes) => {
    const hosts = hostsWith(index, problem, shortfalls, changes);
    return { changes, hosts, text: describeRelaxation(problem, changes, hosts) };
  });
}

interface Trial {
  fits(changes: readonly Change[]): boolean;
  readonly isOver: boolean;
}

function createTrial(
  index: HostIndex,
  problem: PlacementProblem,
  options: PlanningOptions,
  mostPlans: number,
): Trial {
  let left = mostPlans;
  return {
    get isOver() {
      return left <= 0 || options.isPatienceOver?.() === true;
    },
    fits: (changes) => {
      if (left <= 0 || options.isPatienceOver?.() === true) return false;
      left -= 1;
      return withChanges(
        index,
        changes,
        () => planPlacement(index, relaxProblem(problem, changes), { ...options, isTrial: true }).fits,
      );
    },
  };
}

function withChanges<T>(index: HostIndex, changes: readonly Change[], use: () => T): T {
  const before = index.leniency;
  index.leniency = leniencyOf(index, changes);
  try {
    return use();
  } finally {
    index.leniency = before;
  }
}

function widest({ steps, change }: RelaxationOption): Change {
  return change(steps);
}

type OptionSet = readonly RelaxationOption[];

/** Sets of options that suffice at their widest, where no single one does. Who makes nothing fit even with all others, is in each set. */
function setsOf(choices: OptionSet, trial: Trial): readonly OptionSet[] {
  const suffice = (set: OptionSet): boolean => trial.fits(set.map(widest));
  if (!suffice(choices)) return [];
  const byCost = choices.toSorted((a, b) => costOf(widest(a)) - costOf(widest(b)));
  const needed = byCost.filter((choice) => !suffice(byCost.filter((other) => other !== choice)));
  if (trial.isOver) return [];
  const pairs = pairsAround(byCost, needed).filter(suffice);
  if (pairs.length > 0) return pairs;
  const least = withoutSpare(byCost, suffice);
  return least.length <= MOST_CHANGES && !trial.isOver ? [least] : [];
}

/** Pairs in which all that is needed is; the cheap ones first. */
function pairsAround(choices: OptionSet, needed: OptionSet): readonly OptionSet[] {
  if (needed.length > 2) return [];
  if (needed.length === 2) return [needed];
  const [only] = needed;
  if (only !== undefined) return choices.filter((other) => other !== only).map((other) => [only, other]);
  const pairs = choices.flatMap((a, at) => choices.slice(at + 1).map((b): OptionSet => [a, b]));
  return pairs.toSorted((a, b) => totalCost(a.map(widest)) - totalCost(b.map(widest)));
}

/** Leaves out, the dearest first, what the others suffice without. */
function withoutSpare(choices: OptionSet, suffice: (set: OptionSet) => boolean): OptionSet {
  return choices.toReversed().reduce((set: OptionSet, choice) => {
    const fewer = set.filter((other) => other !== choice);
    return suffice(fewer) ? fewer : set;
  }, choices);
}

/** Each change of a set that suffices as small as bisection makes it, one after the other. */
function refine(set: OptionSet, trial: Trial): readonly Change[] {
  const changes = set.map(widest);
  for (const [at, option] of set.entries()) {
    let tooLittle = 0;
    let enough = option.steps;
    while (enough - tooLittle > 1 && !trial.isOver) {
      const middle = (tooLittle + enough) >> 1;
      const tried = changes.with(at, option.change(middle));
      if (trial.fits(tried)) enough = middle;
      else tooLittle = middle;
    }
    changes[at] = option.change(enough);
  }
  return changes;
}

function totalCost(changes: readonly Change[]): number {
  return changes.reduce((total, change) => total + costOf(change), 0);
}

/** How many hosts could take one of what fell short; of several units, of the one that has fewest. */
function hostsWith(
  index: HostIndex,
  problem: PlacementProblem,
  shortfalls: readonly Shortfall[],
  changes: readonly Change[],
): number {
  const { requests, rules } = relaxProblem(problem, changes);
  const counts = shortfalls.flatMap(({ functionId, unit }) => {
    const request = requests.find((each) => each.functionId === functionId);
    const demand = request?.units.find((each) => each.unit === unit);
    if (request === undefined || demand === undefined) return [];
    return [
      withChanges(
        index,
        changes,
        () => bestRows(index, compileRequest(index, request, demand, rules)).length,
      ),
    ];
  });
  return counts.length === 0 ? 0 : Math.min(...counts);
}
