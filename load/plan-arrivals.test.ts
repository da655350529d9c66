import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { planArrivals, planPlay, rateAt, type PlayTerms } from './plan-arrivals.ts';
import type { Trace } from './trace.ts';

const TRACE: Trace = {
  name: 't',
  startsAt: 0,
  points: [
    { atSeconds: 0, value: 10 },
    { atSeconds: 100, value: 40 },
    { atSeconds: 200, value: 0 },
  ],
};
const TERMS: PlayTerms = {
  devices: 10,
  peakPerSecond: 100,
  speed: 10,
  fromSeconds: 0,
  forSeconds: Infinity,
  readShare: 0.25,
  seed: 1,
};

describe('planPlay', () => {
  test('has the peak rate at the highest value, and the time of the trace divided by the speed', () => {
    const plan = planPlay(TRACE, TERMS);
    expect(plan).toEqual({
      seconds: 30,
      steps: [
        { fromSeconds: 0, toSeconds: 10, perSecond: 25 },
        { fromSeconds: 10, toSeconds: 20, perSecond: 100 },
        { fromSeconds: 20, toSeconds: 30, perSecond: 0 },
      ],
    });
    expect([rateAt(plan, 5), rateAt(plan, 10), rateAt(plan, 99)]).toEqual([25, 100, 0]);
  });

  test('plays a part, whose own highest value has the peak rate', () => {
    const plan = planPlay(TRACE, { ...TERMS, fromSeconds: 50, forSeconds: 4 });
    expect(plan).toEqual({ seconds: 4, steps: [{ fromSeconds: 0, toSeconds: 4, perSecond: 100 }] });
  });

  test('refuses a part without demand, and says where the trace ends', () => {
    for (const fromSeconds of [200, 5000])
      expect(() => planPlay(TRACE, { ...TERMS, fromSeconds })).toThrow('it ends at second 300');
  });
});

describe('planArrivals', () => {
  test('is the same for the same seed, in order, within the play, for every device', () => {
    const plan = planPlay(TRACE, TERMS);
    const arrivals = [...planArrivals(plan, TERMS)];
    expect([...planArrivals(plan, TERMS)]).toEqual(arrivals);
    expect([...planArrivals(plan, { ...TERMS, seed: 2 })]).not.toEqual(arrivals);
    expect(new Set(arrivals.map(({ device }) => device)).size).toBe(10);
    const reads = arrivals.filter(({ isRead }) => isRead).length;
    expect(reads / arrivals.length).toBeCloseTo(0.25, 1);
  });

  test('has as many requests as the demand asks for, in each step', () => {
    const values = fc
      .array(fc.nat(50), { minLength: 2, maxLength: 8 })
      .filter((all) => all.some((v) => v > 0));
    fc.assert(
      fc.property(values, fc.nat(), fc.integer({ min: 20, max: 200 }), (demand, seed, peakPerSecond) => {
        const points = demand.map((value, index) => ({ atSeconds: index * 10, value }));
        const terms = { ...TERMS, speed: 1, seed, peakPerSecond };
        const plan = planPlay({ name: 't', startsAt: 0, points }, terms);
        const times = [...planArrivals(plan, terms)].map(({ atMilliseconds }) => atMilliseconds / 1000);
        expect(times).toEqual(times.toSorted((a, b) => a - b));
        for (const { fromSeconds, toSeconds, perSecond } of plan.steps) {
          const count = times.filter((time) => time >= fromSeconds && time < toSeconds).length;
          const expected = perSecond * (toSeconds - fromSeconds);
          // Six standard deviations of a Poisson process.
          expect(Math.abs(count - expected)).toBeLessThanOrEqual(
            6 * Math.sqrt(expected) + 6 * Math.sign(expected),
          );
        }
      }),
      { numRuns: 100 },
    );
  });
});
