/** Scaling policies as the rest of the house sees them: durations in seconds, defaults applied. */

/** What every policy has. */
export interface PolicyPace {
  /** Over which an indicator is averaged, beside its newest value: the larger of the two counts. */
  readonly windowSeconds: number;
  /** What was told longer ago counts as not told. */
  readonly staleAfterSeconds: number;
  /** Least time between two steps out, and between a step in and the one before it, whichever way that went. */
  readonly cooldown: { readonly outSeconds: number; readonly inSeconds: number };
  /** After so many turns from out to in or back within so long, nothing is scaled in for as long. */
  readonly calm: { readonly turns: number; readonly withinSeconds: number };
  /** How long what an operator scales by hand stays as it is. */
  readonly holdSeconds: number;
}

/** ETSI TR 103 527 clause 5.5: fixed limits, fixed increment. */
export interface ThresholdPolicy extends PolicyPace {
  readonly type: 'threshold';
  /** Of several, one above `up` is enough to scale out, and all have to be below `down` to scale in. */
  readonly limits: readonly { readonly indicator: string; readonly up: number; readonly down: number }[];
  /** Steps of the aspect at a time. */
  readonly increment: number;
}

interface Tracking extends PolicyPace {
  /** The most demanding one wins. */
  readonly targets: readonly { readonly indicator: string; readonly target: number }[];
  /** Share by which demand may differ from what the wanted instances are for, before anything changes. */
  readonly tolerance: number;
  /** A step in goes no lower than the highest wish of so long. */
  readonly stabilizationSeconds: number;
}

export interface TargetPolicy extends Tracking {
  readonly type: 'target';
}

export interface SchedulePolicy extends PolicyPace {
  readonly type: 'schedule';
  /** IANA name. */
  readonly timeZone: string;
  /** From each of these times on (cron patterns of five or six fields) the aspect has that many steps. */
  readonly times: readonly { readonly at: string; readonly level: number }[];
  /** May ask for more than the schedule says, never for less. */
  readonly beyond?: TargetPolicy | ThresholdPolicy;
}

export interface PredictivePolicy extends Tracking {
  readonly type: 'predictive';
  /** Demand is averaged over steps of this length: what is shorter is not foreseen. */
  readonly stepSeconds: number;
  /** How far ahead it looks. */
  readonly aheadSeconds: number;
  /** Share of past forecasts, 0 to 1, that the margin added to a forecast would have covered. */
  readonly confidence: number;
}

export interface LearningPolicy extends Tracking {
  readonly type: 'learning';
  /** The most steps beyond what `target` wishes. */
  readonly extraSteps: number;
  /** Share of the step-seconds of `target` that may be used beyond them. */
  readonly extraShare: number;
  /** Share of looks, 0 to 1, that try something else to learn from it. */
  readonly explore: number;
  /** Where chance begins: the same seed and measurements give the same steps. */
  readonly seed: number;
}

export type ScalingPolicy =
  ThresholdPolicy | TargetPolicy | SchedulePolicy | PredictivePolicy | LearningPolicy;

export interface ScalingAspect {
  readonly aspect: string;
  /** Instances of each unit that one step adds. */
  readonly deltas: Readonly<Record<string, number>>;
  readonly min: number;
  readonly max: number;
  /** As written, for `buildScalingPolicy`. Absent: it is scaled by hand only. */
  readonly policy?: WrittenPolicy;
}

/** A policy as it stands in a descriptor or in a request, without faults. */
export type WrittenPolicy = Readonly<Record<string, unknown>>;
