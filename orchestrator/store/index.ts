/** The state store: accepted state in memory, written through to a disk; `sqlite/` for life, memory for tests and simulations. */
export type { Change, Revision, StateStore, StateView, StoredRecord, Write } from './contract.ts';
export { appliedRevisionOf } from './applied-revision.ts';
export { createMemoryStore, type MemoryStore } from './memory.ts';
export { createVolatileStore } from './volatile.ts';
export type { MemoryDisk } from './memory-disk.ts';
export { openSqliteStore, restoreFrom, type SqliteStore, type SqliteStoreOptions } from './sqlite/index.ts';
