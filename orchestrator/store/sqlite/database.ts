import { DatabaseSync } from 'node:sqlite';
import { IotmanoError } from '../../../kernel/index.ts';
import { damaged } from './faults.ts';
import {
  APPLICATION_ID,
  FORMAT_VERSION,
  LAYOUT,
  type ChangeRow,
  type RecordRow,
  type StoreHead,
} from './layout.ts';
import { readChanges, readRecords } from './read-rows.ts';
import { createChangeWriter, inTransaction } from './write-rows.ts';

export interface StateDatabase {
  /** Undefined where the file is new. @throws IotmanoError `store-newer`, `store-failed` */
  readHead(): StoreHead | undefined;
  /** Makes the tables. */
  create(head: StoreHead): void;
  /**
   * All records in order of kind and id, every checksum verified.
   * @param versions kind → newest version that is understood
   * @throws IotmanoError `store-newer`, `store-failed`
   */
  readRecords(head: StoreHead, versions: Readonly<Record<string, number>>): Generator<RecordRow>;
  /** The change log, oldest first, whole commits only. */
  readChanges(head: StoreHead, versions: Readonly<Record<string, number>>): ChangeRow[];
  /** Replaces identity, lease and revision; `forgetChanges` empties the change log. */
  writeHead(head: StoreHead, forgetChanges: boolean): void;
  /** Writes the entries of one or more commits in one transaction; returns the new head. */
  writeChanges(head: StoreHead, rows: readonly ChangeRow[], changeLogLimit: number): StoreHead;
  /** Throws away the connection; with `merge` the write-ahead log is merged into the one file first. */
  close(merge?: boolean): void;
  readonly connection: DatabaseSync;
}

/** Opens the file, for this process alone. @throws what node:sqlite throws; see `explain` */
export function openDatabase(path: string): StateDatabase {
  const db = new DatabaseSync(path, { timeout: 0 });
  try {
    // Before anything is read: then the write-ahead log needs no shared memory, and the file stays ours until closed.
    db.exec('PRAGMA locking_mode = EXCLUSIVE');
    const head = createHeadAccess(db, path);
    return {
      connection: db,
      readHead: head.read,
      create: head.create,
      writeHead: head.write,
      readRecords: (current, versions) => readRecords(db, path, current, versions),
      readChanges: (current, versions) => readChanges(db, path, current, versions),
      writeChanges: createChangeWriter(db),
      close: (merge = false) => {
        if (merge) db.exec('PRAGMA journal_mode = DELETE');
        db.close();
      },
    };
  } catch (error) {
    db.close();
    throw error;
  }
}

function createHeadAccess(db: DatabaseSync, path: string) {
  return {
    read: (): StoreHead | undefined => {
      const format = numberOf(db.prepare('PRAGMA user_version').get());
      const application = numberOf(db.prepare('PRAGMA application_id').get());
      const tables = numberOf(db.prepare('SELECT count(*) FROM sqlite_schema').get());
      if (tables === 0) return undefined;
      if (application !== APPLICATION_ID) throw damaged(path, 'it is not a state store of iotmano');
      if (format > FORMAT_VERSION) {
        throw new IotmanoError(
          'store-newer',
          `the state store ${path} has layout ${format}; this program knows up to ${FORMAT_VERSION}: it was written by a newer iotmano. Start that version, or restore a backup taken before the upgrade`,
        );
      }
      const row = db
        .prepare(
          'SELECT state_id AS stateId, lease_number AS leaseNumber, revision, records, digest, sequence FROM store',
        )
        .get();
      if (row === undefined) throw damaged(path, 'its head is missing');
      return { ...row } as unknown as StoreHead;
    },
    create: (head: StoreHead): void => {
      db.exec('PRAGMA page_size = 8192');
      useWriteAheadLog(db);
      inTransaction(db, () => {
        db.exec(LAYOUT);
        db.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${FORMAT_VERSION}`);
        db.prepare('INSERT INTO store VALUES (1, ?, ?, ?, ?, ?, ?)').run(...headValues(head));
      });
    },
    write: (head: StoreHead, forgetChanges: boolean): void => {
      useWriteAheadLog(db);
      inTransaction(db, () => {
        if (forgetChanges) db.exec('DELETE FROM change');
        db.prepare(
          'UPDATE store SET state_id = ?, lease_number = ?, revision = ?, records = ?, digest = ?, sequence = ?',
        ).run(...headValues(head));
      });
    },
  };
}

function headValues(head: StoreHead): [string, number, number, number, number, number] {
  return [head.stateId, head.leaseNumber, head.revision, head.records, head.digest, head.sequence];
}

function useWriteAheadLog(db: DatabaseSync): void {
  db.exec(`
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA wal_autocheckpoint = 2000;
    PRAGMA journal_size_limit = 67108864;
    PRAGMA cache_size = -16384;
  `);
}

function numberOf(row: Record<string, unknown> | undefined): number {
  return Number(Object.values(row ?? {})[0]);
}
