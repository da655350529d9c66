import { buildScalingPolicy, type ScalingPolicy, type WrittenPolicy } from '../../../descriptors/index.ts';
import { evaluateAspect, withChange, type AspectInput, type AspectState, type Evaluation } from './index.ts';

export const INDICATOR = 'load';

/** A policy of each type that looks at one indicator with a target of 10 for each instance. */
export const WRITTEN: Readonly<Record<ScalingPolicy['type'], WrittenPolicy>> = {
  threshold: { type: 'threshold', indicator: INDICATOR, up: 12, down: 4 },
  target: { type: 'target', indicator: INDICATOR, target: 10 },
  schedule: {
    type: 'schedule',
    times: [
      { at: '0 7 * * *', level: 4 },
      { at: '0 20 * * *', level: 2 },
    ],
    beyond: { type: 'target', indicator: INDICATOR, target: 10 },
  },
  predictive: { type: 'predictive', indicator: INDICATOR, target: 10, step: '5s', ahead: '10s' },
  learning: { type: 'learning', indicator: INDICATOR, target: 10 },
};

export const TYPES = Object.keys(WRITTEN) as readonly ScalingPolicy['type'][];

export function policyOf(type: ScalingPolicy['type'], more: WrittenPolicy = {}): ScalingPolicy {
  return buildScalingPolicy({ ...WRITTEN[type], ...more });
}

/** What instances tell: so much each; `silent` of them tell nothing; undefined: nobody tells anything. */
export interface Told {
  readonly each: number | undefined;
  readonly silent?: number;
}

export function inputFor(
  level: number,
  { each, silent = 0 }: Told,
  more: Partial<AspectInput> = {},
): AspectInput {
  const instances = Math.max(0, level - silent);
  const reading = { indicator: INDICATOR, value: each ?? 0, instances, delta: 1, isComplete: silent === 0 };
  return {
    now: 0,
    level,
    min: 1,
    max: 10,
    readings: each === undefined || instances === 0 ? [] : [reading],
    ...more,
  };
}

/** An aspect that does what its policy wishes, look by look. */
export interface Run {
  level: number;
  state: AspectState | undefined;
  look(seconds: number, told: Told, more?: Partial<AspectInput>): Evaluation;
}

export function runOf(policy: ScalingPolicy, level = 1): Run {
  const run: Run = {
    level,
    state: undefined,
    look: (seconds, told, more = {}) => {
      const now = seconds * 1000;
      const evaluation = evaluateAspect(policy, run.state, inputFor(run.level, told, { now, ...more }));
      run.state = evaluation.state;
      if (evaluation.level !== run.level)
        run.state = withChange(evaluation.state, { at: now, from: run.level, to: evaluation.level });
      run.level = evaluation.level;
      return evaluation;
    },
  };
  return run;
}
