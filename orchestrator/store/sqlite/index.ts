/** The store on SQLite: one file, one process, a thread of its own for the disk. */
export { openSqliteStore, type SqliteStore, type SqliteStoreOptions } from './open.ts';
export { restoreFrom, type RestoreOptions } from './restore.ts';
