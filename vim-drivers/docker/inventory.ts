import type { HostId } from '../../kernel/index.ts';
import type { Tier } from '../../descriptors/index.ts';
import type { HostInventory } from '../contract.ts';
import type { DiskRoom } from './disk-room.ts';

/** What `docker info` says, as far as it is used. */
export interface EngineInfo {
  readonly NCPU: number;
  readonly MemTotal: number;
  readonly Architecture: string;
  readonly DockerRootDir: string;
  readonly ServerVersion: string;
  readonly Labels: readonly string[] | null;
  readonly LoggingDriver: string;
  readonly CpuCfsQuota: boolean;
  readonly SwapLimit: boolean;
  readonly MemoryLimit: boolean;
  readonly InitBinary: string;
}

/** Kept back for the system and the engine. */
const RESERVED_MEMORY_BYTES = 128 * 1024 ** 2;
const RESERVED_STORAGE_SHARE = 0.05;
/** An engine on another machine does not tell how large its disk is: placement must not refuse it for that. */
const UNKNOWN_STORAGE_BYTES = 1024 ** 4;

export interface HostDescription {
  readonly hostId: HostId;
  readonly address: string;
  readonly tier?: Tier;
  readonly labels: Readonly<Record<string, string>>;
}

/** What the engine's machine has, as placement wants to know it. */
export function describeHost(
  info: EngineInfo,
  room: DiskRoom | undefined,
  host: HostDescription,
): HostInventory {
  const cpuMillis = info.NCPU * 1000;
  const storageBytes = room?.totalBytes ?? UNKNOWN_STORAGE_BYTES;
  const freeBytes = room?.freeBytes ?? UNKNOWN_STORAGE_BYTES;
  return {
    hostId: host.hostId,
    architecture: architectureName(info.Architecture),
    ...(host.tier === undefined ? {} : { tier: host.tier }),
    labels: { ...engineLabels(info), ...(room === undefined ? { storage: 'unknown' } : {}), ...host.labels },
    capacity: { cpuMillis, memoryBytes: info.MemTotal, storageBytes },
    allocatable: {
      cpuMillis,
      memoryBytes: Math.max(0, info.MemTotal - RESERVED_MEMORY_BYTES),
      storageBytes: Math.max(0, Math.round(freeBytes - storageBytes * RESERVED_STORAGE_SHARE)),
    },
    address: host.address,
  };
}

/** Labels that the engine's administrator gave it, `name=value`. */
function engineLabels({ Labels }: EngineInfo): Record<string, string> {
  const pairs = (Labels ?? [])
    .map((label) => /^([^=]+)=(.*)$/s.exec(label))
    .filter((match) => match !== null);
  return Object.fromEntries(pairs.map(([, name = '', value = '']) => [name, value]));
}

/** Names of architectures as descriptors and container images have them. */
export function architectureName(machine: string): string {
  const names: Readonly<Record<string, string>> = {
    x86_64: 'amd64',
    aarch64: 'arm64',
    armv6l: 'arm',
    armv7l: 'arm',
    armv8l: 'arm',
    i386: '386',
    i686: '386',
  };
  return names[machine] ?? machine;
}
