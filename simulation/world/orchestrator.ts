import { silentLogger, uuidV5, IOTMANO_NAMESPACE, type IdSource, type StateId } from '../../kernel/index.ts';
import {
  createInventory,
  createLeases,
  type Inventory,
  type Leases,
} from '../../orchestrator/inventory/index.ts';
import {
  createLifecycle,
  type InventoryIndex,
  type KeySource,
  type Lifecycle,
} from '../../orchestrator/lifecycle/index.ts';
import { createServices, type Services } from '../../orchestrator/services/index.ts';
import { createVolatileStore, type StateStore } from '../../orchestrator/store/index.ts';
import type { Power } from './power.ts';
import type { Timeline } from './timeline.ts';

/** The orchestrator's own rooms, over a store in memory and virtual time. */
export interface Orchestrator {
  readonly store: StateStore;
  readonly inventory: Inventory;
  readonly lifecycle: Lifecycle;
  readonly services: Services;
  start(): void;
  stop(): Promise<void>;
}

export interface OrchestratorOptions {
  readonly timeline: Timeline;
  readonly power: Power;
  readonly lookEveryMilliseconds: number;
  readonly aroundInventory: (inventory: InventoryIndex) => InventoryIndex;
}

export function createOrchestrator(options: OrchestratorOptions): Orchestrator {
  const { timeline, power, lookEveryMilliseconds, aroundInventory } = options;
  const ids = countedIds();
  const store = createVolatileStore({ stateId: ids.uuid() as StateId });
  const inventory = createInventory({
    store,
    clock: timeline,
    ids,
    random: (size) => Buffer.alloc(size),
    log: silentLogger,
    leases: createHeardLeases(store, timeline, power),
    judgeEveryMilliseconds: lookEveryMilliseconds,
  });
  const lifecycle = createLifecycle({
    store,
    clock: timeline,
    ids,
    keys: countedKeys(),
    liveness: inventory,
    templates: () => '',
    logger: silentLogger,
    limits: { tickMilliseconds: lookEveryMilliseconds },
    aroundInventory,
  });
  const services = createServices({
    store,
    lifecycle,
    clock: timeline,
    ids,
    logger: silentLogger,
    tickMilliseconds: lookEveryMilliseconds,
  });
  const stopping = new AbortController();
  let running: Promise<void> | undefined;
  return {
    store,
    inventory,
    lifecycle,
    services,
    start: () => {
      lifecycle.engine.start();
      services.engine.start();
      running = inventory.run(stopping.signal);
    },
    stop: async () => {
      stopping.abort();
      await services.engine.stop();
      await lifecycle.engine.stop();
      await running;
      await store.close();
    },
  };
}

/** Of a host that is up, every heartbeat comes in time: its lease is renewed without any being sent. The others are left to real leases. */
function createHeardLeases(store: StateStore, timeline: Timeline, power: Power): Leases {
  const leases = createLeases(store, timeline);
  power.listen({
    // The last heartbeat that was heard.
    down: (hostId) => leases.renew(hostId),
    up: () => {},
  });
  return {
    ...leases,
    silentForMilliseconds: (hostId) => (power.isUp(hostId) ? 0 : leases.silentForMilliseconds(hostId)),
    hasLapsed: (hostId) => !power.isUp(hostId) && leases.hasLapsed(hostId),
  };
}

/** Ids that are the same each time. */
function countedIds(): IdSource {
  let count = 0;
  return { uuid: () => uuidV5(IOTMANO_NAMESPACE, `simulation ${(count += 1)}`) };
}

/** Nobody proves anything to anybody in a simulation. */
function countedKeys(): KeySource {
  let count = 0;
  return { ed25519: () => ({ seed: `seed-${(count += 1)}`, publicKey: `public-${count}` }) };
}
