import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { IotmanoError, silentLogger, systemClock, type HostId } from '../../kernel/index.ts';
import type { ConformanceSite } from '../conformance-site.ts';
import type { ArtifactSource } from '../contract.ts';
import { createProcessDriver, type ProcessDriver, type ProcessDriverOptions } from './index.ts';
import { lookAtHost, startForeign } from './testkit-host.ts';

export { groupsOfDirectory, processesWith, tracesOf } from './testkit-host.ts';

export const NO_ARTIFACTS: ArtifactSource = {
  open: async ({ digest }) => {
    throw new IotmanoError('artifact-unusable', `there is no artifact ${digest}`);
  },
};

/** Where cgroups are kept out, in the tests of a host without them. */
export type SiteOptions = Partial<
  Pick<
    ProcessDriverOptions,
    'cgroupRoot' | 'outputLimitBytes' | 'outputCheckSeconds' | 'artifacts' | 'secretsDirectory'
  >
>;

export interface ProcessSite extends ConformanceSite {
  readonly directory: string;
  readonly driver: ProcessDriver;
}

export function openDriver(directory: string, options: SiteOptions = {}): Promise<ProcessDriver> {
  return createProcessDriver({
    directory,
    hostId: 'host-1' as HostId,
    artifacts: NO_ARTIFACTS,
    clock: systemClock,
    log: silentLogger,
    address: '127.0.0.1',
    ...options,
  });
}

/** A host of its own: a state directory that is gone afterwards, with everything that was started from it. */
export async function openProcessSite(options: SiteOptions = {}): Promise<ProcessSite> {
  const directory = await mkdtemp(join(tmpdir(), 'iotmano-process-'));
  let driver = await openDriver(directory, options);
  const foreign: ReturnType<typeof startForeign>[] = [];
  const current = {
    get driver() {
      return driver;
    },
  };
  return {
    ...lookAtHost(current, directory),
    directory,
    get driver() {
      return driver;
    },
    async reopen() {
      await driver.close();
      driver = await openDriver(directory, options);
    },
    async plantForeign() {
      const planted = startForeign();
      foreign.push(planted);
      return async () => planted.isThere();
    },
    async close() {
      for (const planted of foreign) planted.end();
      await removeEverything(driver);
      await driver.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Also what the driver of that directory has left running. */
export async function removeDirectory(directory: string): Promise<void> {
  const driver = await openDriver(directory);
  await removeEverything(driver);
  await driver.close();
  await rm(directory, { recursive: true, force: true });
}

async function removeEverything(driver: ProcessDriver): Promise<void> {
  const fence = { leaseNumber: Number.MAX_SAFE_INTEGER, revision: 0 };
  const all = await driver.list();
  await Promise.all(
    all.map(({ key }) => driver.remove(key, fence, { graceSeconds: 0, deleteKeptVolumes: true })),
  );
}
