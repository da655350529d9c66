import { buildScalingPolicy } from '../../descriptors/index.ts';
import {
  REPLAY_INDICATOR,
  peakOf,
  replay,
  type ReplayOptions,
  type Replayed,
} from '../../orchestrator/scaling/replay/index.ts';
import { HPA, TARGET_SHARE, meteringSchedule, policiesFor, type Aim } from './contenders.ts';
import type { Outcome } from './outcome.ts';
import { METERING, type CarriedTrace } from './traces.ts';

const PEAK_INSTANCES = 8;
/** Measured in real plays: from the step until a function of the catalogue has answered. */
const START_SECONDS = 1;

/** What each rule makes of a trace in virtual time: a queue that is served in order, no host and no request. */
export function replayTrace({ name, trace, speed, stepSeconds }: CarriedTrace): readonly Outcome[] {
  const perInstance = peakOf(trace) / PEAK_INSTANCES;
  const options: ReplayOptions = {
    trace,
    speed,
    perInstance,
    min: 1,
    max: 20,
    startSeconds: START_SECONDS,
    patienceSeconds: 1,
    collectSeconds: 1,
  };
  const aim = { indicator: REPLAY_INDICATOR, full: perInstance, speed: 1, stepSeconds };
  return contendersFor(name, aim).map((contender) => {
    const { lateShare, instanceSeconds, reaction, steps } = replay(options, contender);
    const { name: policy } = contender;
    return { trace: name, policy, lateShare, instanceSeconds, ...reaction, steps };
  });
}

function contendersFor(trace: string, aim: Aim): readonly Replayed[] {
  const policies = {
    ...policiesFor(aim),
    ...(trace === METERING ? { schedule: meteringSchedule(aim, PEAK_INSTANCES + 1) } : {}),
  };
  return [
    ...Object.entries(policies).map(([name, written]): Replayed => ({
      type: 'policy',
      name,
      policy: buildScalingPolicy(written),
    })),
    { type: 'hpa', name: HPA, target: aim.full * TARGET_SHARE },
  ];
}
