/** The driver that runs workloads as processes of a Linux host; they outlive it, and it finds them again. */
import { realpath } from 'node:fs/promises';
import { createArtifactShelf } from './artifacts.ts';
import { makeDirectories } from './adopt.ts';
import { cgroupScope, detectCgroups, noCgroups } from './cgroups.ts';
import { ProcessHost, type ProcessDriver, type ProcessDriverOptions } from './driver.ts';
import { openFenceGuard } from './fence-guard.ts';
import { advertisedAddress, type HostDescription } from './inventory.ts';
import { createOutputKeeper } from './keeper.ts';
import { prepareTools } from './launch.ts';
import { layoutOf } from './layout.ts';
import { openLeaseFile } from './lease.ts';
import { createProcessScanner } from './leftovers.ts';
import { ownDirectory } from './owner.ts';
import { createPortBook } from './ports.ts';
import type { SlotContext } from './slot-context.ts';
import { readBootId } from './system.ts';

export { cgroupScope } from './cgroups.ts';

export type { ProcessDriver, ProcessDriverOptions } from './driver.ts';
export { listLogged, readLogged, type LoggedInstance } from './read-logs.ts';

const DEFAULT_OUTPUT_LIMIT_BYTES = 4 * 1024 ** 2;
const DEFAULT_OUTPUT_CHECK_SECONDS = 10;

/**
 * Opens a state directory: adopts what runs, starts what is missing, and looks after all of it until `close`.
 * @throws IotmanoError `conflict` when another process has the directory, `driver-failed` when the host lacks a tool
 */
export async function createProcessDriver(options: ProcessDriverOptions): Promise<ProcessDriver> {
  const given = layoutOf(options.directory, options.secretsDirectory);
  await makeDirectories(given);
  const layout = layoutOf(await realpath(options.directory), options.secretsDirectory);
  const bootId = await readBootId();
  const giveBack = await ownDirectory(layout, bootId);
  const host: HostDescription = {
    hostId: options.hostId,
    address: options.address ?? advertisedAddress(),
    labels: options.labels ?? {},
    ...(options.tier === undefined ? {} : { tier: options.tier }),
  };
  const tools = await prepareTools(layout);
  const shelf = createArtifactShelf(layout, options.artifacts);
  const keeper = createOutputKeeper(
    layout,
    tools,
    options.outputLimitBytes ?? DEFAULT_OUTPUT_LIMIT_BYTES,
    options.outputCheckSeconds ?? DEFAULT_OUTPUT_CHECK_SECONDS,
  );
  const watchers = new Set<() => void>();
  const { clock, log } = options;
  const context: SlotContext = {
    layout,
    tools,
    clock,
    log,
    bootId,
    cgroups: await cgroupsOf(options, layout.root),
    scanner: createProcessScanner(),
    ports: createPortBook(),
    lease: await openLeaseFile(layout, clock, bootId),
    hostId: options.hostId,
    hostAddress: host.address,
    nodePath: options.nodePath ?? process.execPath,
    async artifactDirectory({ artifact }) {
      return artifact.files === undefined ? undefined : shelf.unpacked(artifact.files);
    },
    changed: () => {
      for (const watcher of watchers) watcher();
    },
    starting: () => {
      keeper.ensure().catch((error: unknown) => log.warn({ err: error }, 'no keeper of output'));
    },
  };
  const fence = await openFenceGuard(layout);
  const driver = new ProcessHost({ options, context, shelf, fence, keeper, host, watchers, giveBack });
  await driver.open();
  return driver;
}

async function cgroupsOf(options: ProcessDriverOptions, root: string): Promise<SlotContext['cgroups']> {
  if (options.cgroupRoot === 'none') return noCgroups;
  return detectCgroups(cgroupScope(root), options.cgroupRoot);
}
