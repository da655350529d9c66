import { ExchangeableVersion } from './exchangeable-version.ts';
import { endTrial, keptVersions, pointerOf } from './plan-version.ts';
import { releaseRoom } from './reserve.ts';
import type { SelfUpgrade, SelfUpgradeOptions } from './self-upgrade.ts';
import { removeOtherVersions } from './version-files.ts';
import { readPointer } from './version-pointer.ts';

export async function openSelfUpgrade(options: SelfUpgradeOptions): Promise<SelfUpgrade> {
  const { program } = options;
  if (typeof program === 'string') return fixedVersion(program);
  const { dataDirectory, clock } = options;
  const known = (await readPointer(dataDirectory)) ?? pointerOf(program.digest);
  if (program.trialOf !== undefined) return new ExchangeableVersion({ ...options, program }, known);
  // Only where the disk is full is there a trial now: none is begun twice for that.
  const pointer = endTrial(known, 'how it ended could not be written down: is the disk full?', clock.now());
  await releaseRoom(dataDirectory);
  await removeOtherVersions(dataDirectory, keptVersions(pointer)).catch(() => undefined);
  return new ExchangeableVersion({ ...options, program }, pointer);
}

function fixedVersion(reason: string): SelfUpgrade {
  return {
    facts: () => ({ possible: false, reason }),
    wanted: () => undefined,
    observed: () => undefined,
    heard: () => undefined,
    run: () => Promise.resolve(),
  };
}
