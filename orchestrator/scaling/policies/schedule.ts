import { lastTime, nextTime, type SchedulePolicy } from '../../../descriptors/index.ts';
import type { PolicyInput, PolicyStep } from './policy.ts';
import { decideByTarget, type TargetState } from './target.ts';
import { decideByThreshold } from './threshold.ts';

export interface ScheduleState {
  /** What the schedule says until then. */
  readonly level?: number;
  /** Milliseconds since the Unix epoch; absent: no time comes any more. */
  readonly until?: number;
  /** Since when, milliseconds since the Unix epoch. */
  readonly since: number;
  /** Of the policy that may go beyond. */
  readonly beyond?: object;
}

/** The level of the last time that has come; a policy `beyond` it may ask for more, never for less. */
export function decideBySchedule(
  policy: SchedulePolicy,
  state: ScheduleState | undefined,
  input: PolicyInput,
): PolicyStep<ScheduleState> {
  const { now } = input;
  const isCurrent = state !== undefined && now >= state.since && now < (state.until ?? Infinity);
  const current = isCurrent ? state : lookUp(policy, now);
  const least = current.level ?? input.min;
  const reason =
    current.level === undefined ? 'no time of the schedule has come yet' : `the schedule says ${least}`;
  const { since, until, level } = current;
  const kept = {
    since,
    ...(until === undefined ? {} : { until }),
    ...(level === undefined ? {} : { level }),
  };
  const beyond = decideBeyond(policy.beyond, state?.beyond, input);
  if (beyond === undefined)
    return { level: least, reasons: [reason], figures: { scheduled: least }, state: kept };
  return {
    level: Math.max(least, beyond.level),
    reasons: [reason, ...beyond.reasons],
    figures: { ...beyond.figures, scheduled: least },
    state: { ...kept, beyond: beyond.state },
  };
}

function decideBeyond(
  policy: SchedulePolicy['beyond'],
  state: object | undefined,
  input: PolicyInput,
): PolicyStep<object> | undefined {
  if (policy === undefined) return undefined;
  return policy.type === 'target'
    ? decideByTarget(policy, state as TargetState | undefined, input)
    : decideByThreshold(policy, state, input);
}

function lookUp({ times, timeZone }: SchedulePolicy, now: number): ScheduleState {
  const past = times.flatMap(({ at, level }) => {
    const time = lastTime(at, timeZone, now);
    return time === undefined ? [] : [{ time, level }];
  });
  // Of two at the same time the later one in the list counts.
  const latest = past.reduce<(typeof past)[number] | undefined>(
    (best, one) => (best === undefined || one.time >= best.time ? one : best),
    undefined,
  );
  const coming = times.flatMap(({ at }) => nextTime(at, timeZone, now) ?? []);
  return {
    since: latest?.time ?? now,
    ...(latest === undefined ? {} : { level: latest.level }),
    ...(coming.length === 0 ? {} : { until: Math.min(...coming) }),
  };
}
