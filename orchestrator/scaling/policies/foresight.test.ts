import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decideByPolicy } from './index.ts';
import { MOST_VALUES, withDemand, type DemandHistory } from './demand-history.ts';
import { forecast } from './holt-winters.ts';
import type { PredictiveState } from './predictive.ts';
import { findSeason } from './season.ts';
import { inputFor, policyOf, runOf } from './testkit.ts';

/** A day of 24 values, over and over. */
const daily = (index: number): number => 5 + 4 * Math.sin((index / 24) * 2 * Math.PI);
/** The same noise every time. */
function noise(index: number): number {
  let mixed = Math.imul(index + 1, 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return ((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 31 - 1;
}

describe('the season of a series', () => {
  it('is found by itself, with noise and a trend over it', () => {
    expect(findSeason(Array.from({ length: 120 }, (_, index) => daily(index)))).toBe(24);
    const rough = Array.from({ length: 120 }, (_, index) => daily(index) + noise(index) + index / 20);
    expect(findSeason(rough)).toBe(24);
  });

  it('is none where nothing repeats, or nothing changes', () => {
    expect(findSeason(Array.from({ length: 120 }, (_, index) => noise(index)))).toBe(0);
    expect(findSeason(Array.from({ length: 120 }, () => 3))).toBe(0);
    expect(findSeason([])).toBe(0);
  });
});

describe('the forecast', () => {
  it('meets a season that it has seen a few times, far better than saying that nothing changes', () => {
    const { values, meanError, naiveError } = forecast(
      Array.from({ length: 120 }, (_, index) => daily(index)),
      24,
      6,
    );
    for (const [step, value] of values.entries()) expect(value).toBeCloseTo(daily(120 + step), 0);
    expect(meanError).toBeLessThan(naiveError / 4);
  });

  it('is a number for whatever series', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { minLength: 12, maxLength: 60 }),
        fc.integer({ min: 0, max: 5 }),
        fc.integer({ min: 1, max: 8 }),
        (values, season, ahead) => {
          const { values: coming } = forecast(values, season, ahead);
          expect(coming).toHaveLength(ahead);
          expect(coming.every(Number.isFinite)).toBe(true);
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe('the history of demand', () => {
  const feed = (from: DemandHistory | undefined, step: number, demand: number) =>
    withDemand(from, 10, step * 10_000, demand).history;

  it('averages a step, and draws a line over steps in which nothing was told', () => {
    const { history } = withDemand(feed(undefined, 100, 4), 10, 1_005_000, 8);
    expect(feed(history, 103, 12).values).toEqual([6, 8, 10]);
  });

  it('is bounded, and begins anew after a long gap or with another length of its steps', () => {
    let history: DemandHistory | undefined;
    for (let step = 0; step < MOST_VALUES + 50; step += 1) history = feed(history, step, step);
    expect(history?.values).toHaveLength(MOST_VALUES);
    expect(feed(history, MOST_VALUES + 500, 1).values).toEqual([]);
    expect(withDemand(history, 20, (MOST_VALUES + 50) * 10_000, 1).history.values).toEqual([]);
  });
});

describe('predictive', () => {
  const policy = policyOf('predictive', { step: '5s', ahead: '20s', stabilization: '0s' });
  const demandAt = (seconds: number): number => 10 * daily(seconds / 5);
  const steps = (from: number, to: number) =>
    Array.from({ length: (to - from) / 5 }, (_, index) => from + index * 5);

  it('does what target does until its forecasts are good, and then scales out before the demand comes', () => {
    const wide = { max: 40 };
    const run = runOf(policy);
    const target = runOf(policyOf('target', { stabilization: '0s' }));
    const early = steps(0, 30).map((seconds) => [
      run.look(seconds, { each: demandAt(seconds) / run.level }, wide).wished,
      target.look(seconds, { each: demandAt(seconds) / target.level }, wide).wished,
    ]);
    for (const [foreseen, reacted] of early) expect(foreseen).toBe(reacted);
    for (const seconds of steps(30, 600)) run.look(seconds, { each: demandAt(seconds) / run.level }, wide);
    const rising = steps(605, 615).map((seconds) => {
      const each = demandAt(seconds) / run.level;
      return { now: demandAt(seconds), wished: run.look(seconds, { each }, wide).wished };
    });
    for (const { now, wished } of rising) expect(wished * 10).toBeGreaterThan(now + 8);
    expect((run.state?.policy as PredictiveState | undefined)?.outlook).toMatchObject({
      season: 24,
      isTrusted: true,
    });
  });

  it('trusts no forecast of a demand that wanders', () => {
    const run = runOf(policy);
    let demand = 100;
    for (const seconds of steps(0, 600)) {
      demand = Math.max(0, demand + 10 * noise(seconds));
      run.look(seconds, { each: demand / run.level }, { max: 40 });
    }
    const { reasons } = run.look(600, { each: 1 });
    expect(reasons.join()).toContain('as target does');
  });

  it('keeps its history while nothing is told', () => {
    const first = decideByPolicy(policy, undefined, inputFor(1, { each: 30 }));
    const silent = inputFor(1, { each: undefined }, { now: 1000 });
    expect(decideByPolicy(policy, first.state, silent).state).toMatchObject({
      history: (first.state as PredictiveState).history,
    });
  });
});

describe('a forecast that is asked to look further than anybody can', () => {
  it('looks as far as it is worth while', () => {
    const run = runOf(policyOf('predictive', { step: '1s', ahead: '31d' }));
    for (let second = 0; second < 40; second += 1) {
      const { level, reasons } = run.look(second, { each: 10 + (second % 5) });
      expect(level).toBeGreaterThanOrEqual(1);
      expect(level).toBeLessThanOrEqual(10);
      expect(reasons).not.toEqual([]);
    }
  });
});
