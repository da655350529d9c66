/** The state store: accepted state in memory, written through to a disk; `sqlite/` for life, memory for tests. */
export type {
  Change,
  CommitReceipt,
  Revision,
  StateStore,
  StateView,
  StoredRecord,
  Write,
} from './contract.ts';
export { createMemoryStore, type MemoryStore, type MemoryStoreOptions } from './memory.ts';
export type { MemoryDisk } from './memory-disk.ts';
export { RECORD_SCHEMAS, type RecordSchema, type RecordSchemas } from './record-schemas.ts';
export {
  openSqliteStore,
  restoreFrom,
  type RestoreOptions,
  type SqliteStore,
  type SqliteStoreOptions,
} from './sqlite/index.ts';
