/** One suite for every driver, against the real thing. It asserts the state of the world, not the calls. */
import { afterEach, beforeEach, describe } from 'vitest';
import { describeDeadman } from './conformance-deadman.ts';
import { describeLifecycle } from './conformance-lifecycle.ts';
import { describePrograms } from './conformance-programs.ts';
import { setSlowness, type ConformanceSite, type ConformanceTarget } from './conformance-site.ts';

/** What a test may take on a process host. */
const TEST_MILLISECONDS = 20_000;

/** Describes the suite for one driver; each test gets a host of its own. */
export function describeDriver(target: ConformanceTarget): void {
  const { name, keepsLease, slowness = 1 } = target;
  const timeout = TEST_MILLISECONDS * slowness;
  describe(`the ${name} driver`, { timeout }, () => {
    let site: ConformanceSite | undefined;
    const siteOf = (): ConformanceSite => {
      if (site === undefined) throw new Error('no site is open');
      return site;
    };
    beforeEach(async () => {
      site = await target.open();
      setSlowness(site, slowness);
    }, timeout);
    afterEach(async () => {
      await site?.close();
      site = undefined;
    }, timeout);
    describeLifecycle(siteOf, slowness);
    describePrograms(siteOf);
    if (keepsLease) describeDeadman(siteOf);
  });
}
