/** One suite for every driver, against the real thing. It asserts the state of the world, not the calls. */
import { afterEach, beforeEach, describe } from 'vitest';
import { setSlowness, type ConformanceSite, type ConformanceTarget } from './conformance-site.ts';
import { describeApply } from './conformance/apply.ts';
import { describeCommands } from './conformance/commands.ts';
import { describeContinuity } from './conformance/continuity.ts';
import { describeDeadman } from './conformance/deadman.ts';
import { describeEndings } from './conformance/endings.ts';
import { describeLimits } from './conformance/limits.ts';
import { describeObservation } from './conformance/observation.ts';
import { describeChosenPorts, describePorts } from './conformance/ports.ts';
import { describeProbes } from './conformance/probes.ts';
import { describeProgramOutput } from './conformance/program-output.ts';
import { describeReasons } from './conformance/reasons.ts';
import { describeRemove } from './conformance/remove.ts';
import { describeStopping } from './conformance/stopping.ts';
import { describeBindingChanges, describeSurroundings } from './conformance/surroundings.ts';

/** What a test may take on a process host. */
const TEST_MILLISECONDS = 20_000;

/** Describes the suite for one driver; each test gets a host of its own. */
export function describeDriver(target: ConformanceTarget): void {
  describeOn(target, (siteOf) => {
    describeContract(siteOf, target);
    describePrograms(siteOf, target);
  });
}

/** The part of the suite that asks nothing of the programs, where the whole takes one process too long. */
export function describeDriverContract(target: ConformanceTarget): void {
  describeOn(target, (siteOf) => describeContract(siteOf, target));
}

/** The other part. */
export function describeDriverPrograms(target: ConformanceTarget): void {
  describeOn(target, (siteOf) => describePrograms(siteOf, target));
}

function describeOn(target: ConformanceTarget, describeCases: (siteOf: () => ConformanceSite) => void): void {
  const { name, slowness = 1 } = target;
  const timeout = TEST_MILLISECONDS * slowness;
  describe(`the ${name} driver`, { timeout }, () => {
    let site: ConformanceSite | undefined;
    beforeEach(async () => {
      site = await target.open();
      setSlowness(site, slowness);
    }, timeout);
    afterEach(async () => {
      await site?.close();
      site = undefined;
    }, timeout);
    describeCases(() => {
      if (site === undefined) throw new Error('no site is open');
      return site;
    });
  });
}

function describeContract(siteOf: () => ConformanceSite, target: ConformanceTarget): void {
  describeApply(siteOf);
  describeRemove(siteOf, target);
  describeContinuity(siteOf, target);
  describeEndings(siteOf, target);
  describeChosenPorts(siteOf);
  describeBindingChanges(siteOf);
  describeObservation(siteOf);
  if (target.keepsLease) describeDeadman(siteOf);
}

function describePrograms(siteOf: () => ConformanceSite, target: ConformanceTarget): void {
  describe('where programs run,', () => {
    // Whether programs run is known only where a site is open.
    beforeEach(({ skip }) => {
      skip(siteOf().programs === undefined, 'no programs run there');
    });
    describeSurroundings(siteOf, target);
    describePorts(siteOf, target);
    describeReasons(siteOf, target);
    describeLimits(siteOf);
    describeProbes(siteOf);
    describeStopping(siteOf, target);
    describeProgramOutput(siteOf);
    describeCommands(siteOf, target);
  });
}
