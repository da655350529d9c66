import { unreachable, parseSeconds } from '../kernel/index.ts';
import { Cursor } from './document/cursor.ts';
import type {
  LearningPolicy,
  PolicyPace,
  PredictivePolicy,
  SchedulePolicy,
  ScalingPolicy,
  TargetPolicy,
  ThresholdPolicy,
  WrittenPolicy,
} from './scaling-types.ts';

/** What holds where a policy says nothing; the schema tells the same. */
export const POLICY_DEFAULTS = {
  window: '10s',
  staleAfter: '30s',
  cooldown: { out: '3s', in: '60s' },
  calm: { turns: 4, within: '10m' },
  hold: '1h',
  increment: 1,
  tolerance: 0.1,
  stabilization: '60s',
  timeZone: 'UTC',
  step: '60s',
  ahead: '60s',
  confidence: 0.9,
  extraSteps: 2,
  extraShare: 0.1,
  explore: 0.05,
  seed: 1,
} as const;

type Name = Exclude<keyof typeof POLICY_DEFAULTS, 'cooldown' | 'calm'>;

/** The typed value of a policy without faults, defaults applied. */
export function buildScalingPolicy(written: WrittenPolicy): ScalingPolicy {
  const at = new Cursor(written);
  const type = at.at('type').as<ScalingPolicy['type']>();
  switch (type) {
    case 'threshold':
      return buildThreshold(at);
    case 'target':
      return { type, ...paceOf(at), ...trackingOf(at) };
    case 'schedule':
      return buildSchedule(at);
    case 'predictive':
      return buildPredictive(at);
    case 'learning':
      return buildLearning(at);
    default:
      return unreachable(type);
  }
}

function seconds(at: Cursor, name: Name): number {
  return parseSeconds(at.at(name).value ?? POLICY_DEFAULTS[name]) ?? 0;
}

function number(at: Cursor, name: Name): number {
  return at.at(name).number ?? Number(POLICY_DEFAULTS[name]);
}

function paceOf(at: Cursor): PolicyPace {
  const { cooldown, calm } = POLICY_DEFAULTS;
  const duration = (child: Cursor, fallback: string): number => parseSeconds(child.value ?? fallback) ?? 0;
  return {
    windowSeconds: seconds(at, 'window'),
    staleAfterSeconds: seconds(at, 'staleAfter'),
    cooldown: {
      outSeconds: duration(at.at('cooldown', 'out'), cooldown.out),
      inSeconds: duration(at.at('cooldown', 'in'), cooldown.in),
    },
    calm: {
      turns: at.at('calm', 'turns').number ?? calm.turns,
      withinSeconds: duration(at.at('calm', 'within'), calm.within),
    },
    holdSeconds: seconds(at, 'hold'),
  };
}

/** The first indicator and those under `also`. */
function each<T>(at: Cursor, read: (at: Cursor) => T): readonly T[] {
  return [at, ...at.each('also')].map(read);
}

function trackingOf(at: Cursor): Pick<TargetPolicy, 'targets' | 'tolerance' | 'stabilizationSeconds'> {
  return {
    targets: each(at, (one) => ({
      indicator: one.at('indicator').as<string>(),
      target: one.at('target').as<number>(),
    })),
    tolerance: number(at, 'tolerance'),
    stabilizationSeconds: seconds(at, 'stabilization'),
  };
}

function buildThreshold(at: Cursor): ThresholdPolicy {
  return {
    type: 'threshold',
    ...paceOf(at),
    limits: each(at, (one) => ({
      indicator: one.at('indicator').as<string>(),
      up: one.at('up').as<number>(),
      down: one.at('down').as<number>(),
    })),
    increment: number(at, 'increment'),
  };
}

function buildSchedule(at: Cursor): SchedulePolicy {
  const beyond = at.at('beyond').exists ? buildScalingPolicy(at.at('beyond').as<WrittenPolicy>()) : undefined;
  return {
    type: 'schedule',
    ...paceOf(at),
    timeZone: at.at('timeZone').text ?? POLICY_DEFAULTS.timeZone,
    times: at
      .each('times')
      .map((time) => ({ at: time.at('at').as<string>(), level: time.at('level').as<number>() })),
    ...(beyond?.type === 'target' || beyond?.type === 'threshold' ? { beyond } : {}),
  };
}

function buildPredictive(at: Cursor): PredictivePolicy {
  return {
    type: 'predictive',
    ...paceOf(at),
    ...trackingOf(at),
    stepSeconds: Math.max(1, seconds(at, 'step')),
    aheadSeconds: seconds(at, 'ahead'),
    confidence: number(at, 'confidence'),
  };
}

function buildLearning(at: Cursor): LearningPolicy {
  return {
    type: 'learning',
    ...paceOf(at),
    ...trackingOf(at),
    extraSteps: number(at, 'extraSteps'),
    extraShare: number(at, 'extraShare'),
    explore: number(at, 'explore'),
    seed: number(at, 'seed'),
  };
}
