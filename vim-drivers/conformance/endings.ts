/** Instances that end by themselves, or by somebody's hand. */
import { describe, expect, it } from 'vitest';
import {
  eventually,
  find,
  nextFence,
  only,
  run,
  runsOf,
  sampleWorkload,
  until,
  untilOtherRun,
  type ConformanceSite,
  type ConformanceTarget,
} from '../conformance-site.ts';
import { skipWithout } from './abilities.ts';

export function describeEndings(siteOf: () => ConformanceSite, target: ConformanceTarget): void {
  describe('an instance that ends', () => {
    it('is started again at once, and the reason and the number of restarts are told', async () => {
      const workload = sampleWorkload(siteOf());
      const before = only(await run(siteOf(), workload));
      const [first] = await runsOf(siteOf(), workload.key);
      await siteOf().crash(workload.key, before);
      const after = await untilOtherRun(siteOf(), workload.key, first);
      expect(after.restarts).toBe(1);
      expect(after.epoch).toBe(before.epoch);
    });

    it('is given up after the limit, in words, until it is healed', async () => {
      const workload = sampleWorkload(siteOf(), {
        spec: { restart: { withinSeconds: 60, times: 1, backoffMinSeconds: 0.05, backoffMaxSeconds: 0.1 } },
      });
      const before = only(await run(siteOf(), workload));
      const [first] = await runsOf(siteOf(), workload.key);
      await siteOf().crash(workload.key, before);
      const second = await untilOtherRun(siteOf(), workload.key, first);
      await siteOf().crash(workload.key, second);
      const failed = only(await until(siteOf(), workload.key, ([one]) => one?.state === 'FAILED'));
      expect(failed.reason).toMatch(/(killed by SIGKILL|exited with code \d+).*not started again/);
      expect(await siteOf().runOf(workload.key, 0)).toBeUndefined();
      await siteOf().reopen();
      expect((await find(siteOf(), workload.key))?.instances).toEqual([failed]);
      await siteOf().driver.apply({ ...workload, instances: [{ slot: 0, epoch: 2 }] }, nextFence());
      const healed = only(await until(siteOf(), workload.key, ([one]) => one?.state === 'RUNNING'));
      expect(healed).toMatchObject({ epoch: 2, restarts: 0 });
    });

    it('is never said to run after somebody has taken it away by hand, and is there again after the next apply', async ({
      skip,
    }) => {
      skipWithout(target, 'take-away', skip);
      const workload = sampleWorkload(siteOf(), { slots: [0, 1] });
      await run(siteOf(), workload);
      const [lost, other] = await runsOf(siteOf(), workload.key, [0, 1]);
      if (siteOf().takeAway === undefined)
        throw new Error('the site has no takeAway; say in `without` of the target why');
      await siteOf().takeAway?.(workload.key, 0);
      await eventually(siteOf(), async () => {
        const told = (await find(siteOf(), workload.key))?.instances.find(({ slot }) => slot === 0);
        // Told after the look at the world: what heals by itself may have begun another run in between, but not the other way round.
        const run = await siteOf().runOf(workload.key, 0);
        expect(told?.state === 'RUNNING' && (run === undefined || run === lost)).toBe(false);
      });
      await siteOf().driver.apply(workload, nextFence());
      await untilOtherRun(siteOf(), workload.key, lost);
      expect(await siteOf().runOf(workload.key, 1)).toBe(other);
      await siteOf().driver.remove(workload.key, nextFence());
      expect(await siteOf().traces(workload.key)).toEqual([]);
    });
  });

  describe('a job', () => {
    it('is completed when it has ended well, and not run again', async () => {
      const workload = sampleWorkload(siteOf(), {
        command: ['sh', '-c', 'echo done'],
        spec: { run: { mode: 'job' } },
      });
      await siteOf().driver.apply(workload, nextFence());
      const done = only(await until(siteOf(), workload.key, ([one]) => one?.state === 'COMPLETED'));
      expect(done).toMatchObject({ exitCode: 0, restarts: 0 });
      await siteOf().driver.apply(workload, nextFence());
      await siteOf().reopen();
      expect((await find(siteOf(), workload.key))?.instances).toEqual([done]);
    });

    it('runs again for each higher epoch, also from and to no instance at all, as a schedule has it', async () => {
      const workload = sampleWorkload(siteOf(), {
        command: ['sh', '-c', 'echo done'],
        spec: { run: { mode: 'job' } },
      });
      const { key, specHash } = workload;
      await siteOf().driver.apply({ ...workload, instances: [] }, nextFence());
      expect(await find(siteOf(), key)).toMatchObject({ specHash, instances: [] });
      for (const epoch of [1, 2]) {
        await siteOf().driver.apply({ ...workload, instances: [{ slot: 0, epoch }] }, nextFence());
        const over = await until(siteOf(), key, ([one]) => one?.epoch === epoch && one.state === 'COMPLETED');
        expect(only(over)).toMatchObject({ slot: 0, exitCode: 0, restarts: 0 });
      }
      await siteOf().driver.apply({ ...workload, instances: [] }, nextFence());
      await until(siteOf(), key, (instances) => instances.length === 0);
      expect(await find(siteOf(), key)).toMatchObject({ specHash, instances: [] });
      await siteOf().driver.remove(key, nextFence());
      expect(await siteOf().traces(key)).toEqual([]);
    });
  });
}
