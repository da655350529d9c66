import { chmodSync, closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { backup } from 'node:sqlite';
import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import { IotmanoError, messageOf } from '../../../kernel/index.ts';
import {
  damaged,
  explain,
  openDatabase,
  type ChangeRow,
  type RecordRow,
  type StateDatabase,
  type StoreHead,
} from './database.ts';
import { takeLock } from './lock.ts';
import { readMarker, writeMarker, type Marker } from './marker.ts';
import type { FromWorker, ToWorker, WorkerSettings } from './protocol.ts';

/** Rows that cross to the main thread in one message. */
const ROWS_PER_MESSAGE = 1000;
/** How far the marker may lag behind. */
const MARKER_MILLISECONDS = 1000;
/** Pages copied at a time by a backup, so that commits get their turn in between. */
const BACKUP_PAGES = 128;

interface OpenState {
  readonly database: StateDatabase;
  readonly lock: { release(): void };
  head: StoreHead;
  /** A failed write is the last. */
  hasFailed: boolean;
  markerTimer?: NodeJS.Timeout;
}

function send(message: FromWorker): void {
  parentPort?.postMessage(message, []);
}

/** Holds the lock, loads everything, and takes the next lease number; changes nothing when it refuses. */
function open(settings: WorkerSettings): OpenState {
  const { directory } = settings;
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const lock = takeLock(directory, settings.lockWaitMilliseconds);
  const path = join(directory, 'state.db');
  let database: StateDatabase | undefined;
  try {
    refuseEmptied(path, readMarker(directory));
    makeOwnersOnly(path);
    database = openDatabase(path);
    const taken = takeOver(database, settings);
    syncDirectory(directory);
    writeMarker(directory, taken.head);
    sendOpened(taken);
    return { database, lock, head: taken.head, hasFailed: false };
  } catch (error) {
    database?.close();
    lock.release();
    throw explain(path, error);
  }
}

interface TakenOver {
  readonly head: StoreHead;
  readonly changes: readonly ChangeRow[];
  readonly mintedBecause?: string;
}

function takeOver(database: StateDatabase, settings: WorkerSettings): TakenOver {
  const marker = readMarker(settings.directory);
  const found = database.readHead();
  if (found === undefined) return createStore(database, settings, marker);
  loadRecords(database, found, settings);
  const changes = database.readChanges(found, settings.versions);
  const mintedBecause = reasonToMint(found, marker);
  const head = {
    ...found,
    stateId: mintedBecause === undefined ? found.stateId : settings.freshStateId,
    leaseNumber: Math.max(found.leaseNumber, marker?.leaseNumber ?? 0) + 1,
    revision: Math.max(found.revision, marker?.revision ?? 0),
  };
  database.writeHead(head, mintedBecause !== undefined);
  return mintedBecause === undefined ? { head, changes } : { head, changes: [], mintedBecause };
}

/** Lease and revision go on from the marker of a store that was removed here: hosts may have seen them. */
function createStore(
  database: StateDatabase,
  { freshStateId, directory }: WorkerSettings,
  marker: Marker | undefined,
): TakenOver {
  const head = {
    stateId: freshStateId,
    leaseNumber: (marker?.leaseNumber ?? 0) + 1,
    revision: marker?.revision ?? 0,
    records: 0,
    digest: 0,
    sequence: 0,
  };
  database.create(head);
  if (marker === undefined) return { head, changes: [] };
  return { head, changes: [], mintedBecause: `the database was removed from ${directory}` };
}

function sendOpened({ head, ...rest }: TakenOver): void {
  const { stateId, leaseNumber, revision } = head;
  send({ type: 'opened', stateId, leaseNumber, revision, ...rest });
}

function reasonToMint(found: StoreHead, marker: Marker | undefined): string | undefined {
  if (marker === undefined) return 'the database was copied here without its marker';
  if (marker.stateId !== found.stateId) return 'the database is of another store than its marker';
  if (marker.revision > found.revision) {
    return `the database is older (revision ${found.revision}) than its marker (revision ${marker.revision})`;
  }
  return undefined;
}

function loadRecords(database: StateDatabase, head: StoreHead, settings: WorkerSettings): void {
  let rows: RecordRow[] = [];
  for (const row of database.readRecords(head, settings.versions)) {
    rows.push(row);
    if (rows.length === ROWS_PER_MESSAGE) {
      send({ type: 'records', rows });
      rows = [];
    }
  }
  if (rows.length > 0) send({ type: 'records', rows });
}

/** A file that is there but empty, where a store has been, is a loss and not a new store. */
function refuseEmptied(path: string, marker: Marker | undefined): void {
  const size = statSync(path, { throwIfNoEntry: false })?.size;
  if (size === 0 && (marker?.revision ?? 0) > 0) throw damaged(path, 'the file is empty');
}

/** Before SQLite opens it: its other files get the mode of this one. */
function makeOwnersOnly(path: string): void {
  closeSync(openSync(path, 'a', 0o600));
  chmodSync(path, 0o600);
}

function syncDirectory(directory: string): void {
  const file = openSync(directory, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function write(
  state: OpenState,
  rows: Extract<ToWorker, { type: 'write' }>['rows'],
  settings: WorkerSettings,
) {
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
    const file = openSync(partial, 'r');
    fsyncSync(file);
    closeSync(file);
    renameSync(partial, path);
    syncDirectory(dirname(path));
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
    state = open(settings);
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
