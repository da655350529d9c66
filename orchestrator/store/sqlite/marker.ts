import { closeSync, fsyncSync, openSync, readFileSync, renameSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/**
 * A small file beside the database that says how far the store had come. A database that is behind it, of another identity, or in another file, was
 * put there by hand: then a new stateId is minted, and agents wait for an operator.
 */
export interface Marker extends Progress {
  /** The file of the database, which a copy does not share; absent in markers of earlier versions. */
  readonly file?: string;
}

/** How far a store has come. */
export interface Progress {
  readonly stateId: string;
  readonly leaseNumber: number;
  /** Durable in the database when the marker was written; the database may be ahead, never behind. */
  readonly revision: number;
}

const FILE = 'state.marker.json';

/** The file of a database, as long as it is not copied or replaced: also one that was put in its place has another number, or another birth. */
export function fileOf(database: string): string {
  const { ino, birthtimeNs } = statSync(database, { bigint: true });
  return `${ino}.${birthtimeNs}`;
}

/** Undefined where there is none, or none that can be read. */
export function readMarker(directory: string): Marker | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(join(directory, FILE), 'utf8'));
    return isMarker(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Replaces the marker of the database in the directory, atomically and durably. */
export function writeMarker(directory: string, { stateId, leaseNumber, revision }: Progress): void {
  const path = join(directory, FILE);
  const file = openSync(`${path}.new`, 'w', 0o600);
  try {
    const marker: Marker = { stateId, leaseNumber, revision, file: fileOf(join(directory, 'state.db')) };
    writeSync(file, `${JSON.stringify(marker)}\n`);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(`${path}.new`, path);
}

function isMarker(value: unknown): value is Marker {
  return (
    typeof value === 'object' &&
    value !== null &&
    'stateId' in value &&
    typeof value.stateId === 'string' &&
    'leaseNumber' in value &&
    Number.isSafeInteger(value.leaseNumber) &&
    'revision' in value &&
    Number.isSafeInteger(value.revision) &&
    (!('file' in value) || typeof value.file === 'string')
  );
}
