import { unreachable } from '../../../kernel/index.ts';
import type { ScalingPolicy } from '../../../descriptors/index.ts';
import { decideByLearning, type LearningState } from './learning.ts';
import type { PolicyInput, PolicyStep } from './policy.ts';
import { decideByForecast, type PredictiveState } from './predictive.ts';
import { decideBySchedule, type ScheduleState } from './schedule.ts';
import { decideByTarget, type TargetState } from './target.ts';
import { decideByThreshold } from './threshold.ts';

/**
 * What a policy of any type wishes.
 * @param state of a policy of the same type
 */
export function decideByPolicy(
  policy: ScalingPolicy,
  state: object | undefined,
  input: PolicyInput,
): PolicyStep<object> {
  switch (policy.type) {
    case 'threshold':
      return decideByThreshold(policy, state, input);
    case 'target':
      return decideByTarget(policy, state as TargetState | undefined, input);
    case 'schedule':
      return decideBySchedule(policy, state as ScheduleState | undefined, input);
    case 'predictive':
      return decideByForecast(policy, state as PredictiveState | undefined, input);
    case 'learning':
      return decideByLearning(policy, state as LearningState | undefined, input);
    default:
      return unreachable(policy);
  }
}

/** Names of the indicators that a policy looks at, each once. */
export function indicatorsOfPolicy(policy: ScalingPolicy): readonly string[] {
  switch (policy.type) {
    case 'threshold':
      return names(policy.limits);
    case 'schedule':
      return policy.beyond === undefined ? [] : indicatorsOfPolicy(policy.beyond);
    case 'target':
    case 'predictive':
    case 'learning':
      return names(policy.targets);
    default:
      return unreachable(policy);
  }
}

function names(list: readonly { readonly indicator: string }[]): readonly string[] {
  return [...new Set(list.map(({ indicator }) => indicator))];
}
