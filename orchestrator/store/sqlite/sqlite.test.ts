import {
  chmodSync,
  copyFileSync,
  cpSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, describe, expect, it } from 'vitest';
import { IotmanoError, randomIds } from '../../../kernel/index.ts';
import { commitAll, idsOf, put, session } from '../testkit/records.ts';
import { describeStore } from '../conformance.ts';
import { RECORD_SCHEMAS } from '../record-schemas.ts';
import { openSqliteStore, restoreFrom, type SqliteStore, type SqliteStoreOptions } from './index.ts';

function failOnFatal(error: IotmanoError): void {
  throw error;
}

function newDirectory(): string {
  return mkdtempSync(join(tmpdir(), 'iotmano-store-'));
}

function open(directory: string, options: Partial<SqliteStoreOptions> = {}): Promise<SqliteStore> {
  return openSqliteStore({
    directory,
    ids: randomIds,
    onFatal: failOnFatal,
    lockWaitMilliseconds: 0,
    protectDocuments: true,
    ...options,
  });
}

describeStore('sqlite', async () => {
  const directory = newDirectory();
  const opened: SqliteStore[] = [];
  return {
    open: async (options) => {
      const store = await open(directory, options);
      opened.push(store);
      return store;
    },
    remove: async () => {
      for (const store of opened) await store.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
});

describe('a directory of the sqlite store', () => {
  const directories: string[] = [];

  function freshDirectory(): string {
    const directory = newDirectory();
    directories.push(directory);
    return directory;
  }

  /** A store with one record `a`, closed. */
  async function written(): Promise<{ directory: string; database: string; stateId: string }> {
    const directory = freshDirectory();
    const store = await open(directory);
    await commitAll(store, [[put('a', 1)]]);
    await store.close();
    return { directory, database: join(directory, 'state.db'), stateId: store.stateId };
  }

  async function refusal(opening: Promise<unknown>): Promise<IotmanoError> {
    const error = await opening.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(IotmanoError);
    return error as IotmanoError;
  }

  afterEach(() => {
    for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
  });

  it('is for one store at a time', async () => {
    const directory = freshDirectory();
    const first = await open(directory);
    const error = await refusal(open(directory));
    expect(error.code).toBe('store-locked');
    expect(error.message).toContain(directory);
    expect(first.commit([put('a', 1)]).revision).toBe(1);
    await first.close();
    const second = await open(directory);
    expect(second.leaseNumber).toBe(2);
    await second.close();
  });

  it('lets nobody but its owner read the state, whatever the directory allows', async () => {
    const directory = freshDirectory();
    chmodSync(directory, 0o755);
    const store = await open(directory);
    await commitAll(store, [[put('a', 1)]]);
    const modes = ['state.db', 'state.db-wal'].map((file) => statSync(join(directory, file)).mode & 0o777);
    expect(modes).toEqual([0o600, 0o600]);
    await store.close();
  });

  it('reads documents of an older version through upcasters, one version at a time', async () => {
    const { directory } = await written();
    const upcasters = {
      1: (document: unknown) => ({ ...(document as object), bootId: 'from 1' }),
      2: (document: unknown) => ({
        ...(document as object),
        bootId: `${(document as { bootId: string }).bootId} to 3`,
      }),
    };
    const schemas = { ...RECORD_SCHEMAS, session: { version: 3, upcasters } };
    const store = await open(directory, { schemas });
    expect(store.get('session', 'a')?.document).toEqual({ ...session(1), bootId: 'from 1 to 3' });
    expect(store.changesSince(0)).toMatchObject([
      { entries: [{ record: { document: { bootId: 'from 1 to 3' } } }] },
    ]);
    await commitAll(store, [[put('b', 2)]]);
    await store.close();
    const again = await open(directory, { schemas });
    expect(again.get('session', 'b')?.document).toEqual(session(2));
    await again.close();
    const older = await refusal(open(directory));
    expect(older.code).toBe('store-newer');
    expect(older.message).toContain('session of version 3');
  });

  it('refuses a layout of a newer program, and a kind that it does not know, and changes nothing then', async () => {
    const { directory, database } = await written();
    const { session: _, ...others } = RECORD_SCHEMAS;
    const before = readFileSync(database);
    const unknownKind = await refusal(open(directory, { schemas: others as typeof RECORD_SCHEMAS }));
    expect(unknownKind.code).toBe('store-newer');
    expect(unknownKind.message).toContain('unknown kind session');
    expect(readFileSync(database).equals(before)).toBe(true);
    const db = new DatabaseSync(database);
    db.exec('PRAGMA user_version = 99');
    db.close();
    expect((await refusal(open(directory))).code).toBe('store-newer');
  });

  it('tells damage of any byte in the middle of a record, and damage of the file', async () => {
    const { directory, database } = await written();
    const intact = readFileSync(database);
    const at = intact.indexOf('boot-1');
    expect(at).toBeGreaterThan(0);
    for (const damage of [
      () => writeFileSync(database, intact.toString('latin1').replaceAll('boot-1', 'boot-2'), 'latin1'),
      () => writeFileSync(database, 'this is not a database at all, and long enough to be looked at'),
      () => truncateSync(database, 8192),
      () => truncateSync(database, 0),
    ]) {
      writeFileSync(database, intact);
      damage();
      const error = await refusal(open(directory));
      expect(error.code).toBe('store-failed');
      expect(error.context['damaged']).toBe(true);
      expect(error.message).toContain('Restore the newest backup');
    }
    writeFileSync(database, intact);
    const store = await open(directory);
    expect(idsOf(store)).toEqual(['a']);
    await store.close();
  });

  it('tells a record that was removed behind its back', async () => {
    const { directory, database } = await written();
    const db = new DatabaseSync(database);
    db.exec("DELETE FROM record WHERE id = 'a'");
    db.close();
    expect((await refusal(open(directory))).context['damaged']).toBe(true);
  });

  it('keeps its stateId from one opening to the next', async () => {
    const { directory, stateId } = await written();
    const store = await open(directory);
    expect(store.stateId).toBe(stateId);
    await store.close();
  });

  // MCO-C-050
  it('mints a new stateId when an older copy of the database was put in its place, and goes on above what was seen', async () => {
    const { directory, database, stateId } = await written();
    copyFileSync(database, `${database}.copy`);
    const store = await open(directory);
    await commitAll(store, [[put('b', 1)], [put('c', 1)]]);
    await store.close();
    copyFileSync(`${database}.copy`, database);
    const back = await open(directory);
    expect(back.stateId).not.toBe(stateId);
    expect(idsOf(back)).toEqual(['a']);
    expect(back.acceptedRevision).toBe(3);
    expect(back.leaseNumber).toBeGreaterThan(store.leaseNumber);
    expect(back.changesSince(2)).toBe('too-old');
    expect(back.commit([put('d', 1)]).revision).toBe(4);
    await back.close();
    const again = await open(directory);
    expect(again.stateId).toBe(back.stateId);
    await again.close();
  });

  // MCO-C-050
  it('mints a new stateId when the database was copied to another directory, or removed', async () => {
    const { directory, database, stateId } = await written();
    const other = freshDirectory();
    copyFileSync(database, join(other, 'state.db'));
    const copied = await open(other);
    expect(copied.stateId).not.toBe(stateId);
    expect(idsOf(copied)).toEqual(['a']);
    await copied.close();
    rmSync(database);
    const reset = await open(directory);
    expect(reset.stateId).not.toBe(stateId);
    expect(idsOf(reset)).toEqual([]);
    expect([reset.leaseNumber, reset.acceptedRevision]).toEqual([2, 1]);
    await reset.close();
  });

  // MCO-C-050
  it('mints a new stateId when the whole directory was put back from an older copy, and keeps it when the directory was renamed', async () => {
    const { directory, stateId } = await written();
    const copy = join(freshDirectory(), 'copy');
    cpSync(directory, copy, { recursive: true, preserveTimestamps: true });
    const store = await open(directory);
    expect(store.stateId).toBe(stateId);
    await commitAll(store, [[put('b', 1)]]);
    await store.close();
    const aside = join(freshDirectory(), 'aside');
    renameSync(directory, aside);
    cpSync(copy, directory, { recursive: true, preserveTimestamps: true });
    const back = await open(directory);
    expect([idsOf(back), back.stateId === stateId]).toEqual([['a'], false]);
    await back.close();
    const renamed = await open(aside);
    expect([idsOf(renamed), renamed.stateId === stateId]).toEqual([['a', 'b'], true]);
    await renamed.close();
  });

  it('backs up consistently while commits go on', async () => {
    const directory = freshDirectory();
    const backup = join(freshDirectory(), 'backup.db');
    const store = await open(directory);
    await commitAll(
      store,
      Array.from({ length: 50 }, (_, at) => [put(`x-${at}`, 0), put(`y-${at}`, 0)]),
    );
    const progress = { isDone: false };
    const making = store.backupTo(backup).then(() => {
      progress.isDone = true;
    });
    let value = 0;
    while (!progress.isDone) {
      value += 1;
      await store.commit([put('x-0', value), put('y-0', value)]).durable;
    }
    await making;
    const target = freshDirectory();
    const { stateId } = restoreFrom(backup, target, { ids: randomIds });
    const restored = await open(target);
    expect(restored.stateId).toBe(stateId);
    expect(restored.stateId).not.toBe(store.stateId);
    expect(restored.count('session')).toBe(100);
    expect(restored.get('session', 'x-0')?.document).toEqual(restored.get('session', 'y-0')?.document);
    expect(restored.leaseNumber).toBeGreaterThan(store.leaseNumber);
    await restored.close();
    await store.close();
  });

  // MCO-C-050
  it('restores over a store that has gone on, above the revisions that hosts have seen', async () => {
    const directory = freshDirectory();
    const backup = join(freshDirectory(), 'backup.db');
    const store = await open(directory);
    await commitAll(store, [[put('a', 1)]]);
    await store.backupTo(backup);
    await commitAll(store, [[put('b', 1)], [put('c', 1)]]);
    expect(() => restoreFrom(backup, directory, { ids: randomIds })).toThrow(/another process/);
    await store.close();
    expect(restoreFrom(backup, directory, { ids: randomIds }).revision).toBe(3);
    const restored = await open(directory);
    expect(restored.stateId).not.toBe(store.stateId);
    expect(idsOf(restored)).toEqual(['a']);
    expect(restored.leaseNumber).toBeGreaterThan(store.leaseNumber);
    await restored.close();
  });

  it('refuses a damaged backup and leaves the store as it was', async () => {
    const { directory, stateId } = await written();
    const backup = join(freshDirectory(), 'backup.db');
    writeFileSync(backup, 'no backup');
    expect(() => restoreFrom(backup, directory, { ids: randomIds })).toThrow(/damaged/);
    expect(() => restoreFrom(`${backup}.absent`, directory, { ids: randomIds })).toThrow(
      /there is no backup/,
    );
    const store = await open(directory);
    expect([store.stateId, idsOf(store)]).toEqual([stateId, ['a']]);
    await store.close();
  });

  it('finishes a backup before it closes, and makes one backup to a file at a time', async () => {
    const directory = freshDirectory();
    const backup = join(freshDirectory(), 'backup.db');
    const store = await open(directory);
    await commitAll(store, [[put('a', 1)]]);
    const making = store.backupTo(backup);
    const refused = refusal(store.backupTo(backup));
    await making;
    expect((await refused).code).toBe('unavailable');
    const last = store.backupTo(backup);
    await Promise.resolve();
    await Promise.all([last, store.close()]);
    expect((await refusal(store.backupTo(backup))).code).toBe('unavailable');
    expect(restoreFrom(backup, freshDirectory(), { ids: randomIds }).revision).toBe(1);
  });

  it('goes on when a backup cannot be written', async () => {
    const directory = freshDirectory();
    const store = await open(directory);
    const error = await refusal(store.backupTo(join(directory, 'absent', 'backup.db')));
    expect(error.code).toBe('unavailable');
    await commitAll(store, [[put('a', 1)]]);
    await store.close();
  });
});
