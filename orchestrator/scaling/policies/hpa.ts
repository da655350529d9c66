import { shown, wholeSteps, type PolicyInput, type PolicyStep } from './policy.ts';
import { remember, type TargetState } from './target.ts';

/** How the Kubernetes HorizontalPodAutoscaler is set; these are the defaults of its published behaviour (autoscaling/v2). */
export interface HpaRule {
  readonly indicator: string;
  readonly target: number;
  readonly tolerance: number;
  readonly syncSeconds: number;
  readonly scaleInWindowSeconds: number;
  /** Most that one period adds: the greater of so many and so large a share of what there is. */
  readonly scaleOut: { readonly instances: number; readonly share: number; readonly periodSeconds: number };
}

export const HPA_DEFAULTS: Omit<HpaRule, 'indicator' | 'target'> = {
  tolerance: 0.1,
  syncSeconds: 15,
  scaleInWindowSeconds: 300,
  scaleOut: { instances: 4, share: 1, periodSeconds: 15 },
};

export interface HpaState extends TargetState {
  readonly scaledOut: readonly { readonly at: number; readonly by: number }[];
}

/**
 * The rule of the Kubernetes HPA by its published formula, for comparison:
 * desired = ceil(current × value / target), nothing within the tolerance, the highest wish of the scale-in window, and a bound on what
 * one period adds. Instances that have not told anything yet count as idle for scaling out, and as at their target for scaling in.
 * Whoever asks does so every `syncSeconds`.
 */
export function decideByHpa(
  rule: HpaRule,
  state: HpaState | undefined,
  input: PolicyInput,
): PolicyStep<HpaState> {
  const { now, level, readings } = input;
  const reading = readings.find(({ indicator }) => indicator === rule.indicator);
  const { level: desired, ratio } = desiredByHpa(rule, level, reading);
  const wishes = remember(state?.wishes ?? [], now, desired, rule.scaleInWindowSeconds);
  const stabilised = desired < level ? Math.min(level, wishes[0]?.level ?? desired) : desired;
  const recent = (state?.scaledOut ?? []).filter(({ at }) => at > now - rule.scaleOut.periodSeconds * 1000);
  const allowed = mostAfter(rule, level, recent);
  const result = Math.max(Math.min(stabilised, allowed), Math.min(level, stabilised));
  const scaledOut = result > level ? [...recent, { at: now, by: result - level }] : recent;
  return {
    level: result,
    reasons: [`${rule.indicator} is at ${shown(ratio)} of its target`],
    figures: { ratio, desired },
    state: { wishes, scaledOut },
  };
}

/** The published formula alone: `ceil(currentReplicas × currentMetricValue / desiredMetricValue)`. */
export function desiredByHpa(
  { target, tolerance }: Pick<HpaRule, 'target' | 'tolerance'>,
  level: number,
  reading: { readonly value: number; readonly instances: number } | undefined,
): { readonly level: number; readonly ratio: number } {
  if (reading === undefined || reading.instances === 0) return { level, ratio: 1 };
  const { value, instances } = reading;
  const ratio = value / target;
  const missing = Math.max(0, level - instances);
  if (missing === 0) {
    const isNear = Math.abs(ratio - 1) <= tolerance;
    return { level: isNear ? level : wholeSteps(level * ratio), ratio };
  }
  // Taken for idle when scaling out, and for being at their target when scaling in.
  const assumed = ratio > 1 ? 0 : missing * target;
  const carefully = (value * instances + assumed) / (target * level);
  const isNear = Math.abs(carefully - 1) <= tolerance;
  const isOtherWay = ratio > 1 !== carefully > 1;
  if (isNear || isOtherWay) return { level, ratio: carefully };
  return { level: wholeSteps(level * carefully), ratio: carefully };
}

function mostAfter({ scaleOut }: HpaRule, level: number, recent: HpaState['scaledOut']): number {
  const before = level - recent.reduce((sum, { by }) => sum + by, 0);
  return before + Math.max(scaleOut.instances, Math.ceil(before * scaleOut.share));
}
