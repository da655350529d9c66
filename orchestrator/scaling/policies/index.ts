/** Scaling policies: what is measured in, a wish with its reasons out. Pure, so that they are replayed and compared offline. */
export { decideByPolicy, indicatorsOfPolicy } from './decide.ts';
export {
  evaluateAspect,
  withChange,
  type AspectInput,
  type AspectState,
  type Evaluation,
  type LevelChange,
} from './evaluate-aspect.ts';
export { HPA_DEFAULTS, decideByHpa, desiredByHpa, type HpaRule, type HpaState } from './hpa.ts';
export type { LearningState } from './learning.ts';
export type { PolicyInput, PolicyStep, Reading } from './policy.ts';
