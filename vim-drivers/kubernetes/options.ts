import type { Clock, HostId, Logger } from '../../kernel/index.ts';
import type { Tier } from '../../descriptors/index.ts';
import type { Closable, CommandRunner, MetricsReader, VimDriver } from '../contract.ts';
import type { KubernetesConnection } from './connection.ts';

export interface KubernetesDriverOptions {
  readonly hostId: HostId;
  /** Whose objects these are: a label on everything that the driver makes. Two drivers with one scope are the same driver. */
  readonly scope: string;
  readonly connection: KubernetesConnection;
  /** A tenant's namespace is this and the tenant's name; absent: `iotmano-`. */
  readonly namespacePrefix?: string;
  /** Bounds of each tenant's ResourceQuota. */
  readonly quota?: {
    readonly cpuMillis?: number;
    readonly memoryBytes?: number;
    readonly storageBytes?: number;
    readonly instances?: number;
  };
  /** From where others reach what runs there; absent: the address of the first machine that is ready. */
  readonly address?: string;
  readonly tier?: Tier;
  readonly labels?: Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly log: Logger;
}

export type KubernetesDriver = VimDriver & Closable & MetricsReader & CommandRunner;
