import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LearningPolicy, ScalingPolicy } from '../../../descriptors/index.ts';
import { decideByPolicy } from './index.ts';
import type { LearningState } from './learning.ts';
import { inputFor, policyOf, runOf } from './testkit.ts';

const MAX = { max: 50 };
const PERIOD_SECONDS = 5;

/** Levels under a demand, in steps at the target, when every wish is carried out within its cool-downs. */
function levelsOf(policy: ScalingPolicy, demands: readonly number[]) {
  const run = runOf(policy);
  const levels = demands.map((demand, index) => {
    run.look(index * PERIOD_SECONDS, { each: (demand * 10) / run.level }, MAX);
    return run.level;
  });
  return { levels, state: run.state?.policy };
}

const demands = fc.array(fc.double({ min: 0.1, max: 20, noNaN: true }), { minLength: 20, maxLength: 200 });
const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

describe('learning', () => {
  it('never wishes less than target would of the same measurements', () => {
    fc.assert(
      fc.property(demands, fc.integer({ min: 0, max: 1e6 }), (series, seed) => {
        const policy = policyOf('learning', { extraShare: 1, seed, explore: 0.5 });
        let [learned, reacted]: (object | undefined)[] = [];
        let [mine, its] = [1, 1];
        for (const [index, demand] of series.entries()) {
          const input = (level: number) =>
            inputFor(level, { each: (demand * 10) / level }, { ...MAX, now: index * 5000 });
          const one = decideByPolicy(policy, learned, input(mine));
          const other = decideByPolicy(policyOf('target'), reacted, input(its));
          expect(one.level).toBeGreaterThanOrEqual(other.level);
          [learned, reacted, mine, its] = [one.state, other.state, one.level, other.level];
        }
      }),
      { numRuns: 200 },
    );
  });

  it('is dearer than target by its share at most, and once by its extra steps for as long as cool-downs and calm keep them', () => {
    fc.assert(
      fc.property(
        demands,
        fc.double({ min: 0, max: 0.5, noNaN: true }),
        fc.integer({ min: 0, max: 1e6 }),
        (series, extraShare, seed) => {
          // Without calm and tolerance both do what they wish, and can be compared level by level.
          const plain = { cooldown: { out: '0s', in: '0s' }, tolerance: 0, calm: { within: '0s' } };
          const policy = policyOf('learning', { ...plain, extraShare, seed, explore: 0.3 }) as LearningPolicy;
          const { levels } = levelsOf(policy, series);
          const target = sum(levelsOf(policyOf('target', plain), series).levels);
          expect(sum(levels) - target).toBeLessThanOrEqual(
            extraShare * target + policy.extraSteps * 2 + 1e-6,
          );
        },
      ),
      { numRuns: 200 },
    );
  });

  it('learns that going beyond pays where demand jumps after a sign, and shows so in its table', () => {
    // A rise by a tenth is always followed by a doubling.
    const cycle = [4.5, 4.5, 4.5, 4.5, 5, 10, 10, 4.5];
    const series = Array.from({ length: 4000 }, (_, index) => cycle[index % cycle.length] ?? 0);
    const policy = policyOf('learning', {
      extraShare: 1,
      explore: 0.2,
      extraSteps: 3,
      stabilization: '0s',
      cooldown: { out: '0s', in: '0s' },
      calm: { within: '0s' },
    });
    const { table } = levelsOf(policy, series).state as LearningState;
    const worth = Object.values(table);
    expect(worth.length).toBeGreaterThan(1);
    expect(worth.some((row) => row.indexOf(Math.max(...row)) > 0)).toBe(true);
  });

  it('is target where nothing may be used beyond', () => {
    const series = [1, 5, 9, 3, 2, 8, 1, 7];
    const policy = policyOf('learning', { extraShare: 0, explore: 0.5 });
    expect(levelsOf(policy, series).levels).toEqual(levelsOf(policyOf('target'), series).levels);
  });
});
