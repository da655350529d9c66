import { createRandom } from '../kernel/index.ts';
import type { Trace, TracePoint } from './trace.ts';

/** Demand curves as IoT has them and few recordings show; the same for the same seed. */
export const GENERATED = ['reconnection-burst', 'metering-slots', 'holiday-departure'] as const;
export type GeneratedName = (typeof GENERATED)[number];

const EPOCH = Date.UTC(2030, 0, 1);
const HOUR = 3600;
const DAY = 24 * HOUR;

interface Shape {
  readonly stepSeconds: number;
  readonly seconds: number;
  /** Demand at a time, with the highest about 100, before the noise. */
  readonly valueAt: (seconds: number) => number;
  /** Share of the value that chance moves it by, at most. */
  readonly noise: number;
}

export function generateTrace(name: GeneratedName, seed: number): Trace {
  const random = createRandom(seed);
  const { stepSeconds, seconds, valueAt, noise } = shapeOf(name, random);
  const points = Array.from({ length: seconds / stepSeconds }, (_, index): TracePoint => {
    const atSeconds = index * stepSeconds;
    const value = Math.max(0, valueAt(atSeconds) * (1 + noise * (2 * random() - 1)));
    return { atSeconds, value: Math.round(value * 100) / 100 };
  });
  return { name: `generated:${name}`, startsAt: EPOCH, points };
}

function shapeOf(name: GeneratedName, random: () => number): Shape {
  switch (name) {
    case 'reconnection-burst':
      return reconnectionBurst(random);
    case 'metering-slots':
      return meteringSlots(random);
    case 'holiday-departure':
      return holidayDeparture(random);
  }
}

/** Ten minutes: all devices silent while the power is cut, then all at once, each again with back-off until it is through. */
function reconnectionBurst(random: () => number): Shape {
  const cut = 150 + 60 * random();
  const back = cut + 60 + 30 * random();
  const decaySeconds = 40 + 20 * random();
  const valueAt = (at: number): number => {
    if (at < cut) return 20;
    if (at < back) return 0.5;
    return 20 + 80 * Math.exp(-(at - back) / decaySeconds);
  };
  return { stepSeconds: 1, seconds: 600, valueAt, noise: 0.1 };
}

/** An hour: meters report at the beginning of each slot of fifteen minutes, most in its first minute, as their clocks differ little. */
function meteringSlots(random: () => number): Shape {
  const slot = 900;
  const spreadSeconds = 20 + 20 * random();
  const valueAt = (at: number): number => {
    const inSlot = at % slot;
    // Clocks that are ahead report before the slot begins.
    const ahead = slot - inSlot;
    return 2 + 98 * Math.exp(-inSlot / spreadSeconds) + 30 * Math.exp(-ahead / 5);
  };
  return { stepSeconds: 5, seconds: HOUR, valueAt, noise: 0.08 };
}

/** Eight days of road traffic (clause 5.2): a rhythm of days and rush hours, and on the sixth a departure that doubles the highest. */
function holidayDeparture(random: () => number): Shape {
  const departure = 5 * DAY + (13 + 3 * random()) * HOUR;
  const bell = (hours: number, middle: number, width: number): number =>
    Math.exp(-(((hours - middle) / width) ** 2) / 2);
  const valueAt = (at: number): number => {
    const hours = (at % DAY) / HOUR;
    const isAway = at > departure + 12 * HOUR;
    const usual = 4 + 38 * bell(hours, 8, 1.3) + 42 * bell(hours, 17.5, 1.8) + 16 * bell(hours, 13, 3.5);
    return usual * (isAway ? 0.5 : 1) + 70 * bell((at - departure) / HOUR, 2, 2.2);
  };
  return { stepSeconds: 600, seconds: 8 * DAY, valueAt, noise: 0.07 };
}
