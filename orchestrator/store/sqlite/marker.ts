import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/**
 * A small file beside the database that says how far the store had come. A database that is behind it, or of another
 * identity, was put there by hand: then a new stateId is minted, and agents wait for an operator.
 */
export interface Marker {
  readonly stateId: string;
  readonly leaseNumber: number;
  /** Durable in the database when the marker was written; the database may be ahead, never behind. */
  readonly revision: number;
}

const FILE = 'state.marker.json';

/** Undefined where there is none, or none that can be read. */
export function readMarker(directory: string): Marker | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(join(directory, FILE), 'utf8'));
    return isMarker(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Replaces the marker atomically and durably. */
export function writeMarker(directory: string, { stateId, leaseNumber, revision }: Marker): void {
  const path = join(directory, FILE);
  const file = openSync(`${path}.new`, 'w', 0o600);
  try {
    writeSync(file, `${JSON.stringify({ stateId, leaseNumber, revision })}\n`);
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
    Number.isSafeInteger(value.revision)
  );
}
