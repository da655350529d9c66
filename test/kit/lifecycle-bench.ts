import { silentLogger, type HostId, type IdSource } from '../../kernel/index.ts';
import {
  createLifecycle,
  type IndicatorSource,
  type KeySource,
  type Lifecycle,
  type LifecycleAlarm,
  type LifecycleLimits,
  type Liveness,
} from '../../orchestrator/lifecycle/index.ts';
import { createServices, type Services } from '../../orchestrator/services/index.ts';
import { createMemoryStore, type MemoryStore, type StateStore } from '../../orchestrator/store/index.ts';
import { createFakeClock, type FakeClock } from './fake-clock.ts';
import { createSimulatedHost, type SimulatedHost, type SimulatedHostOptions } from './simulated-host.ts';

/** Ids in order: the same test makes the same ids. */
export function countingIds(prefix = 'id'): IdSource {
  let count = 0;
  return { uuid: () => `${prefix}-${String((count += 1)).padStart(4, '0')}` };
}

export function countingKeys(): KeySource {
  let count = 0;
  return { ed25519: () => ({ seed: `seed-${(count += 1)}`, publicKey: `public-${count}` }) };
}

/** Silence of hosts as a test sets it; hosts that are not set were heard just now. A lease holds only where a test says so. */
export interface FakeLiveness extends Liveness {
  readonly leased: Set<HostId>;
  readonly silence: Map<HostId, number>;
  readonly braked: Set<HostId>;
}

export function createFakeLiveness(): FakeLiveness {
  const silence = new Map<HostId, number>();
  const braked = new Set<HostId>();
  const leased = new Set<HostId>();
  return {
    silence,
    braked,
    leased,
    hasLease: (hostId) => leased.has(hostId),
    silentForMilliseconds: (hostId) => silence.get(hostId) ?? 0,
    isBraked: (hostId) => braked.has(hostId),
    suspectedHosts: () => silence.keys(),
  };
}

/** A lifecycle over a memory store and simulated hosts, driven by hand: no timers, every round the same. */
export interface LifecycleBench {
  readonly store: MemoryStore;
  readonly clock: FakeClock;
  readonly liveness: FakeLiveness;
  readonly hosts: readonly SimulatedHost[];
  readonly lifecycle: Lifecycle;
  readonly services: Services;
  /** All that were raised, in their order. */
  readonly alarms: LifecycleAlarm[];
  /** Names of those that were not cleared since. */
  readonly standingAlarms: ReadonlySet<string>;
  /** Rounds of engine and hosts until nothing changes any more. */
  converge(): Promise<void>;
  host(id: string): SimulatedHost;
}

export function createLifecycleBench(
  hosts: readonly Omit<SimulatedHostOptions, 'clock'>[],
  limits: Partial<LifecycleLimits> = {},
  indicatorsOf: IndicatorSource = () => [],
): LifecycleBench {
  const store = createMemoryStore({ ids: countingIds('state') });
  const clock = createFakeClock();
  const liveness = createFakeLiveness();
  const simulated = hosts.map((options) => createSimulatedHost({ ...options, clock }));
  const alarms: LifecycleAlarm[] = [];
  const standingAlarms = new Set<string>();
  for (const host of simulated) host.enrol(store);
  const lifecycle = createLifecycle({
    store,
    clock,
    ids: countingIds(),
    keys: countingKeys(),
    liveness,
    templates: () => '',
    logger: silentLogger,
    alarms: {
      raise: (alarm) => {
        alarms.push(alarm);
        standingAlarms.add(alarm.name);
      },
      clear: (_id, names) => {
        for (const name of names) standingAlarms.delete(name);
      },
    },
    indicatorsOf,
    // Clients learn at once; a test that is about the moment that they are given says so.
    limits: { retireMilliseconds: 0, ...limits },
  });
  lifecycle.engine.start();
  const services = createServices({ store, lifecycle, clock, ids: countingIds('ns'), logger: silentLogger });
  return {
    store,
    clock,
    liveness,
    hosts: simulated,
    lifecycle,
    services,
    alarms,
    standingAlarms,
    converge: () =>
      convergeAll(store, simulated, () => {
        services.engine.lookAtAll();
        lifecycle.engine.lookAtAll();
      }),
    host: (id) => {
      const found = simulated.find(({ hostId }) => hostId === id);
      if (found === undefined) throw new RangeError(`no simulated host ${id}`);
      return found;
    },
  };
}

const MOST_ROUNDS = 200;

/** Turns of orchestrator and hosts until both have nothing left to do. */
export async function convergeAll(
  store: StateStore,
  hosts: readonly SimulatedHost[],
  orchestrate: () => void,
): Promise<void> {
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const before = store.acceptedRevision;
    orchestrate();
    await store.whenDurable();
    const hasMoved = hosts.map((host) => host.step(store)).some(Boolean);
    await store.whenDurable();
    if (!hasMoved && store.acceptedRevision === before) return;
  }
  throw new RangeError(`nothing has come to rest after ${MOST_ROUNDS} rounds`);
}
