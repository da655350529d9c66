import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { IotmanoError } from '../../../kernel/index.ts';
import { explain, isBusy } from './faults.ts';

/** How often, and how many times, to look again: a process that was just killed takes a moment to go. */
const RETRY_MILLISECONDS = 50;

/**
 * Takes the directory for this process until `release`, or until the process ends in whatever way: the kernel
 * drops the lock then. Blocks the thread while it waits.
 * @throws IotmanoError `store-locked`
 */
export function takeLock(directory: string, waitMilliseconds: number): { release(): void } {
  const path = join(directory, 'state.lock');
  const sleeper = new Int32Array(new SharedArrayBuffer(4));
  for (let waited = 0; ; waited += RETRY_MILLISECONDS) {
    const db = new DatabaseSync(path, { timeout: 0 });
    try {
      db.exec('BEGIN EXCLUSIVE');
      return { release: () => db.close() };
    } catch (error) {
      db.close();
      if (!isBusy(error)) throw explain(path, error);
      if (waited >= waitMilliseconds) throw locked(directory);
      Atomics.wait(sleeper, 0, 0, RETRY_MILLISECONDS);
    }
  }
}

function locked(directory: string): IotmanoError {
  return new IotmanoError(
    'store-locked',
    `another process uses the state store in ${directory}: stop it first, or give this one a directory of its own`,
    { directory },
  );
}
