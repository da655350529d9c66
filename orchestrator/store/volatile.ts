import { silentLogger, type StateId } from '../../kernel/index.ts';
import type { Change, StateStore } from './contract.ts';
import { createWriteThroughStore, type PersistenceListener } from './write-through.ts';

export interface VolatileStoreOptions {
  readonly stateId: StateId;
  /** Record changes that `changesSince` reaches back. */
  readonly changeLogLimit?: number;
}

/**
 * A store for simulations: it ends with its process, and keeps nothing twice. A commit becomes durable a microtask later. Documents are
 * taken as they are, neither checked nor frozen.
 */
export function createVolatileStore({ stateId, changeLogLimit = 1_000 }: VolatileStoreOptions): StateStore {
  return createWriteThroughStore({
    stateId,
    leaseNumber: 1,
    initial: { revision: 0, records: [] },
    changes: [],
    changeLogLimit,
    protectDocuments: false,
    logger: silentLogger,
    persistence: forgetful,
    onFatal: () => {},
  });
}

function forgetful(listener: PersistenceListener) {
  let newest = 0;
  let isScheduled = false;
  function settle(): void {
    isScheduled = false;
    listener.durable(newest);
  }
  return {
    write: ({ revision }: Change) => {
      newest = revision;
      if (isScheduled) return;
      isScheduled = true;
      queueMicrotask(settle);
    },
    close: async () => listener.durable(newest),
  };
}
