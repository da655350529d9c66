import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { IotmanoError } from '../../../kernel/index.ts';

const SCHEMA_VERSION = 1;

/**
 * `resource` holds everything but contentInstances; those are in `instance`, apart, so that discovery never walks them.
 * The resource id of a contentInstance is made of its row number, and needs no index.
 * `answer` keeps what was answered to each request that changed something; `outbox` what subscribers are still to be told.
 */
const SCHEMA = `
CREATE TABLE resource (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  ri TEXT NOT NULL UNIQUE,
  path TEXT NOT NULL UNIQUE,
  ty INTEGER NOT NULL,
  parent INTEGER NOT NULL,
  rev INTEGER NOT NULL,
  org TEXT NOT NULL,
  cni INTEGER NOT NULL DEFAULT 0,
  cbs INTEGER NOT NULL DEFAULT 0,
  st INTEGER NOT NULL DEFAULT 0,
  expires INTEGER,
  attributes TEXT NOT NULL
) STRICT;
CREATE INDEX resource_parent ON resource (parent, ty);
CREATE INDEX resource_expires ON resource (expires) WHERE expires IS NOT NULL;
CREATE TABLE instance (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  parent INTEGER NOT NULL,
  rn TEXT,
  size INTEGER NOT NULL,
  expires INTEGER,
  attributes TEXT NOT NULL
) STRICT;
CREATE INDEX instance_parent ON instance (parent);
CREATE UNIQUE INDEX instance_name ON instance (parent, rn) WHERE rn IS NOT NULL;
CREATE INDEX instance_expires ON instance (expires) WHERE expires IS NOT NULL;
CREATE TABLE answer (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  key TEXT NOT NULL UNIQUE,
  body TEXT NOT NULL
) STRICT;
CREATE TABLE outbox (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  queue TEXT NOT NULL,
  event TEXT NOT NULL
) STRICT;
CREATE INDEX outbox_queue ON outbox (queue, id);
`;

/**
 * Opens the database, for this process alone; what a commit returned from is on the disk, power loss included.
 * @throws IotmanoError `store-locked` when another process has it, `store-newer` when a newer version wrote it
 */
export function openDatabase(file: string): DatabaseSync {
  mkdirSync(dirname(file), { recursive: true });
  const database = new DatabaseSync(file);
  try {
    database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
    database.exec(
      'PRAGMA wal_autocheckpoint = 4000; PRAGMA cache_size = -16000; PRAGMA temp_store = MEMORY;',
    );
    prepareSchema(database);
  } catch (error) {
    database.close();
    if (error instanceof IotmanoError) throw error;
    throw new IotmanoError(
      'store-locked',
      `${file} cannot be opened for writing: is another data-storage using it?`,
      {},
      error,
    );
  }
  return database;
}

function prepareSchema(database: DatabaseSync): void {
  const version = Number(database.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0);
  if (version > SCHEMA_VERSION) {
    throw new IotmanoError(
      'store-newer',
      `the stored resources are of schema ${version}, this version knows ${SCHEMA_VERSION}`,
    );
  }
  if (version === 0) {
    database.exec(`BEGIN IMMEDIATE; ${SCHEMA} PRAGMA user_version = ${SCHEMA_VERSION}; COMMIT;`);
  } else {
    // Takes the exclusive lock now rather than at the first request.
    database.exec('BEGIN IMMEDIATE; COMMIT;');
  }
}
