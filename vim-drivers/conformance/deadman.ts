/** What every driver does that keeps a lease. */
import { describe, expect, it } from 'vitest';
import {
  find,
  nextFence,
  only,
  renew,
  sampleWorkload,
  until,
  untilRunning,
  type ConformanceSite,
} from '../conformance-site.ts';

export function describeDeadman(siteOf: () => ConformanceSite): void {
  describe("the dead-man's rule", () => {
    // MCO-O-047
    it('stops an instance when the lease is not renewed, and starts it again when it is and it is still wanted', async () => {
      const workload = sampleWorkload(siteOf(), { spec: { stopAfterSeconds: 1 } });
      await renew(siteOf());
      await siteOf().driver.apply(workload, nextFence());
      const before = only(await untilRunning(siteOf(), workload));
      const stopped = only(await until(siteOf(), workload.key, ([one]) => one?.state === 'STOPPED'));
      expect(stopped.reason).toMatch(/lease was not renewed/);
      expect(await siteOf().runOf(workload.key, 0)).toBeUndefined();
      await renew(siteOf());
      await new Promise((resolve) => setTimeout(resolve, 100));
      // Not before it is clear that it is wanted still.
      expect((await find(siteOf(), workload.key))?.instances[0]?.state).toBe('STOPPED');
      await siteOf().driver.apply(workload, nextFence());
      const after = only(await until(siteOf(), workload.key, ([one]) => one?.state === 'RUNNING'));
      expect(after.epoch).toBe(before.epoch);
    });

    it('starts nothing for an apply that came while the lease was over, though it is renewed before it is done', async () => {
      const workload = sampleWorkload(siteOf(), { spec: { stopAfterSeconds: 1 } });
      await renew(siteOf());
      await siteOf().driver.apply(workload, nextFence());
      await untilRunning(siteOf(), workload);
      await until(siteOf(), workload.key, ([one]) => one?.state === 'STOPPED');
      // What it says was wanted before the lapse: by now the function may be elsewhere.
      const late = siteOf().driver.apply(workload, nextFence());
      await renew(siteOf());
      await late;
      await new Promise((resolve) => setTimeout(resolve, 200));
      expect((await find(siteOf(), workload.key))?.instances[0]?.state).toBe('STOPPED');
      await siteOf().driver.apply(workload, nextFence());
      await until(siteOf(), workload.key, ([one]) => one?.state === 'RUNNING');
    });

    it('leaves an instance alone for as long as the lease is renewed, and others altogether', async () => {
      const bound = sampleWorkload(siteOf(), { spec: { stopAfterSeconds: 1 } });
      const free = sampleWorkload(siteOf());
      await renew(siteOf());
      await siteOf().driver.apply(bound, nextFence());
      await siteOf().driver.apply(free, nextFence());
      const before = [...(await untilRunning(siteOf(), bound)), ...(await untilRunning(siteOf(), free))];
      for (let turn = 0; turn < 8; turn += 1) {
        await renew(siteOf());
        await new Promise((resolve) => setTimeout(resolve, 150));
      }
      const after = [...(await untilRunning(siteOf(), bound)), ...(await untilRunning(siteOf(), free))];
      expect(after).toEqual(before);
      await until(siteOf(), bound.key, ([one]) => one?.state === 'STOPPED');
      expect((await find(siteOf(), free.key))?.instances[0]?.state).toBe('RUNNING');
    });
  });
}
