/** Making a host run what is wanted. */
import { describe, expect, it } from 'vitest';
import {
  find,
  newKey,
  nextFence,
  run,
  runsOf,
  sampleWorkload,
  untilOtherRun,
  untilRunning,
  type ConformanceSite,
} from '../conformance-site.ts';

export function describeApply(siteOf: () => ConformanceSite): void {
  describe('apply', () => {
    it('makes the instances run', async () => {
      const workload = sampleWorkload(siteOf(), { slots: [0, 1] });
      const instances = await run(siteOf(), workload);
      expect(instances.map(({ slot, epoch, restarts }) => ({ slot, epoch, restarts }))).toEqual([
        { slot: 0, epoch: 1, restarts: 0 },
        { slot: 1, epoch: 1, restarts: 0 },
      ]);
      expect(new Set(await runsOf(siteOf(), workload.key, [0, 1])).size).toBe(2);
    });

    it('twice is once', async () => {
      const workload = sampleWorkload(siteOf());
      const before = await run(siteOf(), workload);
      const runs = await runsOf(siteOf(), workload.key);
      await siteOf().driver.apply(workload, nextFence());
      await siteOf().driver.apply(workload, nextFence());
      expect(await untilRunning(siteOf(), workload)).toEqual(before);
      expect(await runsOf(siteOf(), workload.key)).toEqual(runs);
    });

    it('holds two generations of a unit side by side', async () => {
      const old = sampleWorkload(siteOf());
      const young = sampleWorkload(siteOf(), { key: { ...old.key, generation: 2 } });
      await run(siteOf(), old);
      const oldRuns = await runsOf(siteOf(), old.key);
      await run(siteOf(), young);
      const youngRuns = await runsOf(siteOf(), young.key);
      expect(await runsOf(siteOf(), old.key)).toEqual(oldRuns);
      await siteOf().driver.remove(old.key, nextFence());
      expect(await find(siteOf(), old.key)).toBeUndefined();
      await untilRunning(siteOf(), young);
      expect(await runsOf(siteOf(), young.key)).toEqual(youngRuns);
    });

    it('moves from one generation to the next as the caller says, without a moment when none runs', async () => {
      const old = sampleWorkload(siteOf(), { slots: [0, 1] });
      const young = sampleWorkload(siteOf(), { key: { ...old.key, generation: 2 }, slots: [0, 1] });
      await run(siteOf(), old);
      const [, kept] = await runsOf(siteOf(), old.key, [0, 1]);
      await run(siteOf(), { ...young, instances: [{ slot: 0, epoch: 1 }] });
      const [moved] = await runsOf(siteOf(), young.key);
      await run(siteOf(), { ...old, instances: [{ slot: 1, epoch: 1 }] });
      expect(await siteOf().runOf(old.key, 0)).toBeUndefined();
      expect(await siteOf().runOf(old.key, 1)).toBe(kept);
      await run(siteOf(), young);
      await siteOf().driver.remove(old.key, nextFence());
      expect(await siteOf().runOf(young.key, 0)).toBe(moved);
      expect(await siteOf().traces(old.key)).toEqual([]);
    });

    it('keeps the right slots when their number goes down and up', async () => {
      const key = newKey();
      await run(siteOf(), sampleWorkload(siteOf(), { key, slots: [0, 1, 2] }));
      const [zero, one, two] = await runsOf(siteOf(), key, [0, 1, 2]);
      await run(siteOf(), sampleWorkload(siteOf(), { key, slots: [0, 2] }));
      expect(await runsOf(siteOf(), key, [0, 2])).toEqual([zero, two]);
      expect(await siteOf().runOf(key, 1)).toBeUndefined();
      await run(siteOf(), sampleWorkload(siteOf(), { key, slots: [0, 1, 2] }));
      const [zeroAgain, oneAgain, twoAgain] = await runsOf(siteOf(), key, [0, 1, 2]);
      expect([zeroAgain, twoAgain]).toEqual([zero, two]);
      expect(oneAgain).not.toBe(one);
    });

    it('replaces only the copy whose epoch has grown', async () => {
      const workload = sampleWorkload(siteOf(), { slots: [0, 1] });
      await run(siteOf(), workload);
      const [zero, one] = await runsOf(siteOf(), workload.key, [0, 1]);
      const healed = {
        ...workload,
        instances: [
          { slot: 0, epoch: 1 },
          { slot: 1, epoch: 2 },
        ],
      };
      await siteOf().driver.apply(healed, nextFence());
      const after = await untilOtherRun(siteOf(), workload.key, one, 1);
      expect(after).toMatchObject({ epoch: 2, restarts: 0 });
      expect(await siteOf().runOf(workload.key, 0)).toBe(zero);
    });

    it('replaces the copies when the spec of a generation differs', async () => {
      const workload = sampleWorkload(siteOf());
      await run(siteOf(), workload);
      const [before] = await runsOf(siteOf(), workload.key);
      const other = sampleWorkload(siteOf(), { key: workload.key, spec: { env: { OTHER: 'yes' } } });
      await siteOf().driver.apply(other, nextFence());
      await untilOtherRun(siteOf(), workload.key, before);
      const after = await find(siteOf(), workload.key);
      expect(after?.instances).toHaveLength(1);
      expect(after?.specHash).toBe(other.specHash);
    });
  });
}
