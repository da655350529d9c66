import { findRelaxations } from './find-relaxations.ts';
import type { HostIndex } from './host-index.ts';
import { planPlacement } from './plan-placement.ts';
import type { Decision, PlacementResult, PlanningOptions, Relaxation } from './plan-types.ts';
import type { PlacementProblem } from './types.ts';

/** How a plan is made of an inventory: what carries it out, what shows it and what refuses it differ in this only. */
export type Planner = (
  index: HostIndex,
  problem: PlacementProblem,
  options?: PlanningOptions,
) => PlacementResult;

/** Hosts that are looked at, about, to find relaxations or to compare hosts. */
const MOST_LOOKS = { report: 1_000_000, refusal: 250_000 } as const;
const LEAST_PLANS = { report: 24, refusal: 12 } as const;
/** A plan in which functions belong together looks at hosts so many times as often, about. */
const TIED = 5;
const MOST_PLANS = 400;
const MOST_TOLD = 8;

/** Plans as `planPlacement` does, and says in the result how the hosts compared, or what would make it fit. For whoever shows it. */
export function planWithReasons(
  index: HostIndex,
  problem: PlacementProblem,
  options: PlanningOptions = {},
): PlacementResult {
  const decisions: Decision[] = [];
  const mostCompared = Math.ceil(MOST_LOOKS.report / Math.max(1, index.size));
  const result = planPlacement(index, problem, {
    ...options,
    onDecision: (decision) => {
      options.onDecision?.(decision);
      if (decisions.length >= mostCompared) return;
      const { functionId, unit, chosen, runnersUp } = decision;
      decisions.push({ functionId, unit, chosen, runnersUp });
    },
  });
  if (result.fits) return { ...result, decisions };
  return { ...result, relaxations: relaxations(index, problem, result, options, 'report') };
}

/** Plans as `planPlacement` does; where nothing fits, also says what would, as far as a little work finds it. For whoever refuses. */
export function planOrRelax(
  index: HostIndex,
  problem: PlacementProblem,
  options: PlanningOptions = {},
): PlacementResult {
  const result = planPlacement(index, problem, options);
  if (result.fits) return result;
  return { ...result, relaxations: relaxations(index, problem, result, options, 'refusal') };
}

function relaxations(
  index: HostIndex,
  problem: PlacementProblem,
  { shortfalls }: Extract<PlacementResult, { readonly fits: false }>,
  options: PlanningOptions,
  purpose: keyof typeof MOST_LOOKS,
): readonly Relaxation[] {
  const isTied = problem.rules.some(({ type, weight }) => type === 'together' && weight === undefined);
  const looks = Math.max(1, index.size) * (isTied ? TIED : 1);
  const affordable = Math.floor(MOST_LOOKS[purpose] / looks);
  const mostPlans = Math.min(MOST_PLANS, Math.max(LEAST_PLANS[purpose], affordable));
  return findRelaxations(index, problem, shortfalls, options, { mostPlans, mostTold: MOST_TOLD });
}
