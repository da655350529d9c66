import { crc32 } from 'node:zlib';

/** Layout of the tables; a newer one is refused. */
export const FORMAT_VERSION = 1;
/** "iotm": tells our files from other SQLite files. */
export const APPLICATION_ID = 0x696f746d;

export const LAYOUT = `
  CREATE TABLE store (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    state_id TEXT NOT NULL, lease_number INTEGER NOT NULL, revision INTEGER NOT NULL,
    records INTEGER NOT NULL, digest INTEGER NOT NULL, sequence INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE record (
    kind TEXT NOT NULL, id TEXT NOT NULL, tenant TEXT NOT NULL, revision INTEGER NOT NULL,
    schema_version INTEGER NOT NULL, document TEXT NOT NULL, checksum INTEGER NOT NULL,
    PRIMARY KEY (kind, id)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE change (
    sequence INTEGER PRIMARY KEY, revision INTEGER NOT NULL, entries INTEGER NOT NULL,
    kind TEXT NOT NULL, id TEXT NOT NULL, tenant TEXT NOT NULL,
    schema_version INTEGER NOT NULL, document TEXT, checksum INTEGER NOT NULL
  ) STRICT;
`;

/** One record: kind, id, tenant, revision, schemaVersion, document as JSON. */
export type RecordRow = readonly [string, string, string, number, number, string];
/** One entry of a commit: number of entries in it, then as a record; a deletion has no document. */
export type ChangeRow = readonly [number, string, string, string, number, number, string | null];

/** The one row of the table `store`. */
export interface StoreHead {
  readonly stateId: string;
  readonly leaseNumber: number;
  /** The newest durable one. */
  readonly revision: number;
  /** How many records there are, and the exclusive or of their checksums: a lost or foreign row shows itself. */
  readonly records: number;
  readonly digest: number;
  /** Of the newest entry in the change log. */
  readonly sequence: number;
}

/** Of everything that a row says. */
export function checksumOf(
  kind: string,
  id: string,
  tenant: string,
  revision: number,
  schemaVersion: number,
  document: string,
): number {
  return crc32(`${kind}\0${id}\0${tenant}\0${revision}\0${schemaVersion}\0${document}`);
}
