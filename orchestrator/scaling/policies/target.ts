import type { TargetPolicy } from '../../../descriptors/index.ts';
import { shown, stepsOfDemand, wholeSteps, type PolicyInput, type PolicyStep } from './policy.ts';

/** The highest wishes of the last while: later ones that are higher take the place of earlier ones. */
export interface TargetState {
  readonly wishes: readonly { readonly at: number; readonly level: number }[];
}

/** What a target asks for now, whatever was before. */
export interface Aim {
  /** Steps that the indicators ask for; the wanted ones where that is within tolerance. */
  readonly level: number;
  /** Demand of the most demanding indicator, in steps at their target; undefined where none is told. */
  readonly demand: number | undefined;
  readonly isComplete: boolean;
  readonly reasons: readonly string[];
}

export type Targets = Pick<TargetPolicy, 'targets' | 'tolerance'>;

/**
 * Keeps each indicator at its target: as many steps as the demand of the most demanding one takes. Steps in follow only where no wish
 * of the last `stabilizationSeconds` was higher.
 */
export function decideByTarget(
  policy: Pick<TargetPolicy, 'targets' | 'tolerance' | 'stabilizationSeconds'>,
  state: TargetState | undefined,
  input: PolicyInput,
): PolicyStep<TargetState> {
  const aim = aimOf(policy, input);
  const wishes = remember(state?.wishes ?? [], input.now, aim.level, policy.stabilizationSeconds);
  const highest = wishes[0]?.level ?? aim.level;
  const level = aim.level >= input.level ? aim.level : Math.min(input.level, highest);
  const waits = level > aim.level ? [`${aim.level} would do, ${highest} was wished lately`] : [];
  return {
    level,
    reasons: [...aim.reasons, ...waits],
    figures: figuresOf(aim, input),
    state: { wishes },
  };
}

/** What the indicators ask for. An indicator that is missing, or not told by all, never lets the aim fall. */
export function aimOf({ targets, tolerance }: Targets, { readings, level }: PolicyInput): Aim {
  const asked = targets.map(({ indicator, target }) => {
    const reading = readings.find((one) => one.indicator === indicator);
    if (reading === undefined)
      return { level, demand: undefined, isComplete: false, reason: `${indicator} is not told` };
    const demand = stepsOfDemand(reading, target);
    const isNear = level > 0 && Math.abs(demand / level - 1) <= tolerance;
    const wished = isNear ? level : wholeSteps(demand);
    const { isComplete, value } = reading;
    return {
      level: isComplete ? wished : Math.max(wished, level),
      demand,
      isComplete,
      reason: `${indicator} is ${shown(value)} at a target of ${shown(target)}: ${shown(demand)} steps`,
    };
  });
  const demands = asked.flatMap(({ demand }) => demand ?? []);
  const isComplete = asked.every((one) => one.isComplete);
  const highest = Math.max(...asked.map((one) => one.level));
  return {
    level: isComplete ? highest : Math.max(highest, level),
    demand: demands.length === 0 ? undefined : Math.max(...demands),
    isComplete,
    reasons: asked.map(({ reason }) => reason),
  };
}

export function figuresOf(
  { demand }: Aim,
  { readings }: Pick<PolicyInput, 'readings'>,
): Readonly<Record<string, number>> {
  const told = readings.map(({ indicator, value }) => [indicator, value] as const);
  return { ...Object.fromEntries(told), ...(demand === undefined ? {} : { demandSteps: demand }) };
}

/** Wishes of the window in falling order of level: the first is the highest. Never more of them than there are levels. */
export function remember(
  wishes: TargetState['wishes'],
  now: number,
  level: number,
  seconds: number,
): TargetState['wishes'] {
  const from = now - seconds * 1000;
  return [...wishes.filter((wish) => wish.level > level && wish.at >= from), { at: now, level }];
}
