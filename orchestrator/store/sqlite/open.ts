import { resolve } from 'node:path';
import {
  silentLogger,
  type IdSource,
  type IotmanoError,
  type Logger,
  type StateId,
  type TenantId,
} from '../../../kernel/index.ts';
import type { RecordKind } from '../../domain/index.ts';
import type { Change, StateStore, StoredRecord } from '../contract.ts';
import { RECORD_SCHEMAS, upcast, versionsOf, type RecordSchemas } from '../record-schemas.ts';
import { createWriteThroughStore, extendStore } from '../write-through.ts';
import type { ChangeRow, RecordRow } from './layout.ts';
import type { FromWorker, WorkerSettings } from './protocol.ts';
import {
  createWorkerPersistence,
  startWorker,
  toError,
  type WorkerConnection,
  type WorkerPersistence,
} from './worker-connection.ts';

export interface SqliteStoreOptions {
  /** Made where it is missing, readable by its owner only. One process at a time. */
  readonly directory: string;
  /** Mints stateIds. */
  readonly ids: IdSource;
  /** Called once when a write has failed; has to end the process at once, without another answer. */
  readonly onFatal: (error: IotmanoError) => void;
  readonly logger?: Logger;
  /** Record changes that `changesSince` reaches back. */
  readonly changeLogLimit?: number;
  /** How long to wait for an earlier process to let go of the directory. */
  readonly lockWaitMilliseconds?: number;
  /** Freeze and check documents: for tests. */
  readonly protectDocuments?: boolean;
  readonly schemas?: RecordSchemas;
}

export interface SqliteStore extends StateStore {
  /**
   * Writes a consistent copy to one file, at least as new as what is durable now, while commits go on. Replaces the file.
   * @throws IotmanoError `unavailable` when it cannot be written; the store itself goes on
   */
  backupTo(path: string): Promise<void>;
}

/**
 * Opens, or makes, the store in a directory, and takes the next lease number durably.
 * @throws IotmanoError `store-locked`, `store-newer`, `store-failed` (also for damage, with `context.damaged`); then nothing has changed
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<SqliteStore> {
  const schemas = options.schemas ?? RECORD_SCHEMAS;
  const logger = options.logger ?? silentLogger;
  const settings: WorkerSettings = {
    directory: resolve(options.directory),
    freshStateId: options.ids.uuid(),
    versions: versionsOf(schemas),
    changeLogLimit: options.changeLogLimit ?? 10_000,
    lockWaitMilliseconds: options.lockWaitMilliseconds ?? 2000,
  };
  const connection = startWorker(settings);
  const { opened, records } = await load(connection, schemas);
  if (opened.mintedBecause !== undefined) {
    logger.warn(
      { directory: settings.directory, stateId: opened.stateId, reason: opened.mintedBecause },
      'the state store was replaced by hand: it has a new stateId, and agents wait until an operator confirms',
    );
  }
  let persistence: WorkerPersistence | undefined;
  const store = createWriteThroughStore({
    stateId: opened.stateId as StateId,
    leaseNumber: opened.leaseNumber,
    initial: { revision: opened.revision, records },
    changes: toChanges(opened.changes, schemas),
    changeLogLimit: settings.changeLogLimit,
    protectDocuments: options.protectDocuments ?? false,
    logger,
    persistence: (listener) => {
      persistence = createWorkerPersistence(connection, settings.versions, settings.directory, listener);
      return persistence;
    },
    onFatal: options.onFatal,
  });
  const backupTo = async (path: string) => {
    await store.whenDurable();
    await persistence?.backupTo(resolve(path));
  };
  return extendStore(store, { backupTo });
}

type Opened = Extract<FromWorker, { type: 'opened' }>;

function load(
  connection: WorkerConnection,
  schemas: RecordSchemas,
): Promise<{ opened: Opened; records: StoredRecord[] }> {
  const records: StoredRecord[] = [];
  return new Promise((fulfil, reject) => {
    connection.onMessage((message) => {
      try {
        if (message.type === 'records') for (const row of message.rows) records.push(toRecord(row, schemas));
        if (message.type === 'opened') fulfil({ opened: message, records });
        if (message.type === 'failed') throw toError(message);
      } catch (error) {
        void connection.end();
        reject(error);
      }
    });
  });
}

function toRecord(
  [kind, id, tenant, revision, schemaVersion, document]: RecordRow,
  schemas: RecordSchemas,
): StoredRecord {
  return {
    kind: kind as RecordKind,
    id,
    tenant: tenant as TenantId,
    revision,
    document: upcast(schemas, kind as RecordKind, schemaVersion, JSON.parse(document)),
  };
}

function toChanges(rows: readonly ChangeRow[], schemas: RecordSchemas): Change[] {
  const changes: { revision: number; entries: Change['entries'][number][] }[] = [];
  for (const [, kind, id, tenant, revision, schemaVersion, document] of rows) {
    let change = changes.at(-1);
    if (change?.revision !== revision) {
      change = { revision, entries: [] };
      changes.push(change);
    }
    const entry = { kind: kind as RecordKind, id, tenant: tenant as TenantId };
    if (document === null) change.entries.push(entry);
    else {
      const record = toRecord([kind, id, tenant, revision, schemaVersion, document], schemas);
      change.entries.push({ ...entry, record });
    }
  }
  return changes;
}
