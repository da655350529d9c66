/** The driver that runs workloads on a Kubernetes cluster. */
import type { Clock, HostId, Logger } from '../../kernel/index.ts';
import type { Tier } from '../../descriptors/index.ts';
import type { Closable, MetricsReader, VimDriver } from '../contract.ts';
import { ClusterView } from './cluster-view.ts';
import { ComplaintBook } from './complaints.ts';
import { openConnection, type KubernetesConnection } from './connection.ts';
import { NodePortRange, WrittenSets, type DriverContext } from './context.ts';
import { KubernetesHost } from './driver.ts';
import { FenceGuard } from './fence-guard.ts';
import { labelValue, LABEL } from './names.ts';
import { Namespaces } from './namespaces.ts';
import { ObjectClient } from './object-client.ts';
import { PodMemory } from './pod-memory.ts';
import { Supervisor } from './supervisor.ts';
import { ApiTransport } from './transport.ts';
import { UsageReader } from './usage.ts';

export type { KubernetesConnection } from './connection.ts';

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

const DEFAULT_PREFIX = 'iotmano-';

/**
 * Opens a driver; makes no call: a cluster that cannot be reached shows in what is called (`unavailable`), and is found again by itself.
 * @throws IotmanoError `invalid-parameter` for a connection that cannot be one
 */
export async function createKubernetesDriver(options: KubernetesDriverOptions): Promise<KubernetesDriver> {
  const { clock, log, hostId, scope } = options;
  const client = new ObjectClient(new ApiTransport(openConnection(options.connection)));
  const scopeLabel = labelValue(scope);
  const changed = (): void => host.wake();
  const context: DriverContext = {
    client,
    view: new ClusterView({ client, scopeLabel, clock, log, onChange: changed }),
    clock,
    log,
    hostId,
    scopeLabel,
    nodePorts: new NodePortRange(),
    written: new WrittenSets(),
  };
  const prefix = options.namespacePrefix ?? DEFAULT_PREFIX;
  const namespaces = new Namespaces(context, { prefix, scope, quota: options.quota ?? {} });
  const fence = new FenceGuard({
    client,
    namespace: namespaces.scopeNamespace,
    labels: { 'app.kubernetes.io/managed-by': 'iotmano', [LABEL.scope]: scopeLabel },
    ensureNamespace: () => namespaces.ensureScope(),
  });
  const complaints = new ComplaintBook(client, clock);
  const memory = new PodMemory(complaints, context.written);
  const host = new KubernetesHost({
    context,
    namespaces,
    fence,
    memory,
    complaints,
    supervisor: new Supervisor(context, memory, complaints, changed),
    usage: new UsageReader(client, clock),
    about: {
      hostId,
      labels: options.labels ?? {},
      ...(options.address === undefined ? {} : { address: options.address }),
      ...(options.tier === undefined ? {} : { tier: options.tier }),
    },
    hints: new Set(),
  });
  host.open();
  return host;
}
