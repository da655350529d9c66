import type { ScalingPolicy } from '../../../descriptors/index.ts';
import {
  HPA_DEFAULTS,
  decideByHpa,
  evaluateAspect,
  withChange,
  type AspectState,
  type HpaState,
  type PolicyInput,
} from '../policies/index.ts';
import { walkTrace, type DemandTrace } from './demand-trace.ts';

/** What is played, against what: a function of one unit, each of whose instances serves so much demand and no more. */
export interface ReplayOptions {
  readonly trace: DemandTrace;
  /** So many seconds of the trace pass in one. */
  readonly speed: number;
  /** Demand that one instance serves when it is full, per second. */
  readonly perInstance: number;
  readonly min: number;
  readonly max: number;
  /** From a step until its instances serve. */
  readonly startSeconds: number;
  /** What waits for longer is late. */
  readonly patienceSeconds: number;
  /** Between two measurements. */
  readonly collectSeconds: number;
}

/** Name of the indicator that policies see: the demand on each instance that serves, per second. */
export const REPLAY_INDICATOR = 'demand';

export type Replayed =
  | { readonly type: 'policy'; readonly name: string; readonly policy: ScalingPolicy }
  /** The rule of the Kubernetes HPA, for comparison; `target` is of demand on each instance. */
  | { readonly type: 'hpa'; readonly name: string; readonly target: number };

export interface ReplayResult {
  readonly name: string;
  /** Share of the demand that was served late, 0 to 1. */
  readonly lateShare: number;
  readonly instanceSeconds: number;
  readonly steps: { readonly out: number; readonly in: number };
  /** Times in which demand was above what served, and how long they lasted. */
  readonly reaction: {
    readonly breaches: number;
    readonly meanSeconds: number;
    readonly longestSeconds: number;
  };
  readonly highestLevel: number;
  readonly playedSeconds: number;
}

/** One moment of a replay, for whoever draws it. */
export interface ReplayMoment {
  readonly seconds: number;
  readonly demand: number;
  readonly level: number;
  readonly serving: number;
}

interface Play {
  level: number;
  serving: number;
  /** When the instances that have been started serve. */
  ready: { readonly at: number; readonly count: number }[];
  backlog: number;
}

/**
 * Plays a trace against one policy, as a queue that is served in order. While instances start, policies take no further step: a function has one
 * operation at a time. The HPA is not held up by that.
 */
export function replay(
  options: ReplayOptions,
  replayed: Replayed,
  onMoment: (moment: ReplayMoment) => void = () => {},
): ReplayResult {
  const { trace, speed, perInstance, collectSeconds: dt, patienceSeconds, startSeconds } = options;
  const demandAt = walkTrace(trace);
  const duration = (trace.points.at(-1)?.seconds ?? 0) / speed;
  const decide = replayed.type === 'hpa' ? hpaDecider(replayed, options) : policyDecider(replayed.policy);
  const first = Math.max(options.min, 1);
  const play: Play = { level: first, serving: first, ready: [], backlog: 0 };
  const tally = newTally();
  for (let seconds = 0; seconds < duration; seconds += dt) {
    becomeReady(play, seconds);
    const demand = demandAt(seconds * speed);
    const capacity = play.serving * perInstance;
    play.backlog = Math.max(0, play.backlog + (demand - capacity) * dt);
    const isLate = capacity === 0 ? demand > 0 : play.backlog / capacity > patienceSeconds;
    count(tally, { demand, isLate, isBreached: demand > capacity, level: play.level, dt });
    onMoment({ seconds, demand, level: play.level, serving: play.serving });
    const wished = decide(inputOf(options, play, seconds, demand), play.ready.length > 0);
    take(play, Math.min(Math.max(wished, options.min), options.max), seconds + startSeconds, tally);
  }
  return resultOf(replayed.name, tally, duration);
}

function becomeReady(play: Play, seconds: number): void {
  const now = play.ready.filter(({ at }) => at <= seconds);
  if (now.length === 0) return;
  play.serving += now.reduce((sum, { count: ready }) => sum + ready, 0);
  play.ready = play.ready.filter(({ at }) => at > seconds);
}

function take(play: Play, level: number, readyAt: number, tally: Tally): void {
  if (level > play.level) {
    play.ready.push({ at: readyAt, count: level - play.level });
    tally.out += 1;
  } else if (level < play.level) {
    // What is still starting goes first.
    let fewer = play.level - level;
    for (const batch of play.ready.toReversed()) {
      const dropped = Math.min(fewer, batch.count);
      fewer -= dropped;
      play.ready = play.ready.flatMap((one) =>
        one !== batch ? [one] : one.count > dropped ? [{ ...one, count: one.count - dropped }] : [],
      );
    }
    play.serving -= fewer;
    tally.in += 1;
  }
  play.level = level;
}

function inputOf({ min, max }: ReplayOptions, play: Play, seconds: number, demand: number): PolicyInput {
  const { level, serving } = play;
  const reading = {
    indicator: REPLAY_INDICATOR,
    value: demand / Math.max(1, serving),
    instances: serving,
    delta: 1,
    isComplete: serving === level,
  };
  return { now: seconds * 1000, level, min, max, readings: serving === 0 ? [] : [reading] };
}

type Decide = (input: PolicyInput, isBusy: boolean) => number;

function policyDecider(policy: ScalingPolicy): Decide {
  let state: AspectState | undefined;
  return (input, isBusy) => {
    const evaluation = evaluateAspect(policy, state, input);
    state = evaluation.state;
    if (isBusy || evaluation.level === input.level) return input.level;
    state = withChange(state, { at: input.now, from: input.level, to: evaluation.level });
    return evaluation.level;
  };
}

function hpaDecider({ target }: Extract<Replayed, { type: 'hpa' }>, { min, max }: ReplayOptions): Decide {
  const rule = { ...HPA_DEFAULTS, indicator: REPLAY_INDICATOR, target };
  let state: HpaState | undefined;
  let nextSync = 0;
  return (input) => {
    if (input.now < nextSync) return input.level;
    nextSync = input.now + rule.syncSeconds * 1000;
    const step = decideByHpa(rule, state, input);
    state = step.state;
    return Math.min(Math.max(step.level, min), max);
  };
}

interface Tally {
  demand: number;
  late: number;
  instanceSeconds: number;
  out: number;
  in: number;
  breaches: number;
  breachedSeconds: number;
  currentBreach: number;
  longestBreach: number;
  highestLevel: number;
}

function newTally(): Tally {
  return {
    demand: 0,
    late: 0,
    instanceSeconds: 0,
    out: 0,
    in: 0,
    breaches: 0,
    breachedSeconds: 0,
    currentBreach: 0,
    longestBreach: 0,
    highestLevel: 0,
  };
}

interface Moment {
  readonly demand: number;
  readonly isLate: boolean;
  readonly isBreached: boolean;
  readonly level: number;
  readonly dt: number;
}

function count(tally: Tally, { demand, isLate, isBreached, level, dt }: Moment): void {
  tally.demand += demand * dt;
  if (isLate) tally.late += demand * dt;
  tally.instanceSeconds += level * dt;
  tally.highestLevel = Math.max(tally.highestLevel, level);
  if (!isBreached) {
    tally.currentBreach = 0;
    return;
  }
  if (tally.currentBreach === 0) tally.breaches += 1;
  tally.currentBreach += dt;
  tally.breachedSeconds += dt;
  tally.longestBreach = Math.max(tally.longestBreach, tally.currentBreach);
}

function resultOf(name: string, tally: Tally, playedSeconds: number): ReplayResult {
  return {
    name,
    lateShare: tally.demand === 0 ? 0 : tally.late / tally.demand,
    instanceSeconds: tally.instanceSeconds,
    steps: { out: tally.out, in: tally.in },
    reaction: {
      breaches: tally.breaches,
      meanSeconds: tally.breaches === 0 ? 0 : tally.breachedSeconds / tally.breaches,
      longestSeconds: tally.longestBreach,
    },
    highestLevel: tally.highestLevel,
    playedSeconds,
  };
}
