/**
 * The state store: the leader holds all state in memory and writes through.
 * A commit is validated against the newest *accepted* state and accepted in order, synchronously; it is *durable* a little later.
 * Nothing that reflects a revision may leave the process (answer, event, assignment, driver call) before that revision is durable.
 */
import type { StateId, TenantId } from '../../kernel/index.ts';
import type { RecordDocuments, RecordKind } from '../domain/index.ts';

/** Store-wide, grows by one with each commit. */
export type Revision = number;

export interface StoredRecord<Kind extends RecordKind = RecordKind> {
  readonly kind: Kind;
  readonly id: string;
  readonly tenant: TenantId;
  /** Of the commit that wrote it last. */
  readonly revision: Revision;
  readonly document: RecordDocuments[Kind];
}

type WriteOf<Kind extends RecordKind> =
  /** Refused with `conflict` where the record exists. */
  | {
      readonly op: 'create';
      readonly kind: Kind;
      readonly id: string;
      readonly tenant: TenantId;
      readonly document: RecordDocuments[Kind];
    }
  /** Refused with `revision-conflict` unless the record is at `expectedRevision`. */
  | {
      readonly op: 'update';
      readonly kind: Kind;
      readonly id: string;
      readonly expectedRevision: Revision;
      readonly document: RecordDocuments[Kind];
    }
  /** Refused with `revision-conflict` unless the record is at `expectedRevision`. */
  | { readonly op: 'delete'; readonly kind: Kind; readonly id: string; readonly expectedRevision: Revision }
  /** Creates or replaces, whatever was there: for what has one writer (observed state, facts). */
  | {
      readonly op: 'put';
      readonly kind: Kind;
      readonly id: string;
      readonly tenant: TenantId;
      readonly document: RecordDocuments[Kind];
    };

export type Write = { [Kind in RecordKind]: WriteOf<Kind> }[RecordKind];

/** What one commit changed; a deletion has no `record`. */
export interface Change {
  readonly revision: Revision;
  readonly entries: readonly {
    readonly kind: RecordKind;
    readonly id: string;
    readonly tenant: TenantId;
    readonly record?: StoredRecord;
  }[];
}

/**
 * Reading the newest accepted state. Documents are never to be mutated.
 * A list may be walked while commits are made: what is there throughout is met exactly once, in its newest version.
 */
export interface StateView {
  get<Kind extends RecordKind>(kind: Kind, id: string): StoredRecord<Kind> | undefined;
  /** In order of id. */
  list<Kind extends RecordKind>(kind: Kind): Iterable<StoredRecord<Kind>>;
  /** Those whose id starts with the prefix, in order of id; costs only what it yields. A host's assignments: `${hostId}.`. */
  listByPrefix<Kind extends RecordKind>(kind: Kind, prefix: string): Iterable<StoredRecord<Kind>>;
  /** How many records of the kind there are. */
  count(kind: RecordKind): number;
  /** Of the newest commit that wrote a record of the kind, since this process began: who has seen it has seen them all. */
  changedAt(kind: RecordKind): Revision;
  /**
   * Ids of records of the kind that commits after that revision wrote or deleted, each once; `too-old` where that is not known any more,
   * as it is for all that was before this process began: the caller then looks at all of them.
   */
  changedSince(kind: RecordKind, revision: Revision): readonly string[] | 'too-old';
  readonly acceptedRevision: Revision;
}

export interface CommitReceipt {
  readonly revision: Revision;
  /** Settles when the commit is on disk; never rejects: a write that fails ends the process (see `onFatal`). */
  readonly durable: Promise<void>;
}

export interface StateStore extends StateView {
  /** Minted when the store is created, restored from a backup, or reset; agents pin it. */
  readonly stateId: StateId;
  /** Grows with each leader; checked in every commit, and by every driver. */
  readonly leaseNumber: number;
  readonly durableRevision: Revision;
  /**
   * All writes or none. Synchronous: when it returns, the state is accepted and every later read sees it.
   * `verify` runs against the accepted state just before, and throws to refuse (capacity is checked again there).
   * No writes at all is no commit: the answer is the newest accepted revision. No record may be written twice in one commit.
   * @throws IotmanoError `conflict`, `revision-conflict`, `stale-lease`, `store-failed` (after a failure or `close`), or whatever
   * `verify` throws; then nothing has changed
   */
  commit(writes: readonly Write[], verify?: (state: StateView) => void): CommitReceipt;
  /** Resolves when that revision, by default all that is accepted now, is durable. */
  whenDurable(revision?: Revision): Promise<void>;
  /**
   * Durable changes after that revision, oldest first; `too-old` when the bounded log no longer reaches back, and for a revision
   * that this store has never had: the caller then needs the whole.
   */
  changesSince(revision: Revision): readonly Change[] | 'too-old';
  /** The earliest revision that `changesSince` answers. */
  readonly oldestRevision: Revision;
  /** Calls back with every change once it is durable, in order. Returns the end of it. */
  subscribe(listener: (change: Change) => void): () => void;
  /** Waits for what is accepted, then closes. */
  close(): Promise<void>;
}
