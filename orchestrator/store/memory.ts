import {
  type IotmanoError,
  randomIds,
  silentLogger,
  type IdSource,
  type Logger,
  type StateId,
} from '../../kernel/index.ts';
import { createMemoryDisk, type MemoryDisk } from './memory-disk.ts';
import type { StateStore } from './contract.ts';
import { createWriteThroughStore, extendStore } from './write-through.ts';

export interface MemoryStoreOptions {
  /** Mints the stateId of a new disk. */
  readonly ids?: IdSource;
  /** Of a new disk. */
  readonly stateId?: StateId;
  /** Of the first store on a new disk; each further one opened on it has one more. */
  readonly leaseNumber?: number;
  /** Record changes that `changesSince` reaches back. */
  readonly changeLogLimit?: number;
  /** A disk that earlier stores have written: what was durable there is here. */
  readonly disk?: MemoryDisk;
  readonly logger?: Logger;
  /** Called when a write failed; by default nothing happens, and nothing is ever durable again. */
  readonly onFatal?: (error: IotmanoError) => void;
}

export interface MemoryStore extends StateStore {
  /** The switches of a test, and what survives a crash. */
  readonly disk: MemoryDisk;
}

/**
 * A store for tests. Documents are frozen and have to be plain JSON. Commits become durable a microtask later, or when the
 * disk is told so. To crash: open another store on the same disk; the earlier one is deposed, and what was not durable is lost.
 */
export function createMemoryStore(options: MemoryStoreOptions = {}): MemoryStore {
  const disk =
    options.disk ??
    createMemoryDisk({
      stateId: options.stateId ?? ((options.ids ?? randomIds).uuid() as StateId),
      leaseNumber: (options.leaseNumber ?? 1) - 1,
    });
  const session = disk.open();
  const store = createWriteThroughStore({
    stateId: disk.stateId,
    leaseNumber: session.leaseNumber,
    initial: { revision: disk.revision, records: session.records },
    changes: session.changes,
    changeLogLimit: options.changeLogLimit ?? 10_000,
    protectDocuments: true,
    logger: options.logger ?? silentLogger,
    persistence: session.persistence,
    onFatal: options.onFatal ?? (() => {}),
    isDeposed: () => disk.leaseNumber !== session.leaseNumber,
  });
  return extendStore(store, { disk });
}
