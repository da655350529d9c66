/** One suite for every driver, against the real thing. It asserts the state of the world, not the calls. */
import { afterEach, beforeEach, describe } from 'vitest';
import { describeDeadman } from './conformance-deadman.ts';
import { describeLifecycle } from './conformance-lifecycle.ts';
import { describePrograms } from './conformance-programs.ts';
import type { ConformanceSite, ConformanceTarget } from './conformance-site.ts';

/** Describes the suite for one driver; each test gets a host of its own. */
export function describeDriver(target: ConformanceTarget, keepsLease: boolean): void {
  describe(`the ${target.name} driver`, () => {
    let site: ConformanceSite | undefined;
    const siteOf = (): ConformanceSite => {
      if (site === undefined) throw new Error('no site is open');
      return site;
    };
    beforeEach(async () => {
      site = await target.open();
    });
    afterEach(async () => {
      await site?.close();
      site = undefined;
    });
    describeLifecycle(siteOf);
    if (target.runsPrograms) describePrograms(siteOf);
    if (keepsLease) describeDeadman(siteOf);
  });
}
