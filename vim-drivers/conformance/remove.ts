/** Leaving nothing behind, and others alone. */
import { describe, expect, it } from 'vitest';
import {
  eventually,
  find,
  newKey,
  nextFence,
  only,
  run,
  sampleWorkload,
  type ConformanceSite,
  type ConformanceTarget,
} from '../conformance-site.ts';
import { workloadId } from '../contract.ts';

export function describeRemove(siteOf: () => ConformanceSite, target: ConformanceTarget): void {
  describe('remove', () => {
    it('leaves nothing, and is the same when repeated', async () => {
      const workload = sampleWorkload(siteOf(), { slots: [0, 1] });
      await run(siteOf(), workload);
      expect(await siteOf().traces(workload.key)).not.toEqual([]);
      await siteOf().driver.remove(workload.key, nextFence());
      await siteOf().driver.remove(workload.key, nextFence());
      expect(await find(siteOf(), workload.key)).toBeUndefined();
      expect(await siteOf().traces(workload.key)).toEqual([]);
    });

    it('of what was never there is no error', async () => {
      await siteOf().driver.remove(newKey(), nextFence());
      expect(await siteOf().driver.list()).toEqual([]);
    });

    it('right after apply leaves nothing either', async () => {
      const workload = sampleWorkload(siteOf(), { slots: [0, 1, 2] });
      await siteOf().driver.apply(workload, nextFence());
      await siteOf().driver.remove(workload.key, nextFence());
      expect(await siteOf().traces(workload.key)).toEqual([]);
    });

    // MCO-O-025
    it('does not touch what is not ours', async () => {
      const isThere = await siteOf().plantForeign();
      const workload = sampleWorkload(siteOf());
      await run(siteOf(), workload);
      expect((await siteOf().driver.list()).map(({ key }) => workloadId(key))).toEqual([
        workloadId(workload.key),
      ]);
      await siteOf().driver.remove(workload.key, nextFence());
      expect(await isThere()).toBe(true);
    });
  });

  const { crowd = 200, slowness = 1 } = target;
  describe('a crowd', () => {
    it('comes at once and goes at once', { timeout: 60_000 * slowness }, async ({ annotate }) => {
      await annotate(`${crowd} workloads`);
      const workloads = Array.from({ length: crowd }, () => sampleWorkload(siteOf()));
      const fence = nextFence();
      await Promise.all(workloads.map((workload) => siteOf().driver.apply(workload, fence)));
      await eventually(
        siteOf(),
        async () => {
          const states = (await siteOf().driver.list()).map(({ instances }) => only(instances).state);
          expect(states).toEqual(workloads.map(() => 'RUNNING'));
        },
        40_000,
      );
      const last = nextFence();
      await Promise.all(workloads.map(({ key }) => siteOf().driver.remove(key, last)));
      expect(await siteOf().driver.list()).toEqual([]);
      expect(await siteOf().traces(...workloads.map(({ key }) => key))).toEqual([]);
    });
  });
}
