import type { Clock } from '../../kernel/index.ts';
import type { PlanningOptions } from '../placement/index.ts';

export interface SearchEffort {
  readonly searchSteps: number;
  readonly improvementSteps: number;
  /** A guard: nothing else is done while a plan is made. It lets all steps be taken where hosts and functions are not many. */
  readonly milliseconds: number;
}

/** For one function: search where it finds no place otherwise; where it does, the first plan is as good. */
export const FUNCTION_EFFORT: SearchEffort = { searchSteps: 1000, improvementSteps: 0, milliseconds: 250 };

/**
 * How long a plan may be searched for, from now on. Steps are what ends it most often, so that a dry run and the operation after it plan the same.
 */
export function searchEffort(
  clock: Pick<Clock, 'monotonic'>,
  { milliseconds, ...steps }: SearchEffort,
): PlanningOptions {
  const end = clock.monotonic() + milliseconds;
  return { ...steps, isOver: () => clock.monotonic() >= end };
}
