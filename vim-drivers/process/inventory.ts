import { statfs } from 'node:fs/promises';
import { availableParallelism, networkInterfaces, totalmem } from 'node:os';
import type { Tier } from '../../descriptors/index.ts';
import type { HostId } from '../../kernel/index.ts';
import type { HostInventory } from '../contract.ts';
import { coreScore } from './core-score.ts';
import type { Layout } from './layout.ts';

/** Kept back for the system and the agent. */
const RESERVED_MEMORY_BYTES = 128 * 1024 ** 2;
const RESERVED_STORAGE_SHARE = 0.05;

export interface HostDescription {
  readonly hostId: HostId;
  readonly address: string;
  readonly tier?: Tier;
  readonly labels: Readonly<Record<string, string>>;
}

/** What this host has, CPU in thousandths of a reference core. */
export async function takeInventory(layout: Layout, host: HostDescription): Promise<HostInventory> {
  const storage = await statfs(layout.root);
  const storageBytes = storage.bsize * storage.blocks;
  const memoryBytes = Math.min(totalmem(), constrainedMemory());
  const cpuMillis = Math.round(availableParallelism() * (await coreScore(layout)) * 1000);
  return {
    hostId: host.hostId,
    architecture: architectureName(process.arch),
    ...(host.tier === undefined ? {} : { tier: host.tier }),
    labels: host.labels,
    capacity: { cpuMillis, memoryBytes, storageBytes },
    allocatable: {
      cpuMillis,
      memoryBytes: Math.max(0, memoryBytes - RESERVED_MEMORY_BYTES),
      storageBytes: Math.max(
        0,
        Math.round(storage.bsize * storage.bavail - storageBytes * RESERVED_STORAGE_SHARE),
      ),
    },
    address: host.address,
  };
}

/** The bound of a container around this process, if there is one. */
function constrainedMemory(): number {
  const bound = process.constrainedMemory();
  return bound > 0 ? bound : Number.MAX_SAFE_INTEGER;
}

/** Names of architectures as descriptors and container images have them. */
function architectureName(arch: string): string {
  return { x64: 'amd64', ia32: '386' }[arch] ?? arch;
}

/** The first address of this host that others may reach, else the loopback one. */
export function advertisedAddress(): string {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return addresses.find((entry) => !entry.internal && entry.family === 'IPv4')?.address ?? '127.0.0.1';
}
