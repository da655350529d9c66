import type { HostId } from '../../kernel/index.ts';
import type { Tier } from '../../descriptors/index.ts';
import type { HostInventory, HostMember } from '../contract.ts';
import type { KubeObject } from './objects.ts';
import { parseQuantity } from './quantities.ts';

type Machine = KubeObject<'node'>;

export interface ClusterDescription {
  readonly hostId: HostId;
  /** From where others reach what runs there; absent: a machine's own. */
  readonly address?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly tier?: Tier;
}

/** The cluster as one host: all machines together that take instances now. */
export function describeCluster(machines: readonly Machine[], about: ClusterDescription): HostInventory {
  const ready = machines.filter(takesInstances);
  const [first] = ready;
  return {
    hostId: about.hostId,
    architecture: (first ?? machines[0])?.status?.nodeInfo?.architecture ?? 'unknown',
    ...(about.tier === undefined ? {} : { tier: about.tier }),
    labels: { ...commonLabels(ready), ...about.labels },
    capacity: sumOf(ready.map(({ status }) => figuresOf(status?.capacity))),
    allocatable: sumOf(ready.map(({ status }) => figuresOf(status?.allocatable))),
    address: about.address ?? addressOf(machines) ?? '',
    members: machines.map(describeMachine),
  };
}

/** External address, else internal one, of the first machine that is ready; else of any. */
export function addressOf(machines: readonly Machine[]): string | undefined {
  const candidates = [...machines.filter(takesInstances), ...machines];
  for (const type of ['ExternalIP', 'InternalIP'])
    for (const { status } of candidates) {
      const found = status?.addresses?.find((address) => address.type === type);
      if (found !== undefined) return found.address;
    }
  return undefined;
}

function describeMachine(machine: Machine): HostMember {
  const { metadata, status } = machine;
  return {
    name: metadata?.name ?? '',
    isReady: takesInstances(machine),
    labels: metadata?.labels ?? {},
    allocatable: figuresOf(status?.allocatable),
  };
}

/** Ready, and nothing keeps ordinary pods away from it. */
function takesInstances({ spec, status }: Machine): boolean {
  const isReady = status?.conditions?.some((one) => one.type === 'Ready' && one.status === 'True') ?? false;
  const isClosed =
    spec?.taints?.some(({ effect }) => effect === 'NoSchedule' || effect === 'NoExecute') ?? false;
  return isReady && spec?.unschedulable !== true && !isClosed;
}

type Figures = HostInventory['capacity'];

function figuresOf(resources: Readonly<Record<string, string>> = {}): Figures {
  return {
    cpuMillis: Math.floor(parseQuantity(resources['cpu']) * 1000),
    memoryBytes: Math.floor(parseQuantity(resources['memory'])),
    storageBytes: Math.floor(parseQuantity(resources['ephemeral-storage'])),
  };
}

function sumOf(all: readonly Figures[]): Figures {
  return all.reduce(
    (sum, one) => ({
      cpuMillis: sum.cpuMillis + one.cpuMillis,
      memoryBytes: sum.memoryBytes + one.memoryBytes,
      storageBytes: sum.storageBytes + one.storageBytes,
    }),
    { cpuMillis: 0, memoryBytes: 0, storageBytes: 0 },
  );
}

/** Labels that every machine has with the same value: true of wherever an instance comes to run. */
function commonLabels(machines: readonly Machine[]): Record<string, string> {
  const [first, ...others] = machines.map(({ metadata }) => metadata?.labels ?? {});
  return Object.fromEntries(
    Object.entries(first ?? {}).filter(([name, value]) => others.every((labels) => labels[name] === value)),
  );
}
