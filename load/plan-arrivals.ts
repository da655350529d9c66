import { createRandom, IotmanoError } from '../kernel/index.ts';
import { lengthSeconds, type Trace } from './trace.ts';

/** What is played of a trace, and how. */
export interface PlayTerms {
  readonly devices: number;
  /** Requests per second at the highest value of the part that is played. */
  readonly peakPerSecond: number;
  /** Seconds of the trace in one second. */
  readonly speed: number;
  /** Place in the trace to begin at. */
  readonly fromSeconds: number;
  /** Seconds that the play takes at most. */
  readonly forSeconds: number;
  /** Share of the requests that read, from 0 to 1. */
  readonly readShare: number;
  readonly seed: number;
}

/** Requests per second over the time of the play, in steps. */
export interface PlayPlan {
  readonly steps: readonly RateStep[];
  readonly seconds: number;
}

export interface RateStep {
  readonly fromSeconds: number;
  readonly toSeconds: number;
  readonly perSecond: number;
}

export interface Arrival {
  /** When the device means to ask, after the beginning of the play. */
  readonly atMilliseconds: number;
  /** From 0. */
  readonly device: number;
  /** It reads; otherwise it writes a value. */
  readonly isRead: boolean;
}

/** @throws IotmanoError `invalid-parameter` when nothing is left of the trace */
export function planPlay(
  trace: Trace,
  { peakPerSecond, speed, fromSeconds, forSeconds }: PlayTerms,
): PlayPlan {
  const end = lengthSeconds(trace);
  const toSeconds = Math.min(end, fromSeconds + forSeconds * speed);
  const pieces = trace.points
    .map(({ atSeconds, value }, index) => ({
      value,
      from: Math.max(fromSeconds, atSeconds),
      to: Math.min(toSeconds, trace.points[index + 1]?.atSeconds ?? end),
    }))
    .filter(({ from, to }) => to > from);
  const highest = pieces.reduce((most, { value }) => Math.max(most, value), 0);
  if (highest === 0)
    throw new IotmanoError(
      'invalid-parameter',
      `${trace.name} has no demand from second ${fromSeconds} to ${toSeconds}; it ends at second ${end}: begin earlier, or play longer`,
    );
  return {
    seconds: (toSeconds - fromSeconds) / speed,
    steps: pieces.map(({ value, from, to }) => ({
      fromSeconds: (from - fromSeconds) / speed,
      toSeconds: (to - fromSeconds) / speed,
      perSecond: (value / highest) * peakPerSecond,
    })),
  };
}

/**
 * When which device asks: a Poisson process of the planned rate, as of many devices that know nothing of each other. Known before the first
 * request leaves, so that no answer can change it. The same for the same seed.
 */
export function* planArrivals(
  { steps }: PlayPlan,
  { devices, readShare, seed }: Pick<PlayTerms, 'devices' | 'readShare' | 'seed'>,
): Generator<Arrival, void> {
  const random = createRandom(seed);
  // Requests until the next one arrives, at any rate; it is used up by steps.
  let due = -Math.log(1 - random());
  for (const { fromSeconds, toSeconds, perSecond } of steps) {
    let at = fromSeconds;
    while (due <= (toSeconds - at) * perSecond) {
      at += due / perSecond;
      yield {
        atMilliseconds: at * 1000,
        device: Math.floor(random() * devices),
        isRead: random() < readShare,
      };
      due = -Math.log(1 - random());
    }
    due -= Math.max(0, toSeconds - at) * perSecond;
  }
}

/** The planned rate at a time of the play. */
export function rateAt({ steps }: PlayPlan, seconds: number): number {
  return steps.find(({ toSeconds }) => seconds < toSeconds)?.perSecond ?? 0;
}
