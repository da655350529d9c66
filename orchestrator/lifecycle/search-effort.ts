import type { PlanningOptions } from '../placement/index.ts';
import type { LifecycleContext } from './context.ts';

export interface SearchEffort {
  readonly searchSteps: number;
  readonly improvementSteps: number;
  /** A guard: nothing else is done while a plan is made. It lets all steps be taken where hosts and functions are not many. */
  readonly milliseconds: number;
}

/** For one function: search where it finds no place otherwise; where it does, the first plan is as good. */
export const FUNCTION_EFFORT: SearchEffort = { searchSteps: 1000, improvementSteps: 0, milliseconds: 250 };

/** Only the first plan: nothing is searched for where it does not fit. */
export const NO_SEARCH: SearchEffort = { searchSteps: 0, improvementSteps: 0, milliseconds: 0 };

/** Beyond the search, for what only explains why nothing fits. */
const EXPLANATION_MILLISECONDS = 1000;

/**
 * How long a plan may be searched for and explained, from now on, and who may have to make room for it. Steps are what ends the search most often, so that
 * a dry run and the operation after it plan the same. A function that is busy with an operation makes no room: the operation would not know of it.
 */
export function searchEffort(
  { clock, limits, state }: Pick<LifecycleContext, 'clock' | 'limits' | 'state'>,
  { milliseconds, ...steps }: SearchEffort,
): PlanningOptions {
  const end = clock.monotonic() + milliseconds;
  return {
    ...steps,
    isOver: () => clock.monotonic() >= end,
    isPatienceOver: () => clock.monotonic() >= end + EXPLANATION_MILLISECONDS,
    maxEvictions: limits.maxEvictions,
    mayMakeRoom: (functionId) => state.get('vnf-instance', functionId)?.document.activeOpOcc === undefined,
  };
}
