import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildScalingPolicy } from '../../descriptors/index.ts';
import { roundsOf } from '../statistics.ts';
import { breachesOf, instanceSecondsOf, type Sample } from './breaches.ts';
import { meteringSchedule, policiesFor } from './contenders.ts';
import { outcomeTable } from './outcome-table.ts';
import { compareWithHpa, verdicts, type Outcome } from './outcome.ts';
import { readIndicator } from './read-indicator.ts';
import { replayTrace } from './replay-traces.ts';
import { METERING, carriedTraces } from './traces.ts';

const sample = (seconds: number, demand: number, running: number): Sample => ({
  seconds,
  demand,
  running,
  present: running + 1,
});

const outcome = (policy: string, lateShare: number, instanceSeconds: number): Outcome => ({
  trace: 'road',
  policy,
  lateShare,
  instanceSeconds,
  breaches: 0,
  meanSeconds: 0,
  longestSeconds: 0,
  steps: { out: 0, in: 0 },
});

describe('the account of a play', () => {
  const samples = [sample(0, 10, 1), sample(1, 50, 1), sample(3, 50, 2), sample(4, 90, 2), sample(5, 90, 3)];

  it('counts each time in which demand was above what served, and how long it lasted', () => {
    expect(breachesOf(samples, 40)).toEqual({ breaches: 2, meanSeconds: 1.5, longestSeconds: 2 });
    expect(breachesOf(samples, 100)).toEqual({ breaches: 0, meanSeconds: 0, longestSeconds: 0 });
  });

  it('counts what is there as cost, whether it serves or not', () => {
    expect(instanceSecondsOf(samples)).toBe(2 + 4 + 3 + 3);
  });

  it('gives of several rounds the median and the worst', () => {
    expect(roundsOf([3, 1, 2.345, 9, 2])).toEqual({ median: 2.35, worst: 9, rounds: 5 });
  });
});

describe('what the HPA rule is told', () => {
  const at = (value: number) => ({ timestamp: '2030-01-01T00:00:00Z', value });
  const told = [
    { vnfcInstanceId: 'a', points: [at(2), at(8)] },
    { vnfcInstanceId: 'b', points: [at(8), at(2)] },
    { vnfcInstanceId: 'gone', points: [at(100)] },
    { vnfcInstanceId: 'silent', points: [] },
  ];

  it('is the larger of now and lately, of those who run and have told something', () => {
    expect(readIndicator(told, new Set(['a', 'b', 'silent']))).toEqual({ value: 5, instances: 2 });
    expect(readIndicator(told, new Set(['a']))).toEqual({ value: 8, instances: 1 });
    expect(readIndicator(told, new Set(['b']))).toEqual({ value: 5, instances: 1 });
  });

  it('is nothing where nobody has told anything', () => {
    expect(readIndicator(told, new Set(['silent']))).toBeUndefined();
  });
});

describe('a policy that is played faster', () => {
  const aim = { indicator: 'load', full: 10, stepSeconds: 5 };

  it('has every period shorter by as much, those that it has by default included', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 30 }), (speed) => {
        for (const [name, fast] of Object.entries(policiesFor({ ...aim, speed }))) {
          const slow = buildScalingPolicy(policiesFor({ ...aim, speed: 1 })[name] ?? {});
          const built = buildScalingPolicy(fast);
          expect(built.windowSeconds).toBeCloseTo(slow.windowSeconds / speed, 2);
          expect(built.cooldown.inSeconds).toBeCloseTo(slow.cooldown.inSeconds / speed, 2);
          expect(built.calm.withinSeconds).toBeCloseTo(slow.calm.withinSeconds / speed, 2);
          expect(built.type === 'predictive' ? built.stepSeconds : 1).toBeGreaterThanOrEqual(1);
        }
      }),
      { numRuns: 50 },
    );
  });

  it('aims at the same as every other one', () => {
    const { target, predictive, learning } = policiesFor({ ...aim, speed: 6 });
    expect([target, predictive, learning].map((policy) => policy?.['target'])).toEqual([7, 7, 7]);
    expect(meteringSchedule({ ...aim, speed: 1 }, 9)).toMatchObject({ beyond: { target: 7 } });
  });
});

describe('the verdict beside the HPA rule', () => {
  it.each([
    [outcome('target', 0.1, 90), 'better'],
    [outcome('target', 0.05, 100), 'better'],
    [outcome('target', 0.1, 100), 'equal'],
    [outcome('target', 0.05, 120), 'dearer'],
    [outcome('target', 0.2, 50), 'later'],
    [outcome('target', 0.2, 120), 'later and dearer'],
  ])('of %o is %s', (ours, verdict) => {
    expect(compareWithHpa(ours, outcome('hpa', 0.1, 100), 0)).toBe(verdict);
  });

  it('takes differences within the margin for none', () => {
    expect(compareWithHpa(outcome('target', 0.101, 101), outcome('hpa', 0.1, 100), 0.02)).toBe('equal');
  });

  it('is given only where both have played the same trace, and stands in the table', () => {
    const other = { ...outcome('target', 0.05, 90), trace: 'elsewhere' };
    const all = [outcome('target', 0.05, 90), outcome('hpa', 0.1, 100), other];
    expect(verdicts(all, 0)).toEqual({ road: { target: 'better' } });
    expect(outcomeTable(all, 0)).toMatch(/road.*target.*5\.000 %.*90.*better/);
  });
});

describe('replaying the traces that the project carries', () => {
  const carried = carriedTraces(40);

  it('plays each of them, recorded and generated ones', () => {
    const names = carried.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names.filter((name) => /taxi|occupancy|TravelTime|speed_/.test(name))).toHaveLength(16);
    expect(names).toContain('reconnection-burst');
  });

  it('plays the calendar where there is one, beside every other policy and the HPA rule', () => {
    const metering = carried.find(({ name }) => name === METERING);
    // The first slot, and the beginning of the second.
    const points = metering?.trace.points.slice(0, 200) ?? [];
    const outcomes = metering === undefined ? [] : replayTrace({ ...metering, trace: { points } });
    expect(outcomes.map(({ policy }) => policy)).toEqual([
      'threshold',
      'target',
      'predictive',
      'learning',
      'schedule',
      'hpa',
    ]);
    const [, , , , schedule, hpa] = outcomes;
    expect(schedule?.lateShare).toBeLessThan(hpa?.lateShare ?? 0);
  });
});
