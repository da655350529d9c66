import { chmodSync, closeSync, mkdirSync, openSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { openDatabase, type StateDatabase } from './database.ts';
import { damaged, explain } from './faults.ts';
import type { ChangeRow, RecordRow, StoreHead } from './layout.ts';
import { takeLock } from './lock.ts';
import { fileOf, readMarker, writeMarker, type Marker } from './marker.ts';
import type { FromWorker, WorkerSettings } from './protocol.ts';
import { syncPath } from './sync-path.ts';

/** Rows that cross to the main thread in one message. */
const ROWS_PER_MESSAGE = 1000;

/** A directory that is ours. */
export interface OwnedDirectory {
  readonly database: StateDatabase;
  readonly lock: { release(): void };
  readonly head: StoreHead;
}

/**
 * Holds the lock, sends all records, takes the next lease number, then sends `opened`; changes nothing when it refuses.
 * @throws IotmanoError `store-locked`, `store-newer`, `store-failed`
 */
export function takeOverDirectory(
  settings: WorkerSettings,
  send: (message: FromWorker) => void,
): OwnedDirectory {
  const { directory } = settings;
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const lock = takeLock(directory, settings.lockWaitMilliseconds);
  const path = join(directory, 'state.db');
  let database: StateDatabase | undefined;
  try {
    refuseEmptied(path, readMarker(directory));
    makeOwnersOnly(path);
    database = openDatabase(path);
    const { head, ...rest } = takeOver(database, settings, send);
    syncPath(directory);
    writeMarker(directory, head);
    const { stateId, leaseNumber, revision } = head;
    send({ type: 'opened', stateId, leaseNumber, revision, ...rest });
    return { database, lock, head };
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

function takeOver(
  database: StateDatabase,
  settings: WorkerSettings,
  send: (message: FromWorker) => void,
): TakenOver {
  const marker = readMarker(settings.directory);
  const found = database.readHead();
  if (found === undefined) return createStore(database, settings, marker);
  sendRecords(database.readRecords(found, settings.versions), send);
  const changes = database.readChanges(found, settings.versions);
  const mintedBecause = reasonToMint(found, marker, fileOf(join(settings.directory, 'state.db')));
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

function reasonToMint(found: StoreHead, marker: Marker | undefined, file: string): string | undefined {
  if (marker === undefined) return 'the database was copied here without its marker';
  if (marker.stateId !== found.stateId) return 'the database is of another store than its marker';
  if (marker.revision > found.revision) {
    return `the database is older (revision ${found.revision}) than its marker (revision ${marker.revision})`;
  }
  if (marker.file !== undefined && marker.file !== file)
    return 'the directory was copied here, or put back from a copy';
  return undefined;
}

function sendRecords(records: Iterable<RecordRow>, send: (message: FromWorker) => void): void {
  let rows: RecordRow[] = [];
  for (const row of records) {
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
