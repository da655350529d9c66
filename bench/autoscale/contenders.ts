import { buildScalingPolicy, type WrittenPolicy } from '../../descriptors/index.ts';

/** What all rules look at and aim at, so that only the rules differ. */
export interface Aim {
  readonly indicator: string;
  /** Of the indicator, where an instance is full. */
  readonly full: number;
  /** So many seconds of the trace pass in one, and each period of each rule is shorter by as much. */
  readonly speed: number;
  /** The step in which demand moves: what `predictive` averages over, and how far it looks ahead. */
  readonly stepSeconds: number;
}

/** How full instances are to be: the usual target of the HPA, and for all the same. */
export const TARGET_SHARE = 0.7;
/** Name of the rule of the Kubernetes HPA among the policies. */
export const HPA = 'hpa';

const UP_SHARE = 0.8;
const DOWN_SHARE = 0.4;

/** A policy of each type that needs no calendar, with the defaults of the product. */
export function policiesFor({
  indicator,
  full,
  speed,
  stepSeconds,
}: Aim): Readonly<Record<string, WrittenPolicy>> {
  const tracking = { indicator, target: full * TARGET_SHARE };
  const written: readonly WrittenPolicy[] = [
    { type: 'threshold', indicator, up: full * UP_SHARE, down: full * DOWN_SHARE },
    { type: 'target', ...tracking },
    { type: 'predictive', ...tracking, step: `${stepSeconds}s`, ahead: `${stepSeconds}s` },
    { type: 'learning', ...tracking },
  ];
  return Object.fromEntries(written.map((one) => [String(one['type']), paced(one, speed)]));
}

/**
 * The meters' own calendar, known in advance: everything is there from shortly before each quarter of an hour until three minutes after
 * it. `target` goes beyond where that is not enough.
 */
export function meteringSchedule({ indicator, full }: Aim, level: number): WrittenPolicy {
  return {
    type: 'schedule',
    times: [
      { at: '50 14,29,44,59 * * * *', level },
      { at: '0 3,18,33,48 * * * *', level: 1 },
    ],
    beyond: { type: 'target', indicator, target: full * TARGET_SHARE },
  };
}

/** The same policy with each period shorter, those included that it has by default. */
function paced(written: WrittenPolicy, speed: number): WrittenPolicy {
  if (speed === 1) return written;
  const policy = buildScalingPolicy(written);
  const shorter = (seconds: number): string => `${Math.round((seconds * 1000) / speed)}ms`;
  return {
    ...written,
    window: shorter(policy.windowSeconds),
    staleAfter: shorter(policy.staleAfterSeconds),
    cooldown: { out: shorter(policy.cooldown.outSeconds), in: shorter(policy.cooldown.inSeconds) },
    calm: { turns: policy.calm.turns, within: shorter(policy.calm.withinSeconds) },
    ...('stabilizationSeconds' in policy ? { stabilization: shorter(policy.stabilizationSeconds) } : {}),
    ...(policy.type === 'predictive'
      ? {
          // A second is the least that a policy takes.
          step: shorter(Math.max(policy.stepSeconds, speed)),
          ahead: shorter(Math.max(policy.aheadSeconds, speed)),
        }
      : {}),
  };
}
