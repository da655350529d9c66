/** What holds over a change of leader, of driver, and of engine. */
import { describe, expect, it } from 'vitest';
import { IotmanoError } from '../../kernel/index.ts';
import {
  find,
  nextFence,
  run,
  runsOf,
  sampleWorkload,
  untilRunning,
  type ConformanceSite,
  type ConformanceTarget,
} from '../conformance-site.ts';
import type { WorkloadKey } from '../contract.ts';
import { skipWithout } from './abilities.ts';

export function describeContinuity(siteOf: () => ConformanceSite, target: ConformanceTarget): void {
  describe('a command of a deposed leader', () => {
    // MCO-O-024
    it('is refused and changes nothing, also after the driver was opened anew', async () => {
      const workload = sampleWorkload(siteOf());
      await siteOf().driver.apply(workload, { leaseNumber: 7, revision: 10_000_000 });
      const before = await untilRunning(siteOf(), workload);
      const check = async (): Promise<void> => {
        const stale = { leaseNumber: 6, revision: 20_000_000 };
        await expect(siteOf().driver.remove(workload.key, stale)).rejects.toMatchObject({
          code: 'stale-lease',
        });
        const older = { leaseNumber: 7, revision: 9_999_999 };
        await expect(siteOf().driver.apply({ ...workload, instances: [] }, older)).rejects.toMatchObject({
          code: 'stale-lease',
        });
        expect(await untilRunning(siteOf(), workload)).toEqual(before);
      };
      await check();
      await siteOf().reopen();
      await check();
      await siteOf().driver.remove(workload.key, { leaseNumber: 8, revision: 1 });
      expect(await siteOf().traces(workload.key)).toEqual([]);
    });
  });

  describe('a driver opened anew', () => {
    // MCO-O-050
    it('finds what runs, the same runs in the same states', async () => {
      const workload = sampleWorkload(siteOf(), { slots: [0, 3] });
      const before = await run(siteOf(), workload);
      const runs = await runsOf(siteOf(), workload.key, [0, 3]);
      await siteOf().reopen();
      expect(await find(siteOf(), workload.key)).toEqual({
        key: workload.key,
        specHash: workload.specHash,
        instances: before,
      });
      await siteOf().driver.apply(workload, nextFence());
      expect(await untilRunning(siteOf(), workload)).toEqual(before);
      expect(await runsOf(siteOf(), workload.key, [0, 3])).toEqual(runs);
      await siteOf().driver.remove(workload.key, nextFence());
      expect(await siteOf().traces(workload.key)).toEqual([]);
    });
  });

  describe('an engine that goes away and comes back', () => {
    it('has its instances run again, and is never taken for an empty one', async ({ skip }) => {
      skipWithout(target, 'interruption', skip);
      const workload = sampleWorkload(siteOf(), { slots: [0, 1] });
      await run(siteOf(), workload);
      const looks: string[] = [];
      const over = new AbortController();
      const looking = (async () => {
        while (!over.signal.aborted) {
          looks.push(await lookFor(siteOf(), workload.key));
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
      })();
      await interrupt(siteOf());
      over.abort();
      await looking;
      expect(looks.filter((look) => look !== 'there' && look !== 'unavailable')).toEqual([]);
      await siteOf().driver.apply(workload, nextFence());
      await untilRunning(siteOf(), workload);
      await runsOf(siteOf(), workload.key, [0, 1]);
      const other = sampleWorkload(siteOf());
      await run(siteOf(), other);
      await siteOf().driver.remove(workload.key, nextFence());
      await siteOf().driver.remove(other.key, nextFence());
      expect(await siteOf().traces(workload.key, other.key)).toEqual([]);
    });
  });
}

async function interrupt(site: ConformanceSite): Promise<void> {
  if (site.interruptEngine === undefined)
    throw new Error('the site has no interruptEngine; say in `without` of the target why');
  await site.interruptEngine();
}

/** Whether the workload is listed, or why not. */
async function lookFor(site: ConformanceSite, key: WorkloadKey): Promise<string> {
  try {
    return (await find(site, key)) === undefined ? 'gone' : 'there';
  } catch (error) {
    return error instanceof IotmanoError ? error.code : String(error);
  }
}
