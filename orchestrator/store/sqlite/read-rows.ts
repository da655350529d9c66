import type { DatabaseSync } from 'node:sqlite';
import { refuseNewer } from '../record-schemas.ts';
import { damaged } from './faults.ts';
import { checksumOf, type ChangeRow, type RecordRow, type StoreHead } from './layout.ts';

/** See `StateDatabase.readRecords`. */
export function* readRecords(
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

/** See `StateDatabase.readChanges`. */
export function readChanges(
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
