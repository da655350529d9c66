import { readFile, realpath, stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { basename, dirname } from 'node:path';
import { IotmanoError } from '../../kernel/index.ts';
import type { components } from '../../api-specs/generated/mco.ts';
import type { Tier } from '../../descriptors/index.ts';
import type { HostInventory, VimDriver } from '../../vim-drivers/index.ts';

export type HostFacts = components['schemas']['host-facts'];

/** What the operator says of the host, and no program can find out. */
export interface StatedFacts {
  readonly tier: Tier;
  readonly labels: Readonly<Record<string, string>>;
  /** From where others reach what runs here; absent: what the drivers say. */
  readonly address?: string | undefined;
  readonly reachableFrom?: readonly string[];
  readonly jurisdiction?: string;
  readonly infrastructureProvider?: string;
  readonly location?: Readonly<Record<string, unknown>>;
  readonly power?: string;
  readonly meteredUplink?: boolean;
  readonly uplink?: { readonly bitsPerSecond?: number; readonly jurisdictions?: readonly string[] };
  /** By class. */
  readonly devices?: Readonly<Record<string, number>>;
  readonly cses?: HostFacts['cses'];
}

/** Facts of the host as they are now: what the operator states, and what the drivers measure. */
export async function collectFacts(
  stated: StatedFacts,
  drivers: readonly VimDriver[],
  own: Pick<HostFacts, 'agentVersion' | 'agentUpgrade'> & {
    readonly dataDirectory: string;
    readonly latencies?: HostFacts['latencies'];
  },
): Promise<HostFacts> {
  const inventories = await Promise.all(drivers.map((driver) => driver.inventory()));
  const host = inventories.flat()[0];
  if (host === undefined)
    throw new IotmanoError('driver-failed', 'no driver of this host states what it has; check its log');
  const capabilities = await Promise.all(drivers.map((driver) => driver.capabilities()));
  const { address, cses, devices = {}, uplink, ...rest } = stated;
  const { dataDirectory, agentVersion, agentUpgrade, latencies = [] } = own;
  return {
    ...rest,
    ...capacityOf(host),
    architecture: host.architecture,
    storage: {
      totalBytes: host.capacity.storageBytes,
      allocatableBytes: host.allocatable.storageBytes,
      medium: await storageMedium(dataDirectory),
    },
    drivers: capabilities.map(({ driver, artifactTypes }) => ({
      name: driver,
      artifactTypes: [...artifactTypes],
    })),
    address: address ?? host.address,
    ...(uplink === undefined ? {} : { uplink }),
    devices: Object.entries(devices).map(([name, count]) => ({ class: name, count })),
    latencies,
    cses: cses ?? [],
    agentVersion,
    ...(agentUpgrade === undefined ? {} : { agentUpgrade }),
  };
}

function capacityOf({ capacity, allocatable }: HostInventory): Pick<HostFacts, 'cpu' | 'memory'> {
  const cores = availableParallelism();
  return {
    cpu: {
      cores,
      score: Math.max(0.001, capacity.cpuMillis / 1000 / cores),
      allocatableMillis: allocatable.cpuMillis,
    },
    memory: { totalBytes: capacity.memoryBytes, allocatableBytes: allocatable.memoryBytes },
  };
}

/** A latency that has hardly changed is told again after so long, so that it does not get old. */
const LATENCY_TELLS_AFTER_MILLISECONDS = 300_000;

/**
 * Whether the change is worth telling: free storage moves all the time, and counts from a twentieth of the whole on; a latency from a fifth
 * on, or after five minutes.
 */
export function isNewsOfFacts(before: HostFacts | undefined, now: HostFacts): boolean {
  if (before === undefined) return true;
  const moved = Math.abs(before.storage.allocatableBytes - now.storage.allocatableBytes);
  const steady = (facts: HostFacts): string =>
    JSON.stringify({ ...facts, storage: { ...facts.storage, allocatableBytes: 0 }, latencies: [] });
  return (
    moved > now.storage.totalBytes / 20 ||
    steady(before) !== steady(now) ||
    isNewsOfLatencies(before.latencies, now.latencies)
  );
}

function isNewsOfLatencies(before: HostFacts['latencies'], now: HostFacts['latencies']): boolean {
  const known = new Map(before.map((each) => [each.to, each]));
  if (now.length !== before.length) return true;
  return now.some(({ to, p95Milliseconds, measuredAt }) => {
    const old = known.get(to);
    if (old === undefined) return true;
    const age = Date.parse(measuredAt) - Date.parse(old.measuredAt);
    return (
      age >= LATENCY_TELLS_AFTER_MILLISECONDS ||
      Math.abs(p95Milliseconds - old.p95Milliseconds) > old.p95Milliseconds / 5
    );
  });
}

/** The kind of medium that a directory is on, as far as the kernel tells; partitions are traced to their disk. */
export async function storageMedium(directory: string): Promise<string> {
  try {
    const { dev } = await stat(directory);
    const device = await realpath(`/sys/dev/block/${major(dev)}:${minor(dev)}`);
    const disk = (await isThere(`${device}/queue/rotational`)) ? device : dirname(device);
    if (basename(disk).startsWith('mmcblk')) return 'sd-card';
    return (await readFile(`${disk}/queue/rotational`, 'utf8')).trim() === '1' ? 'hdd' : 'ssd';
  } catch {
    return 'unknown';
  }
}

/** Linux' split of a device number, as in gnu_dev_major and gnu_dev_minor. */
function major(dev: number): number {
  return Math.floor(dev / 256) % 4096;
}

function minor(dev: number): number {
  return (dev % 256) + Math.floor(dev / 2 ** 20) * 256;
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
