import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { IotmanoError } from '../../../kernel/index.ts';
import { checksumOf, type ChangeRow, type StoreHead } from './layout.ts';

/** All of the work or none. */
export function inTransaction<Result>(db: DatabaseSync, work: () => Result): Result {
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

/** See `StateDatabase.writeChanges`. Statements are prepared at the first use: the tables have to be there. */
export function createChangeWriter(
  db: DatabaseSync,
): (head: StoreHead, rows: readonly ChangeRow[], changeLogLimit: number) => StoreHead {
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
