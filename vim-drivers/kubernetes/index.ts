/** The driver that runs workloads on a Kubernetes cluster. */
import type { Clock, HostId, Logger } from '../../kernel/index.ts';
import type { Tier } from '../../descriptors/index.ts';
import type { Closable, MetricsReader, VimDriver } from '../contract.ts';

export type KubernetesConnection =
  | { readonly type: 'in-cluster' }
  | { readonly type: 'kubeconfig'; readonly text: string; readonly context?: string }
  | {
      readonly type: 'server';
      /** URL of the API server. */
      readonly server: string;
      /** PEM texts. */
      readonly ca?: string;
      readonly skipVerification?: boolean;
      readonly token?: string;
      readonly certificate?: string;
      readonly key?: string;
    };

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

export type KubernetesDriver = VimDriver & Closable & MetricsReader;

/** Opens a driver; makes no call: a cluster that cannot be reached shows in what is called (`unavailable`), and is found again by itself. */
export async function createKubernetesDriver(_options: KubernetesDriverOptions): Promise<KubernetesDriver> {
  throw new RangeError('not built yet');
}
