import { closeSync, openSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { backup } from 'node:sqlite';
import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import { IotmanoError, messageOf } from '../../../kernel/index.ts';
import { openDatabase } from './database.ts';
import { explain } from './faults.ts';
import type { ChangeRow } from './layout.ts';
import { writeMarker } from './marker.ts';
import type { FromWorker, ToWorker, WorkerSettings } from './protocol.ts';
import { syncPath } from './sync-path.ts';
import { takeOverDirectory, type OwnedDirectory } from './take-over.ts';

/** How far the marker may lag behind. */
const MARKER_MILLISECONDS = 1000;
/** Pages copied at a time by a backup, so that commits get their turn in between. */
const BACKUP_PAGES = 128;

interface OpenState extends OwnedDirectory {
  head: OwnedDirectory['head'];
  /** A failed write is the last. */
  hasFailed: boolean;
  markerTimer?: NodeJS.Timeout;
}

function send(message: FromWorker): void {
  parentPort?.postMessage(message, []);
}

function write(state: OpenState, rows: readonly ChangeRow[], settings: WorkerSettings): void {
  state.head = state.database.writeChanges(state.head, rows, settings.changeLogLimit);
  send({ type: 'durable', revision: state.head.revision });
  state.markerTimer ??= setTimeout(() => {
    delete state.markerTimer;
    attempt(state, settings.directory, () => writeMarker(settings.directory, state.head));
  }, MARKER_MILLISECONDS);
}

/** What fails on the disk ends the store: later writes could otherwise be acknowledged without the earlier ones. */
function attempt(state: OpenState, where: string, work: () => void): void {
  if (state.hasFailed) return;
  try {
    work();
  } catch (error) {
    state.hasFailed = true;
    const code = error instanceof IotmanoError ? error.code : 'store-failed';
    send({ type: 'failed', code, message: messageOf(error), context: { where } });
  }
}

async function makeBackup(state: OpenState, path: string): Promise<void> {
  const partial = `${path}.partial`;
  try {
    rmSync(partial, { force: true });
    closeSync(openSync(partial, 'wx', 0o600));
    await backup(state.database.connection, partial, { rate: BACKUP_PAGES });
    openDatabase(partial).close(true);
    syncPath(partial);
    renameSync(partial, path);
    syncPath(dirname(path));
    send({ type: 'backedUp', path });
  } catch (error) {
    rmSync(partial, { force: true });
    send({ type: 'backedUp', path, problem: messageOf(error) });
  }
}

function close(state: OpenState, settings: WorkerSettings): void {
  clearTimeout(state.markerTimer);
  attempt(state, settings.directory, () => writeMarker(settings.directory, state.head));
  attempt(state, settings.directory, () => state.database.close());
  state.lock.release();
  send({ type: 'closed' });
  parentPort?.close();
}

function run(settings: WorkerSettings): void {
  let state: OpenState;
  try {
    state = { ...takeOverDirectory(settings, send), hasFailed: false };
  } catch (error) {
    const { code, message, context } = explain(settings.directory, error);
    send({ type: 'failed', code, message, context });
    parentPort?.close();
    return;
  }
  parentPort?.on('message', (message: ToWorker) => {
    switch (message.type) {
      case 'write':
        attempt(state, settings.directory, () => write(state, message.rows, settings));
        break;
      case 'backup':
        void makeBackup(state, message.path);
        break;
      case 'close':
        close(state, settings);
        break;
    }
  });
}

if (!isMainThread) run(workerData as WorkerSettings);
