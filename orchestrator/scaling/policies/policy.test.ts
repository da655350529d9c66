import { array, assert, integer, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ratioOfLevels, stepsOfDemand, wholeSteps, type Reading } from './policy.ts';

function reading(instances: number, value: number, instancesAt?: readonly number[]): Reading {
  const levels = instancesAt === undefined ? {} : { instancesAt };
  return { indicator: 'load', value, instances, delta: 1, isComplete: true, ...levels };
}

describe('the steps that a demand takes', () => {
  it('are as many levels as have the instances for it, where levels are not all the same', () => {
    const levels = [1, 2, 4, 8];
    const steps = [5, 10, 11, 20, 21, 40, 41].map((demand) =>
      wholeSteps(stepsOfDemand(reading(1, demand, levels), 10)),
    );
    expect(steps).toEqual([1, 1, 2, 2, 3, 3, 4]);
    expect(stepsOfDemand(reading(1, 30, levels), 10)).toBe(2.5);
    expect(wholeSteps(stepsOfDemand(reading(1, 100, levels), 10))).toBe(5);
  });

  it('never take a level with too few instances, nor one where the level below has enough', () => {
    const rises = array(integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 8 });
    assert(
      property(integer({ min: 1, max: 4 }), rises, integer({ min: 1, max: 160 }), (first, more, quarters) => {
        const levels = more.reduce<number[]>((all, rise) => [...all, (all.at(-1) ?? 0) + rise], [first]);
        const demand = Math.min(quarters / 4, levels.at(-1) ?? 0);
        const level = wholeSteps(stepsOfDemand(reading(1, demand, levels), 1));
        expect(levels[level - 1]).toBeGreaterThanOrEqual(demand);
        expect(levels[level - 2] ?? 0).toBeLessThan(demand);
      }),
      { numRuns: 300 },
    );
  });
});

it('the load on what is left after a step in counts instances, not levels', () => {
  expect(ratioOfLevels(reading(8, 1, [1, 2, 8]), 3, 2)).toBe(4);
  expect(ratioOfLevels(reading(3, 1), 3, 2)).toBe(1.5);
});
