import { DEFAULT_TENANT, SYSTEM_TENANT, toTimestamp, type Clock, type HostId } from '../../kernel/index.ts';
import type { IoTFunctionDescriptor, IoTServiceDescriptor } from '../../descriptors/index.ts';
import type {
  AssignmentDocument,
  HostDocument,
  HostFactsDocument,
  ObservedDocument,
} from '../../orchestrator/domain/index.ts';
import type { StateStore } from '../../orchestrator/store/index.ts';
import {
  instanceName,
  type ObservedInstance,
  type ObservedState,
  type WantedInstance,
  type WorkloadSpec,
} from '../../vim-drivers/index.ts';

/** What runs on a simulated host: survives any crash of the orchestrator. */
interface Copy {
  readonly name: string;
  readonly recordId: string;
  readonly slot: number;
  readonly epoch: number;
  readonly hasDeadMan: boolean;
  readonly port: number;
  state: ObservedState;
  restarts: number;
  reason?: string;
}

export interface SimulatedHostOptions {
  readonly hostId: string;
  readonly clock: Clock;
  readonly facts?: Partial<HostFactsDocument>;
  readonly host?: Partial<HostDocument>;
  /** Called before and after each change of the world, as a driver call would be: may throw, to crash there. */
  readonly onDriverCall?: (phase: 'before' | 'after', call: string) => void;
  /** Steps that a copy is STARTING before it is RUNNING. */
  readonly startSteps?: number;
}

/**
 * A host with its agent and a driver, reduced to what an orchestrator sees: it makes its world as its durable assignments say, one driver
 * call at a time, and reports what is. It is silent, slow or faulty when told so.
 */
export interface SimulatedHost {
  readonly hostId: HostId;
  /** Every start of a copy, ever: `name@epoch`. */
  readonly starts: readonly string[];
  /** What runs now: `name@epoch STATE`, in order. */
  running(): readonly string[];
  enrol(store: StateStore): void;
  /** One round: every driver call that is due, then a report. Whether anything changed. */
  step(store: StateStore): boolean;
  /** Copies whose name holds the text go to FAILED when they start, with the reason. */
  failStarts(text: string, reason: string): void;
  /** Starts succeed again, and what is UNHEALTHY recovers. */
  healStarts(): void;
  /** A copy whose name holds the text gets into that state by itself. */
  strike(text: string, state: ObservedState, reason?: string): void;
  /** What the dead-man's wrapper does on a host that is cut off: copies with such a rule are stopped, without the agent. */
  stopWriters(): void;
  isSilent: boolean;
}

export function createSimulatedHost(options: SimulatedHostOptions): SimulatedHost {
  const hostId = options.hostId as HostId;
  const { clock, onDriverCall = () => {}, startSteps = 1 } = options;
  const copies = new Map<string, Copy & { wait: number }>();
  const starts: string[] = [];
  const failures = new Map<string, string>();
  const ports = new Map<string, number>();

  function assignments(store: StateStore): ReadonlyMap<string, AssignmentDocument> {
    return new Map(
      [...store.list('assignment')]
        .filter(({ document }) => document.hostId === hostId)
        .map(({ id, document }) => [id, document]),
    );
  }

  function start(recordId: string, name: string, { slot, epoch }: WantedInstance, spec: WorkloadSpec): void {
    onDriverCall('before', `start ${name}@${epoch}`);
    const port = ports.get(name) ?? 20_000 + ports.size;
    ports.set(name, port);
    copies.set(name, {
      name,
      recordId,
      slot,
      epoch,
      hasDeadMan: spec.stopAfterSeconds !== undefined,
      port,
      // Of a schedule the host has taken over all that there is to be taken over.
      state: spec.run.mode === 'schedule' ? 'SCHEDULED' : 'STARTING',
      restarts: 0,
      wait: startSteps,
    });
    starts.push(`${name}@${epoch}`);
    onDriverCall('after', `start ${name}@${epoch}`);
  }

  function stop(copy: Copy): void {
    onDriverCall('before', `stop ${copy.name}@${copy.epoch}`);
    copies.delete(copy.name);
    onDriverCall('after', `stop ${copy.name}@${copy.epoch}`);
  }

  function advance(copy: Copy & { wait: number }): void {
    if (copy.state !== 'STARTING') return;
    copy.wait -= 1;
    if (copy.wait > 0) return;
    const failure = [...failures].find(([text]) => copy.name.includes(text))?.[1];
    copy.state = failure === undefined ? 'RUNNING' : 'FAILED';
    if (failure !== undefined) copy.reason = failure;
  }

  function converge(store: StateStore): void {
    for (const copy of copies.values()) if (copy.state === 'STOPPED') copies.delete(copy.name);
    for (const copy of copies.values()) advance(copy);
    const wanted = assignments(store);
    const names = new Set<string>();
    for (const [recordId, { workload }] of wanted) {
      for (const { slot, epoch } of workload.instances) {
        const name = instanceName(workload.key, slot);
        names.add(name);
        const copy = copies.get(name);
        if (copy !== undefined && copy.epoch >= epoch) continue;
        if (copy !== undefined) stop(copy);
        start(recordId, name, { slot, epoch }, workload.spec);
      }
    }
    for (const copy of copies.values()) if (!names.has(copy.name)) stop(copy);
  }

  function report(store: StateStore): boolean {
    const wanted = assignments(store);
    let hasChanged = false;
    for (const [id, { workload }] of wanted) {
      const instances = [...copies.values()]
        .filter(({ recordId }) => recordId === id)
        .toSorted((a, b) => a.slot - b.slot)
        .map((copy) => toObserved(copy, clock));
      const known = store.get('observed', id)?.document;
      if (known !== undefined && isSameInstances(known.workload.instances, instances)) continue;
      const document: ObservedDocument = {
        hostId,
        workload: { key: workload.key, specHash: workload.specHash, instances },
        reportedAt: toTimestamp(clock.now()),
      };
      store.commit([{ op: 'put', kind: 'observed', id, tenant: workload.key.tenant, document }]);
      hasChanged = true;
    }
    for (const { id, document, revision } of Array.from(store.list('observed'))) {
      const isThere = [...copies.values()].some(({ recordId }) => recordId === id);
      if (document.hostId !== hostId || wanted.has(id) || isThere) continue;
      store.commit([{ op: 'delete', kind: 'observed', id, expectedRevision: revision }]);
      hasChanged = true;
    }
    return confirm(store) || hasChanged;
  }

  /** Says which wanted state was applied, where that has changed since it said so last. */
  function confirm(store: StateStore): boolean {
    const changes = store.changesSince(store.get('host-applied', hostId)?.document.revision ?? 0);
    const isNews =
      changes === 'too-old' ||
      changes.some(({ entries }) =>
        entries.some(({ kind, id }) => kind === 'assignment' && id.startsWith(`${hostId}.`)),
      );
    if (!isNews) return false;
    const document = { revision: store.durableRevision };
    store.commit([{ op: 'put', kind: 'host-applied', id: hostId, tenant: SYSTEM_TENANT, document }]);
    return true;
  }

  const host: SimulatedHost = {
    hostId,
    starts,
    isSilent: false,
    running: () =>
      [...copies.values()].map(({ name, epoch, state }) => `${name}@${epoch} ${state}`).toSorted(),
    enrol: (store) => {
      store.commit([
        { op: 'put', kind: 'host', id: hostId, tenant: SYSTEM_TENANT, document: hostDocument(options) },
        {
          op: 'put',
          kind: 'host-facts',
          id: hostId,
          tenant: SYSTEM_TENANT,
          document: factsDocument(options),
        },
      ]);
    },
    step: (store) => {
      if (host.isSilent) return false;
      const before = host.running().join();
      converge(store);
      return report(store) || before !== host.running().join();
    },
    failStarts: (text, reason) => void failures.set(text, reason),
    healStarts: () => {
      failures.clear();
      for (const copy of copies.values()) if (copy.state === 'UNHEALTHY') copy.state = 'RUNNING';
    },
    stopWriters: () => {
      for (const copy of copies.values()) if (copy.hasDeadMan) copy.state = 'STOPPED';
    },
    strike: (text, state, reason) => {
      for (const copy of copies.values()) {
        if (!copy.name.includes(text)) continue;
        copy.state = state;
        if (reason !== undefined) copy.reason = reason;
      }
    },
  };
  return host;
}

function toObserved(copy: Copy, clock: Clock): ObservedInstance {
  return {
    slot: copy.slot,
    epoch: copy.epoch,
    state: copy.state,
    since: toTimestamp(clock.now()),
    restarts: copy.restarts,
    ...(copy.reason === undefined ? {} : { reason: copy.reason }),
    ports: { http: copy.port },
  };
}

function isSameInstances(a: readonly ObservedInstance[], b: readonly ObservedInstance[]): boolean {
  const strip = (list: readonly ObservedInstance[]) =>
    JSON.stringify(list.map(({ slot, epoch, state, reason }) => [slot, epoch, state, reason]));
  return strip(a) === strip(b);
}

function hostDocument({ clock, host }: SimulatedHostOptions): HostDocument {
  return {
    state: 'READY',
    roles: ['orchestration', 'monitoring'],
    publicKey: {},
    enrolledAt: toTimestamp(clock.now()),
    tenants: [],
    draining: false,
    disputed: false,
    boots: [],
    ...host,
  };
}

function factsDocument({ hostId, facts }: SimulatedHostOptions): HostFactsDocument {
  return {
    sequence: 1,
    architecture: 'amd64',
    tier: 'cloud',
    labels: {},
    drivers: [{ name: 'process', artifactTypes: ['process'] }],
    cpu: { cores: 4, score: 1, allocatableMillis: 4000 },
    memory: { totalBytes: 2 ** 32, allocatableBytes: 2 ** 31 },
    storage: { totalBytes: 2 ** 36, allocatableBytes: 2 ** 35, medium: 'ssd' },
    address: `${hostId}.test`,
    devices: [],
    latencies: [],
    cses: [],
    agentVersion: '0.1.0',
    ...facts,
  };
}

/** Puts an onboarded package of a descriptor into the store. */
export function onboardFunction(
  store: StateStore,
  descriptor: IoTFunctionDescriptor,
  tenant = DEFAULT_TENANT,
  id = `pkg-${descriptor.metadata.productName}`,
): string {
  store.commit([
    {
      op: 'put',
      kind: 'vnf-package',
      id,
      tenant,
      document: { ...onboarded(), descriptor },
    },
  ]);
  return id;
}

export function onboardService(store: StateStore, descriptor: IoTServiceDescriptor): string {
  const id = `nsd-info-${descriptor.metadata.name}`;
  store.commit([
    {
      op: 'put',
      kind: 'ns-descriptor',
      id,
      tenant: DEFAULT_TENANT,
      document: { ...onboarded(), descriptor },
    },
  ]);
  return id;
}

function onboarded() {
  return {
    onboardingState: 'ONBOARDED',
    operationalState: 'ENABLED',
    userDefinedData: {},
    createdAt: '2030-01-01T00:00:00.000Z',
    artifacts: [],
    faults: [],
  } as const;
}
