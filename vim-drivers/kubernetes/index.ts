/** The driver that runs workloads on a Kubernetes cluster. */
import { ClusterView } from './cluster-view.ts';
import { ComplaintBook } from './complaints.ts';
import { openConnection } from './connection.ts';
import { NodePortRange, WrittenSets, type DriverContext } from './context.ts';
import { KubernetesHost } from './driver.ts';
import { FenceGuard } from './fence-guard.ts';
import { Machines } from './machines.ts';
import { labelValue, LABEL } from './names.ts';
import { Namespaces } from './namespaces.ts';
import { ObjectClient } from './object-client.ts';
import type { KubernetesDriver, KubernetesDriverOptions } from './options.ts';
import { PodMemory } from './pod-memory.ts';
import { Supervisor } from './supervisor.ts';
import { ApiTransport } from './transport.ts';
import { UsageReader } from './usage.ts';
import { WorkloadKeeper } from './workload-keeper.ts';

export type { KubernetesConnection } from './connection.ts';

export type { KubernetesDriver, KubernetesDriverOptions } from './options.ts';

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
  const machines = new Machines(client, clock);
  const address = async (): Promise<string> => options.address ?? (await machines.address()) ?? '';
  const host = new KubernetesHost({
    context,
    namespaces,
    keeper: new WorkloadKeeper({ context, namespaces, fence, address }),
    memory,
    complaints,
    supervisor: new Supervisor(context, memory, complaints, changed),
    usage: new UsageReader(client, clock),
    machines,
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
