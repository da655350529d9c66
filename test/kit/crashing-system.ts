import { silentLogger } from '../../kernel/index.ts';
import { createLifecycle, type Lifecycle, type LifecycleLimits } from '../../orchestrator/lifecycle/index.ts';
import { createServices, type Services } from '../../orchestrator/services/index.ts';
import {
  createMemoryStore,
  type MemoryDisk,
  type MemoryStore,
  type StateStore,
} from '../../orchestrator/store/index.ts';
import { createFakeClock, type FakeClock } from './fake-clock.ts';
import { countingIds, countingKeys, createFakeLiveness, type FakeLiveness } from './lifecycle-bench.ts';
import { createSimulatedHost, type SimulatedHost, type SimulatedHostOptions } from './simulated-host.ts';

/** Thrown where a system dies: nothing of it may act after that. */
class Crash extends Error {}

/** Where a run dies: at the n-th point of a kind, counted from when counting begins. */
export interface CrashPoint {
  /** `commit-lost`: accepted, and gone with the process; `commit-durable`: on disk, and nobody was told. */
  readonly kind: 'commit-lost' | 'commit-durable' | 'driver-before' | 'driver-after' | 'none';
  readonly at: number;
}

interface System {
  readonly store: StateStore;
  readonly lifecycle: Lifecycle;
  readonly services: Services;
  stop(): Promise<void>;
}

/**
 * Orchestrator and hosts that can be killed at a point and built anew from what is durable. The worlds of the hosts survive, and
 * their agents die with the orchestrator at driver calls, so that a call is made and not reported, or not made.
 */
export interface CrashingSystem {
  readonly hosts: readonly SimulatedHost[];
  readonly liveness: FakeLiveness;
  readonly clock: FakeClock;
  /** The one that lives now. */
  readonly system: System;
  readonly crashes: number;
  /** From here on points are counted. */
  arm(point: CrashPoint): void;
  /** Rounds until nothing changes any more, over a crash where one is due. */
  converge(): Promise<void>;
  crashNow(): Promise<void>;
  stop(): Promise<void>;
}

const MOST_ROUNDS = 300;

export function createCrashingSystem(
  hostOptions: readonly Omit<SimulatedHostOptions, 'clock' | 'onDriverCall'>[],
  limits: Partial<LifecycleLimits> = {},
): CrashingSystem {
  const clock = createFakeClock();
  const liveness = createFakeLiveness();
  let point: CrashPoint = { kind: 'none', at: 0 };
  let count = 0;
  let isDead = false;
  let boots = 0;
  let crashes = 0;

  const hosts = hostOptions.map((options) =>
    createSimulatedHost({
      ...options,
      clock,
      onDriverCall: (phase) => passPoint(phase === 'before' ? 'driver-before' : 'driver-after'),
    }),
  );

  function passPoint(kind: CrashPoint['kind']): void {
    if (isDead) throw new Crash('dead');
    if (point.kind !== kind) return;
    count += 1;
    if (count !== point.at) return;
    isDead = true;
    throw new Crash(`crash at ${kind} ${count}`);
  }

  function boot(disk: MemoryDisk | undefined): System {
    boots += 1;
    const memory = createMemoryStore(disk === undefined ? {} : { disk });
    const store = mortal(memory);
    const ids = countingIds(`boot${boots}`);
    const lifecycle = createLifecycle({
      store,
      clock,
      ids,
      keys: countingKeys(),
      liveness,
      templates: () => '',
      logger: silentLogger,
      limits: { retireMilliseconds: 0, ...limits },
    });
    const services = createServices({ store, lifecycle, clock, ids, logger: silentLogger });
    lifecycle.engine.start();
    return { store, lifecycle, services, stop: () => lifecycle.engine.stop() };
  }

  /** A store that commits until its system dies, and refuses everything after. */
  function mortal(memory: MemoryStore): StateStore & { readonly disk: MemoryDisk } {
    return new Proxy(memory, {
      get: (target, property) => {
        const value: unknown = Reflect.get(target, property);
        if (property === 'commit')
          return (...args: Parameters<StateStore['commit']>) => {
            if (isDead) throw new Crash('dead');
            const isLost = point.kind === 'commit-lost' && count + 1 === point.at;
            if (isLost) memory.disk.hold();
            const receipt = memory.commit(...args);
            passPoint('commit-lost');
            passPoint('commit-durable');
            return receipt;
          };
        return value;
      },
    });
  }

  let system = boot(undefined);
  for (const host of hosts) host.enrol(system.store);

  async function reboot(): Promise<void> {
    const { disk } = system.store as unknown as { readonly disk: MemoryDisk };
    await system.stop();
    // What was accepted before the lost commit had been written; what is held is gone with the process that held it.
    if (point.kind !== 'commit-lost') await new Promise<void>((resolve) => setImmediate(resolve));
    isDead = false;
    point = { kind: 'none', at: 0 };
    crashes += 1;
    system = boot(disk);
    disk.release();
  }

  async function round(): Promise<boolean> {
    const before = system.store.acceptedRevision;
    let hasMoved = false;
    try {
      system.services.engine.lookAtAll();
      system.lifecycle.engine.lookAtAll();
      await settled();
      for (const host of hosts) hasMoved = host.step(system.store) || hasMoved;
      await settled();
    } catch (error) {
      if (!(error instanceof Crash)) throw error;
    }
    if (isDead) {
      await reboot();
      return true;
    }
    return hasMoved || system.store.acceptedRevision !== before;
  }

  async function settled(): Promise<void> {
    if (!isDead) await new Promise<void>((resolve) => setImmediate(resolve));
    if (isDead) throw new Crash('dead');
  }

  return {
    hosts,
    liveness,
    clock,
    get system() {
      return system;
    },
    get crashes() {
      return crashes;
    },
    arm: (next) => {
      point = next;
      count = 0;
    },
    converge: async () => {
      for (let rounds = 0; rounds < MOST_ROUNDS; rounds += 1) if (!(await round())) return;
      throw new RangeError(`nothing has come to rest after ${MOST_ROUNDS} rounds`);
    },
    crashNow: async () => {
      isDead = true;
      await reboot();
    },
    stop: () => system.stop(),
  };
}
