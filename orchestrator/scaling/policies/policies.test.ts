import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildScalingPolicy } from '../../../descriptors/index.ts';
import { decideByPolicy, evaluateAspect } from './index.ts';
import { TYPES, inputFor, policyOf, runOf, type Told } from './testkit.ts';

const told: fc.Arbitrary<Told> = fc.record({
  each: fc.option(fc.double({ min: 0, max: 1000, noNaN: true }), { nil: undefined }),
  silent: fc.integer({ min: 0, max: 2 }),
});
const looks = fc.array(fc.record({ told, wait: fc.integer({ min: 1, max: 400 }) }), {
  minLength: 1,
  maxLength: 40,
});
const type = fc.constantFrom(...TYPES);

describe('every policy', () => {
  it('never leaves the bounds of its aspect', () => {
    fc.assert(
      fc.property(type, looks, fc.integer({ min: 1, max: 10 }), (which, steps, start) => {
        const run = runOf(policyOf(which), start);
        let seconds = 0;
        for (const { told: each, wait } of steps) {
          run.look((seconds += wait), each, { min: 1, max: 10 });
          expect(run.level).toBeGreaterThanOrEqual(1);
          expect(run.level).toBeLessThanOrEqual(10);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('never scales in while an instance has told nothing lately', () => {
    fc.assert(
      fc.property(type, looks, fc.integer({ min: 1, max: 10 }), (which, steps, start) => {
        const run = runOf(policyOf(which), start);
        let seconds = 0;
        for (const { told: each, wait } of steps) {
          const before = run.level;
          run.look((seconds += wait), each);
          const isKnown = each.each !== undefined && each.silent === 0;
          expect(run.level).toBeGreaterThanOrEqual(isKnown ? 1 : before);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('does the same again with the same measurements, also from a state that was saved as JSON', () => {
    fc.assert(
      fc.property(type, looks, (which, steps) => {
        const policy = policyOf(which);
        const one = runOf(policy);
        const other = runOf(policy);
        let seconds = 0;
        for (const { told: each, wait } of steps) {
          seconds += wait;
          if (other.state !== undefined)
            other.state = JSON.parse(JSON.stringify(other.state)) as typeof other.state;
          expect(other.look(seconds, each)).toEqual(one.look(seconds, each));
        }
      }),
      { numRuns: 200 },
    );
  });

  it('keeps its cool-downs: after a step out 3 s to the next one out, and 60 s after any step to one in', () => {
    fc.assert(
      fc.property(type, looks, (which, steps) => {
        const run = runOf(policyOf(which, { cooldown: { out: '3s', in: '60s' } }));
        let seconds = 0;
        for (const { told: each, wait } of steps) run.look((seconds += wait), each);
        const changes = run.state?.changes ?? [];
        for (const [index, { at, from, to }] of changes.entries()) {
          const before = changes[index - 1];
          const isOutAgain = before !== undefined && before.to > before.from;
          const least = to < from ? 60_000 : isOutAgain ? 3_000 : 0;
          expect(at - (before?.at ?? -Infinity)).toBeGreaterThanOrEqual(least);
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe('one look at an aspect', () => {
  const target = policyOf('target');

  it('scales out by the whole demand at once', () => {
    expect(evaluateAspect(target, undefined, inputFor(1, { each: 65 }))).toMatchObject({
      level: 7,
      wished: 7,
      reasons: ['load is 65 at a target of 10: 6.5 steps'],
      figures: { load: 65, demandSteps: 6.5 },
    });
  });

  it('leaves a small difference alone', () => {
    expect(evaluateAspect(target, undefined, inputFor(10, { each: 9.2 })).level).toBe(10);
  });

  it('scales in only when the highest wish of the stabilisation window is as low', () => {
    const run = runOf(policyOf('target', { stabilization: '60s', cooldown: { in: '0s' } }));
    run.look(0, { each: 65 });
    expect(run.look(30, { each: 1 }).level).toBe(7);
    expect(run.look(61, { each: 1 }).level).toBe(1);
  });

  it('takes the most demanding of several indicators, and scales in on none that is missing', () => {
    const policy = policyOf('target', { also: [{ indicator: 'latency', target: 0.1 }] });
    const { readings } = inputFor(2, { each: 5 });
    const latency = { indicator: 'latency', value: 0.5, instances: 2, delta: 1, isComplete: true };
    const both = inputFor(2, { each: 5 }, { readings: [...readings, latency] });
    expect(evaluateAspect(policy, undefined, both).level).toBe(10);
    const alone = evaluateAspect(policy, undefined, inputFor(2, { each: 1 }));
    expect(alone.level).toBe(2);
    expect(alone.reasons).toContain('latency is not told');
  });

  it('counts the instances that one step adds', () => {
    const { readings } = inputFor(4, { each: 20 });
    const inPairs = readings.map((reading) => ({ ...reading, delta: 2 }));
    expect(evaluateAspect(target, undefined, inputFor(2, { each: 20 }, { readings: inPairs })).level).toBe(4);
  });

  it('stays as it is while it is held, and says so', () => {
    const held = inputFor(2, { each: 65 }, { held: 'held as scaled by hand' });
    const { level, wished, reasons } = evaluateAspect(target, undefined, held);
    expect({ level, wished }).toEqual({ level: 2, wished: 13 });
    expect(reasons).toContain('held as scaled by hand');
  });

  it('goes no further than others leave it, and scales in for no limit', () => {
    const ceiling = { level: 4, reason: 'the tenant has no more' };
    expect(evaluateAspect(target, undefined, inputFor(2, { each: 65 }, { ceiling })).level).toBe(4);
    const above = inputFor(6, { each: 30 }, { ceiling });
    expect(evaluateAspect(target, undefined, above)).toMatchObject({ level: 6 });
  });

  it('goes back into its bounds when they have become narrower', () => {
    expect(evaluateAspect(target, undefined, inputFor(12, { each: undefined })).level).toBe(10);
    expect(evaluateAspect(target, undefined, inputFor(1, { each: 1 }, { min: 3 })).level).toBe(3);
  });

  it('scales to none only by a schedule: nobody would tell an indicator any more', () => {
    const run = runOf(policyOf('target', { stabilization: '0s', cooldown: { in: '0s' } }), 3);
    expect(run.look(100, { each: 0 }, { min: 0 }).level).toBe(1);
    const alone = buildScalingPolicy({ type: 'schedule', times: [{ at: '* * * * *', level: 0 }] });
    expect(evaluateAspect(alone, undefined, inputFor(3, { each: 0 }, { now: 9e8, min: 0 })).level).toBe(0);
  });

  it('keeps calm after going to and fro, and still scales out', () => {
    const calm = { turns: 2, within: '10m' };
    const run = runOf(policyOf('target', { calm, stabilization: '0s', cooldown: { out: '0s', in: '0s' } }));
    run.look(0, { each: 65 });
    run.look(10, { each: 1 });
    expect(run.level).toBe(1);
    run.look(20, { each: 65 });
    expect(run.look(30, { each: 1 }).level).toBe(7);
    expect(run.look(40, { each: 20 }).level).toBe(10);
    expect(run.look(700, { each: 1 }).level).toBe(1);
  });

  it('begins anew with a policy of another type, and remembers its steps', () => {
    const run = runOf(policyOf('target'));
    run.look(0, { each: 65 });
    const input = inputFor(7, { each: 20 }, { now: 1000 });
    const { state, level } = evaluateAspect(policyOf('threshold'), run.state, input);
    expect(level).toBe(7);
    expect(state).toMatchObject({ type: 'threshold', policy: {}, changes: [{ from: 1, to: 7 }] });
  });
});

describe('threshold', () => {
  const policy = policyOf('threshold');
  const wished = (level: number, each: number) =>
    decideByPolicy(policy, undefined, inputFor(level, { each })).level;

  it('steps out above the upper limit, in below the lower one, and stays in between', () => {
    expect([wished(3, 13), wished(3, 12), wished(3, 4), wished(3, 3)]).toEqual([4, 3, 3, 2]);
  });

  it('does not step in where what is left would be above the upper limit', () => {
    const narrow = policyOf('threshold', { up: 5, down: 4 });
    expect(decideByPolicy(narrow, undefined, inputFor(2, { each: 3 })).level).toBe(2);
  });
});

describe('schedule', () => {
  const at = (time: string) => Date.parse(time);
  const policy = policyOf('schedule', { timeZone: 'Europe/Paris' });
  const wished = (time: string, each: number) =>
    decideByPolicy(policy, undefined, inputFor(2, { each }, { now: at(time) })).level;

  it('has the level of the last time that has come, in its time zone, over a change of the clocks', () => {
    expect(wished('2026-03-28T05:59:00Z', 0)).toBe(2);
    expect(wished('2026-03-28T06:00:00Z', 0)).toBe(4);
    expect(wished('2026-03-29T05:00:00Z', 0)).toBe(4);
    expect(wished('2026-03-29T18:00:00Z', 0)).toBe(2);
  });

  it('lets the policy beyond it ask for more', () => {
    expect(wished('2026-03-28T06:00:00Z', 40)).toBe(8);
  });

  it('looks the times up again only when the next one has come', () => {
    const first = decideByPolicy(
      policy,
      undefined,
      inputFor(2, { each: 0 }, { now: at('2026-03-28T06:00:00Z') }),
    );
    expect(first.state).toMatchObject({ level: 4, until: at('2026-03-28T19:00:00Z') });
    const later = inputFor(2, { each: 0 }, { now: at('2026-03-28T19:00:00Z') });
    expect(decideByPolicy(policy, first.state, later).level).toBe(2);
  });
});
