import { IotmanoError, messageOf, type Logger, type StateId } from '../../kernel/index.ts';
import { createAcceptedState, type InitialState } from './accepted-state.ts';
import { createChangeLog } from './change-log.ts';
import type { Change, Revision, StateStore, Write } from './contract.ts';
import { createFifo } from './fifo.ts';
import { protectDocument } from './protect-document.ts';

/** Where accepted commits become durable. */
export interface Persistence {
  /** Takes a commit over; called in order of revision. Returns at once. */
  write(change: Change): void;
  /** Writes what it has, then lets go of its resources. */
  close(): Promise<void>;
}

/** What a persistence tells, never from within `write`. */
export interface PersistenceListener {
  /** Everything up to that revision is on disk. */
  durable(revision: Revision): void;
  /** A write failed: nothing after the last `durable` may ever be acknowledged. */
  failed(error: IotmanoError): void;
}

export interface WriteThroughOptions {
  readonly stateId: StateId;
  readonly leaseNumber: number;
  readonly initial: InitialState;
  /** The newest durable changes, oldest first, up to `initial.revision`. */
  readonly changes: readonly Change[];
  readonly changeLogLimit: number;
  /** Freeze and check documents: for tests; costs a walk over each document. */
  readonly protectDocuments: boolean;
  readonly logger: Logger;
  readonly persistence: (listener: PersistenceListener) => Persistence;
  /** Called once when a write has failed. It has to end the process: nothing that it holds may leave any more. */
  readonly onFatal: (error: IotmanoError) => void;
  /** Whether a newer leader has taken over. */
  readonly isDeposed?: () => boolean;
}

/** A store of accepted state in memory over a persistence: all that memory and SQLite have in common. */
export function createWriteThroughStore(options: WriteThroughOptions): StateStore {
  const state = createAcceptedState(options.initial);
  const log = createChangeLog(
    (options.changes[0]?.revision ?? options.initial.revision + 1) - 1,
    options.changeLogLimit,
  );
  for (const change of options.changes) log.append(change);
  const written = createFifo<Change>();
  const listeners = new Set<(change: Change) => void>();
  const waiters = new Map<Revision, PromiseWithResolvers<void>>();
  let durableRevision = options.initial.revision;
  let refusal: IotmanoError | undefined;
  let hasFailed = false;
  let closing: Promise<void> | undefined;

  const persistence = options.persistence({
    durable: (revision) => {
      while ((written.at(0)?.revision ?? Infinity) <= revision) {
        const change = written.shift();
        if (change !== undefined) becameDurable(change);
      }
    },
    failed: (error) => {
      if (hasFailed) return;
      hasFailed = true;
      refusal = error;
      options.onFatal(error);
    },
  });

  function becameDurable(change: Change): void {
    durableRevision = change.revision;
    log.append(change);
    waiters.get(change.revision)?.resolve();
    waiters.delete(change.revision);
    for (const listener of listeners) {
      try {
        listener(change);
      } catch (error) {
        options.logger.error(
          { err: error, revision: change.revision },
          'a listener to changes of the store failed',
        );
      }
    }
  }

  function whenDurable(revision: Revision = state.acceptedRevision): Promise<void> {
    if (revision <= durableRevision) return Promise.resolve();
    let waiter = waiters.get(revision);
    if (waiter === undefined) {
      waiter = Promise.withResolvers<void>();
      waiters.set(revision, waiter);
    }
    return waiter.promise;
  }

  function commit(writes: readonly Write[], verify?: Parameters<StateStore['commit']>[1]) {
    if (refusal !== undefined) throw refusal;
    if (options.isDeposed?.() === true) throw deposed(options.leaseNumber);
    if (options.protectDocuments) writes.forEach(protectWrite);
    if (writes.length > 0) {
      const change = state.accept(writes, verify);
      written.push(change);
      persistence.write(change);
    }
    return { revision: state.acceptedRevision, durable: whenDurable() };
  }

  async function closeOnce(): Promise<void> {
    if (refusal !== undefined) {
      await persistence.close();
      return;
    }
    refusal = new IotmanoError(
      'store-failed',
      'the state store is closed: nothing can be committed any more',
    );
    await persistence.close();
  }

  return {
    stateId: options.stateId,
    leaseNumber: options.leaseNumber,
    get acceptedRevision() {
      return state.acceptedRevision;
    },
    get durableRevision() {
      return durableRevision;
    },
    get: state.get,
    list: state.list,
    listByPrefix: state.listByPrefix,
    count: state.count,
    changedAt: state.changedAt,
    changedSince: state.changedSince,
    commit,
    whenDurable,
    get oldestRevision() {
      return log.reachesBackTo;
    },
    changesSince: (revision) => (revision > state.acceptedRevision ? 'too-old' : log.since(revision)),
    subscribe: (listener) => {
      const own = (change: Change) => listener(change);
      listeners.add(own);
      return () => listeners.delete(own);
    },
    close: () => (closing ??= closeOnce()),
  };
}

/** The store with more members: a spread would turn its getters into the values of one instant. */
export function extendStore<Extra extends object>(store: StateStore, extra: Extra): StateStore & Extra {
  const members = { ...Object.getOwnPropertyDescriptors(store), ...Object.getOwnPropertyDescriptors(extra) };
  return Object.defineProperties({}, members) as StateStore & Extra;
}

function protectWrite(write: Write): void {
  if (write.op !== 'delete') protectDocument(write.document, `${write.kind} ${write.id}`);
}

function deposed(leaseNumber: number): IotmanoError {
  return new IotmanoError(
    'stale-lease',
    `a newer leader has opened the state store; this one (lease ${leaseNumber}) has to stop`,
    { leaseNumber },
  );
}

/** What a persistence reports when its disk fails. */
export function storeFailed(where: string, cause: unknown): IotmanoError {
  return new IotmanoError(
    'store-failed',
    `the state store cannot write ${where}: ${messageOf(cause)}. Mend the disk and start again; nothing that was acknowledged is lost`,
    { where },
    cause,
  );
}
