import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { IotmanoError } from '../../kernel/index.ts';

export interface DataDirectoryLock {
  release(): void;
}

/**
 * Lets one agent at a time use the data directory. The kernel drops the lock with the process, however that ends,
 * and functions that outlive the agent do not inherit it: SQLite's exclusive lock is a POSIX record lock, which Node itself does not offer.
 * @param name of the lock; the one of a running agent where it is left out
 * @throws IotmanoError `store-locked`
 */
export function lockDataDirectory(dataDirectory: string, name = 'agent.lock'): DataDirectoryLock {
  const path = join(dataDirectory, name);
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { timeout: 0 });
    database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
  } catch (error) {
    database?.close();
    throw new IotmanoError(
      'store-locked',
      `another agent runs on the data directory ${dataDirectory} (lock file ${path}); stop it, or give this one a directory of its own with --data`,
      { dataDirectory },
      error,
    );
  }
  const held = database;
  return { release: () => held.close() };
}
