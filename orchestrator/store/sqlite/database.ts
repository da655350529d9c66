import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { crc32 } from 'node:zlib';
import { IotmanoError, messageOf } from '../../../kernel/index.ts';
import { refuseNewer } from '../record-schemas.ts';

/** Layout of the tables; a newer one is refused. */
const FORMAT_VERSION = 1;
/** "iotm": tells our files from other SQLite files. */
const APPLICATION_ID = 0x696f746d;

const LAYOUT = `
  CREATE TABLE store (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    state_id TEXT NOT NULL, lease_number INTEGER NOT NULL, revision INTEGER NOT NULL,
    records INTEGER NOT NULL, digest INTEGER NOT NULL, sequence INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE record (
    kind TEXT NOT NULL, id TEXT NOT NULL, tenant TEXT NOT NULL, revision INTEGER NOT NULL,
    schema_version INTEGER NOT NULL, document TEXT NOT NULL, checksum INTEGER NOT NULL,
    PRIMARY KEY (kind, id)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE change (
    sequence INTEGER PRIMARY KEY, revision INTEGER NOT NULL, entries INTEGER NOT NULL,
    kind TEXT NOT NULL, id TEXT NOT NULL, tenant TEXT NOT NULL,
    schema_version INTEGER NOT NULL, document TEXT, checksum INTEGER NOT NULL
  ) STRICT;
`;

/** One record: kind, id, tenant, revision, schemaVersion, document as JSON. */
export type RecordRow = readonly [string, string, string, number, number, string];
/** One entry of a commit: number of entries in it, then as a record; a deletion has no document. */
export type ChangeRow = readonly [number, string, string, string, number, number, string | null];

/** The one row of the table `store`. */
export interface StoreHead {
  readonly stateId: string;
  readonly leaseNumber: number;
  /** The newest durable one. */
  readonly revision: number;
  /** How many records there are, and the exclusive or of their checksums: a lost or foreign row shows itself. */
  readonly records: number;
  readonly digest: number;
  /** Of the newest entry in the change log. */
  readonly sequence: number;
}

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

function inTransaction<Result>(db: DatabaseSync, work: () => Result): Result {
  db.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    db.exec('COMMIT');
    return result;
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
}

function* readRecords(
  db: DatabaseSync,
  path: string,
  head: StoreHead,
  versions: Readonly<Record<string, number>>,
): Generator<RecordRow> {
  const statement = db.prepare(
    'SELECT kind, id, tenant, revision, schema_version, document, checksum FROM record ORDER BY kind, id',
  );
  statement.setReturnArrays(true);
  let count = 0;
  let digest = 0;
  for (const row of statement.iterate() as unknown as Iterable<[...RecordRow, number]>) {
    const [kind, id, tenant, revision, schemaVersion, document, checksum] = row;
    refuseNewer(versions, kind, schemaVersion, path);
    if (checksumOf(kind, id, tenant, revision, schemaVersion, document) !== checksum) {
      throw damaged(path, `${kind} ${id} differs from its checksum`);
    }
    count += 1;
    digest ^= checksum;
    yield [kind, id, tenant, revision, schemaVersion, document];
  }
  if (count !== head.records || digest >>> 0 !== head.digest) {
    throw damaged(
      path,
      `it holds ${count} records where ${head.records} are expected, or others than were written`,
    );
  }
}

function readChanges(
  db: DatabaseSync,
  path: string,
  head: StoreHead,
  versions: Readonly<Record<string, number>>,
): ChangeRow[] {
  const statement = db.prepare(
    'SELECT entries, kind, id, tenant, revision, schema_version, document, checksum FROM change ORDER BY sequence',
  );
  statement.setReturnArrays(true);
  const rows = (statement.all() as unknown as [...ChangeRow, number][]).map((row): ChangeRow => {
    const [entries, kind, id, tenant, revision, schemaVersion, document, checksum] = row;
    refuseNewer(versions, kind, schemaVersion, path);
    if (checksumOf(kind, id, tenant, revision, schemaVersion, document ?? '') !== checksum) {
      throw damaged(path, `change ${revision} differs from its checksum`);
    }
    return [entries, kind, id, tenant, revision, schemaVersion, document];
  });
  if (rows.some((row) => row[4] > head.revision)) throw damaged(path, 'its change log is ahead of its head');
  return withoutCutCommit(rows);
}

/** The bounded log may have been cut within its oldest commit. */
function withoutCutCommit(rows: ChangeRow[]): ChangeRow[] {
  const [oldest] = rows;
  if (oldest === undefined) return rows;
  const [entries, , , , revision] = oldest;
  const present = rows.findIndex((row) => row[4] !== revision);
  const length = present === -1 ? rows.length : present;
  return length === entries ? rows : rows.slice(length);
}

function createChangeWriter(db: DatabaseSync): StateDatabase['writeChanges'] {
  let statements: Record<'known' | 'put' | 'remove' | 'log' | 'trim' | 'head', StatementSync> | undefined;
  let trimmedTo = 0;

  function prepare() {
    const known = db.prepare('SELECT checksum FROM record WHERE kind = ? AND id = ?');
    known.setReturnArrays(true);
    return {
      known,
      put: db.prepare('INSERT OR REPLACE INTO record VALUES (?, ?, ?, ?, ?, ?, ?)'),
      remove: db.prepare('DELETE FROM record WHERE kind = ? AND id = ?'),
      log: db.prepare('INSERT INTO change VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)'),
      trim: db.prepare('DELETE FROM change WHERE sequence <= ?'),
      head: db.prepare(
        'UPDATE store SET revision = ?, records = ?, digest = ?, sequence = ? WHERE lease_number = ?',
      ),
    };
  }

  return (head, rows, changeLogLimit) =>
    inTransaction(db, () => {
      const run = (statements ??= prepare());
      let { revision, records, digest, sequence } = head;
      for (const [entries, kind, id, tenant, rowRevision, schemaVersion, document] of rows) {
        const checksum = checksumOf(kind, id, tenant, rowRevision, schemaVersion, document ?? '');
        const before = run.known.get(kind, id) as unknown as [number] | undefined;
        if (before !== undefined) {
          digest ^= before[0];
          records -= 1;
        }
        if (document === null) run.remove.run(kind, id);
        else {
          run.put.run(kind, id, tenant, rowRevision, schemaVersion, document, checksum);
          digest ^= checksum;
          records += 1;
        }
        sequence += 1;
        revision = rowRevision;
        run.log.run(sequence, rowRevision, entries, kind, id, tenant, schemaVersion, document, checksum);
      }
      digest >>>= 0;
      if (run.head.run(revision, records, digest, sequence, head.leaseNumber).changes !== 1) {
        throw new IotmanoError('stale-lease', `another leader holds the lease; ours was ${head.leaseNumber}`);
      }
      // Some at a time: cutting one entry for each that is added would write twice as much.
      const excess = sequence - trimmedTo - changeLogLimit;
      if (excess > changeLogLimit / 4) {
        trimmedTo = sequence - changeLogLimit;
        run.trim.run(trimmedTo);
      }
      return { ...head, revision, records, digest, sequence };
    });
}

function checksumOf(
  kind: string,
  id: string,
  tenant: string,
  revision: number,
  schemaVersion: number,
  document: string,
): number {
  return crc32(`${kind}\0${id}\0${tenant}\0${revision}\0${schemaVersion}\0${document}`);
}

function numberOf(row: Record<string, unknown> | undefined): number {
  return Number(Object.values(row ?? {})[0]);
}

/** What to say of a store whose content is not what was written. */
export function damaged(path: string, finding: string, cause?: unknown): IotmanoError {
  return new IotmanoError(
    'store-failed',
    `the state store ${path} is damaged: ${finding}. Nothing was changed. Restore the newest backup; hosts keep running what they run meanwhile`,
    { path, damaged: true },
    cause,
  );
}

const SQLITE_BUSY = 5;
const DAMAGE_CODES: ReadonlySet<number> = new Set([
  11 /* SQLITE_CORRUPT */, 26 /* SQLITE_NOTADB */, 24 /* SQLITE_FORMAT */,
]);

/** SQLite's primary result code of an error; undefined for other errors. */
function resultCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error)) return undefined;
  return Number(error.errcode) & 0xff;
}

export function isBusy(error: unknown): boolean {
  return resultCode(error) === SQLITE_BUSY;
}

/** Whatever opening or reading threw, in words for an operator. */
export function explain(path: string, error: unknown): IotmanoError {
  if (error instanceof IotmanoError) return error;
  const code = resultCode(error);
  if (code !== undefined && DAMAGE_CODES.has(code)) return damaged(path, messageOf(error), error);
  return new IotmanoError(
    'store-failed',
    `the state store ${path} cannot be opened: ${messageOf(error)}`,
    { path },
    error,
  );
}
