import { type Clock, type HostId, parseId } from '../../kernel/index.ts';
import type { Bindings, Fence, HostInventory, WorkloadId, WorkloadKey, WorkloadSpec } from '../contract.ts';

/** One running copy on a fake host. Its state follows from these times: nothing runs, so a hundred thousand hosts cost no timer. */
export interface FakeInstance {
  readonly slot: number;
  readonly epoch: number;
  readonly pid: number;
  readonly startedAt: number;
  restarts: number;
  /** Ends that were brought about by hand, not answered yet. */
  exit?: { readonly code: number; readonly at: number; readonly isFinal: boolean; readonly reason: string };
  reloads: number;
  /** The dead-man's rule has stopped it; only an apply starts it again. */
  stoppedAt?: number;
  readonly ports: Readonly<Record<string, number>>;
}

export interface FakeWorkload {
  readonly key: WorkloadKey;
  spec: WorkloadSpec;
  specHash: string;
  bindings: Bindings;
  readonly instances: Map<number, FakeInstance>;
}

export interface FakeHost {
  readonly inventory: HostInventory;
  readonly workloads: Map<WorkloadId, FakeWorkload>;
  /** Things on the host that are not ours. */
  readonly foreign: Set<string>;
  readonly output: Map<string, string[]>;
  fence: Fence;
  renewedAt: number;
  nextPid: number;
  nextPort: number;
}

/** Infrastructure in memory. It outlives the drivers that are opened on it, as a real one does. */
export interface FakeWorld {
  readonly clock: Clock;
  readonly hostIds: readonly HostId[];
  host(id: HostId): FakeHost;
}

export interface FakeWorldOptions {
  readonly clock: Clock;
  readonly hosts?: number;
  /** What the host with that number is like, over the defaults. */
  readonly describe?: (number: number) => Partial<Omit<HostInventory, 'hostId'>>;
}

const GIB = 1024 ** 3;

/** Makes a world. A host comes into being when it is first asked for. */
export function createFakeWorld(options: FakeWorldOptions): FakeWorld {
  const hosts = new Map<HostId, FakeHost>();
  const count = options.hosts ?? 1;
  const hostIds = Array.from({ length: count }, (_, number) => parseId<HostId>(`fake-${number}`, 'hostId'));
  return {
    clock: options.clock,
    hostIds,
    host(id) {
      const known = hosts.get(id);
      if (known !== undefined) return known;
      const made = makeHost(id, options.describe?.(Number(id.slice(5))) ?? {});
      hosts.set(id, made);
      return made;
    },
  };
}

function makeHost(hostId: HostId, description: Partial<HostInventory>): FakeHost {
  const capacity = { cpuMillis: 4000, memoryBytes: 8 * GIB, storageBytes: 64 * GIB };
  return {
    inventory: {
      architecture: 'amd64',
      labels: {},
      capacity,
      allocatable: capacity,
      address: '127.0.0.1',
      ...description,
      hostId,
    },
    workloads: new Map(),
    foreign: new Set(),
    output: new Map(),
    fence: { leaseNumber: 0, revision: 0 },
    renewedAt: Number.NEGATIVE_INFINITY,
    nextPid: 1000,
    nextPort: 20_000,
  };
}
