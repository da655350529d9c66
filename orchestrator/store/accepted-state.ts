import { IotmanoError } from '../../kernel/index.ts';
import type { RecordKind } from '../domain/index.ts';
import type { Change, Revision, StateView, StoredRecord, Write } from './contract.ts';
import { createRecentIds, type RecentIds } from './recent-ids.ts';
import { createSortedRecords, type SortedRecords } from './sorted-records.ts';

/** The newest accepted state in memory, and the one place where commits are validated. Every store has it before its disk. */
export interface AcceptedState extends StateView {
  /**
   * Validates and applies all writes or none. `writes` is not empty.
   * @throws IotmanoError `conflict`, `revision-conflict`, `internal` (a fault of the caller), or what `verify` throws
   */
  accept(writes: readonly Write[], verify?: (state: StateView) => void): Change;
}

export interface InitialState {
  readonly revision: Revision;
  readonly records: Iterable<StoredRecord>;
}

export function createAcceptedState(initial: InitialState): AcceptedState {
  const kinds = new Map<RecordKind, SortedRecords>();
  const newest = new Map<RecordKind, Revision>();
  const recent = new Map<RecordKind, RecentIds>();
  let acceptedRevision = initial.revision;
  let isAccepting = false;

  function recordsOf(kind: RecordKind): SortedRecords {
    let records = kinds.get(kind);
    if (records === undefined) {
      records = createSortedRecords();
      kinds.set(kind, records);
    }
    return records;
  }

  function recentOf(kind: RecordKind): RecentIds {
    let ids = recent.get(kind);
    if (ids === undefined) {
      ids = createRecentIds(initial.revision);
      recent.set(kind, ids);
    }
    return ids;
  }

  for (const record of initial.records) recordsOf(record.kind).set(record);

  function walk<Kind extends RecordKind>(kind: Kind, prefix: string): Iterable<StoredRecord<Kind>> {
    return { [Symbol.iterator]: () => recordsOf(kind).walk(prefix) as Iterator<StoredRecord<Kind>> };
  }

  const state: AcceptedState = {
    get acceptedRevision() {
      return acceptedRevision;
    },
    get: <Kind extends RecordKind>(kind: Kind, id: string) =>
      recordsOf(kind).get(id) as StoredRecord<Kind> | undefined,
    list: (kind) => walk(kind, ''),
    listByPrefix: walk,
    count: (kind) => recordsOf(kind).size,
    changedAt: (kind) => newest.get(kind) ?? initial.revision,
    changedSince: (kind, revision) => recentOf(kind).since(revision),
    accept: (writes, verify) => {
      if (isAccepting) throw new IotmanoError('internal', 'verify of a commit made a commit of its own');
      isAccepting = true;
      try {
        refuseRepetition(writes);
        for (const write of writes) check(write, recordsOf(write.kind).get(write.id));
        verify?.(state);
      } finally {
        isAccepting = false;
      }
      acceptedRevision += 1;
      return { revision: acceptedRevision, entries: writes.map((write) => apply(write)) };
    },
  };

  function apply(write: Write): Change['entries'][number] {
    const { kind, id } = write;
    const records = recordsOf(kind);
    newest.set(kind, acceptedRevision);
    recentOf(kind).append(acceptedRevision, id);
    const tenant = 'tenant' in write ? write.tenant : records.get(id)?.tenant;
    if (tenant === undefined) throw new IotmanoError('internal', `${kind} ${id} vanished within a commit`);
    if (write.op === 'delete') {
      records.delete(id);
      return { kind, id, tenant };
    }
    const record: StoredRecord = { kind, id, tenant, revision: acceptedRevision, document: write.document };
    records.set(record);
    return { kind, id, tenant, record };
  }

  return state;
}

function refuseRepetition(writes: readonly Write[]): void {
  if (writes.length < 2) return;
  const seen = new Set<string>();
  for (const { kind, id } of writes) {
    const key = `${kind} ${id}`;
    if (seen.has(key)) throw new IotmanoError('internal', `one commit writes ${key} twice: merge the writes`);
    seen.add(key);
  }
}

function check(write: Write, current: StoredRecord | undefined): void {
  switch (write.op) {
    case 'put':
      return;
    case 'create':
      if (current === undefined) return;
      throw new IotmanoError(
        'conflict',
        `${write.kind} ${write.id} exists already (revision ${current.revision})`,
        {
          kind: write.kind,
          id: write.id,
        },
      );
    case 'update':
    case 'delete':
      if (current?.revision === write.expectedRevision) return;
      throw new IotmanoError(
        'revision-conflict',
        `${write.kind} ${write.id} ${current === undefined ? 'no longer exists' : `is at revision ${current.revision}, not ${write.expectedRevision}`}: read it again and decide anew`,
        { kind: write.kind, id: write.id },
      );
  }
}
