import type { Clock, HostId, Logger } from '../../kernel/index.ts';
import type { Bindings, WorkloadId, WorkloadKey, WorkloadSpec } from '../contract.ts';
import type { Cgroups } from './cgroups.ts';
import type { Tools } from './launch.ts';
import type { Layout } from './layout.ts';
import type { LeaseFile } from './lease.ts';
import type { ProcessScanner } from './leftovers.ts';
import type { PortBook } from './ports.ts';

/** What every slot of one driver shares. */
export interface SlotContext {
  readonly layout: Layout;
  readonly tools: Tools;
  readonly cgroups: Cgroups;
  readonly scanner: ProcessScanner;
  readonly ports: PortBook;
  readonly lease: LeaseFile;
  readonly clock: Clock;
  readonly log: Logger;
  readonly bootId: string;
  readonly hostId: HostId;
  readonly hostAddress: string;
  readonly nodePath: string;
  /** Directory with the unpacked files of the spec; nothing when the program is on the host. */
  artifactDirectory(spec: WorkloadSpec): Promise<string | undefined>;
  /** Something that `list` shows has changed. */
  changed(): void;
  /** A process is about to be started: whatever has to run beside processes must run. */
  starting(): void;
}

/** What one slot is to run. */
export interface SlotWish {
  readonly id: WorkloadId;
  readonly key: WorkloadKey;
  readonly spec: WorkloadSpec;
  readonly specHash: string;
  readonly epoch: number;
  readonly bindings: Bindings;
  readonly bindingsHash: string;
}
