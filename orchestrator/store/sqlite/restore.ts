import { chmodSync, copyFileSync, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { IdSource, StateId } from '../../../kernel/index.ts';
import { IotmanoError } from '../../../kernel/index.ts';
import { RECORD_SCHEMAS, versionsOf, type RecordSchemas } from '../record-schemas.ts';
import { openDatabase } from './database.ts';
import { damaged, explain } from './faults.ts';
import type { StoreHead } from './layout.ts';
import { takeLock } from './lock.ts';
import { readMarker, writeMarker } from './marker.ts';
import { syncPath } from './sync-path.ts';

export interface RestoreOptions {
  /** Mints the new stateId. */
  readonly ids: IdSource;
  readonly schemas?: RecordSchemas;
}

/**
 * Puts a backup in the place of the store in a directory, under a new stateId: agents then wait for an operator.
 * The whole backup is verified first. What was there stays beside it as `state.db.replaced`. Blocks the thread.
 * @throws IotmanoError `store-locked` while a process uses the directory, `store-newer`, `store-failed`; then the store is as it was
 */
export function restoreFrom(
  backup: string,
  directory: string,
  options: RestoreOptions,
): { readonly stateId: StateId; readonly revision: number } {
  const target = resolve(directory);
  if (!existsSync(backup)) throw new IotmanoError('not-found', `there is no backup ${backup}`);
  mkdirSync(target, { recursive: true, mode: 0o700 });
  const lock = takeLock(target, 0);
  try {
    const head = prepare(backup, target, options);
    exchange(target);
    writeMarker(target, head);
    return { stateId: head.stateId as StateId, revision: head.revision };
  } finally {
    lock.release();
  }
}

/** A verified copy with its new identity, ahead of everything that hosts may have seen from this directory. */
function prepare(
  backup: string,
  target: string,
  { ids, schemas = RECORD_SCHEMAS }: RestoreOptions,
): StoreHead {
  const copy = join(target, 'state.db.restored');
  rmSync(copy, { force: true });
  copyFileSync(backup, copy);
  chmodSync(copy, 0o600);
  try {
    const database = openDatabase(copy);
    try {
      const found = database.readHead();
      if (found === undefined) throw damaged(backup, 'it is empty');
      const versions = versionsOf(schemas);
      for (const _ of database.readRecords(found, versions));
      database.readChanges(found, versions);
      const marker = readMarker(target);
      const head = {
        ...found,
        stateId: ids.uuid(),
        leaseNumber: Math.max(found.leaseNumber, marker?.leaseNumber ?? 0),
        revision: Math.max(found.revision, marker?.revision ?? 0),
      };
      database.writeHead(head, true);
      database.close(true);
      return head;
    } catch (error) {
      if (database.connection.isOpen) database.close();
      throw error;
    }
  } catch (error) {
    for (const suffix of ['', '-wal', '-journal']) rmSync(`${copy}${suffix}`, { force: true });
    throw explain(backup, error);
  }
}

function exchange(target: string): void {
  const current = join(target, 'state.db');
  syncPath(join(target, 'state.db.restored'));
  // The log first: without it the old file is merely older, with a foreign one the new file would be damaged.
  rmSync(`${current}.replaced`, { force: true });
  rmSync(`${current}.replaced-wal`, { force: true });
  if (existsSync(`${current}-wal`)) renameSync(`${current}-wal`, `${current}.replaced-wal`);
  if (existsSync(current)) renameSync(current, `${current}.replaced`);
  renameSync(join(target, 'state.db.restored'), current);
  syncPath(target);
}
