import { describe, expect, it } from 'vitest';
import { HPA_DEFAULTS, decideByHpa, desiredByHpa, type HpaState } from './hpa.ts';

const RULE = { target: 100, tolerance: 0.1 };
const of = (value: number, instances: number) => ({ value, instances });

describe('the published formula of the HPA', () => {
  it.each([
    // "if the current metric value is 200m, and the desired value is 100m, the number of replicas will be doubled"
    { current: 1, value: 200, desired: 2 },
    { current: 3, value: 200, desired: 6 },
    // "if the current value is instead 50m, you'll halve the number of replicas"
    { current: 4, value: 50, desired: 2 },
    // "skips any scaling action if the ratio is sufficiently close to 1.0 (within … 0.1 by default)"
    { current: 10, value: 109, desired: 10 },
    { current: 10, value: 91, desired: 10 },
    { current: 10, value: 111, desired: 12 },
    { current: 10, value: 89, desired: 9 },
    // The result is rounded up.
    { current: 3, value: 134, desired: 5 },
    { current: 10, value: 0, desired: 0 },
  ])('makes $desired of $current at $value of 100', ({ current, value, desired }) => {
    expect(desiredByHpa(RULE, current, of(value, current)).level).toBe(desired);
  });

  it('takes instances that tell nothing for idle when it scales out, and for being at their target when it scales in', () => {
    expect(desiredByHpa(RULE, 4, of(400, 2)).level).toBe(8);
    expect(desiredByHpa(RULE, 4, of(20, 2)).level).toBe(3);
  });

  it('does nothing where counting the silent ones turns the direction round, or nothing is told', () => {
    expect(desiredByHpa(RULE, 4, of(150, 2)).level).toBe(4);
    expect(desiredByHpa(RULE, 4, undefined).level).toBe(4);
  });
});

describe('the rule of the HPA', () => {
  const rule = { ...HPA_DEFAULTS, indicator: 'demand', target: 100 };
  const look = (state: HpaState | undefined, seconds: number, level: number, value: number) =>
    decideByHpa(rule, state, {
      now: seconds * 1000,
      level,
      min: 1,
      max: 100,
      readings: [{ indicator: 'demand', value, instances: level, delta: 1, isComplete: true }],
    });

  it('adds four instances or as many as there are in 15 s, whichever is more', () => {
    expect(look(undefined, 0, 1, 5000).level).toBe(5);
    const first = look(undefined, 0, 10, 5000);
    expect(first.level).toBe(20);
    expect(look(first.state, 10, 20, 5000).level).toBe(20);
    expect(look(first.state, 15, 20, 5000).level).toBe(40);
  });

  it('scales in no lower than the highest wish of the last 300 s', () => {
    const high = look(undefined, 0, 8, 100);
    expect(look(high.state, 299, 8, 10).level).toBe(8);
    expect(look(high.state, 301, 8, 10).level).toBe(1);
  });
});
