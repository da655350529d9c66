import type { StateId } from '../../kernel/index.ts';
import type { Change, Revision, StoredRecord } from './contract.ts';
import { createFifo } from './fifo.ts';
import { protectDocument } from './protect-document.ts';
import { storeFailed, type Persistence, type PersistenceListener } from './write-through.ts';

/** What a memory store writes to: survives its store, as a disk survives a process, and does as a test tells it. */
export interface MemoryDisk {
  readonly stateId: StateId;
  readonly leaseNumber: number;
  /** The newest durable one. */
  readonly revision: Revision;
  /** From now on nothing becomes durable until released. */
  hold(): void;
  /** The oldest `commits` that wait become durable; without a number all do, and writing flows again. */
  release(commits?: number): void;
  /** From now on every write fails. */
  fail(reason?: string): void;
  /** What a new store finds; deposes the earlier one. */
  open(): {
    readonly leaseNumber: number;
    readonly records: readonly StoredRecord[];
    readonly changes: readonly Change[];
    readonly persistence: (listener: PersistenceListener) => Persistence;
  };
}

/** Commits that a store opened later finds in its change log. */
const CHANGES_KEPT = 10_000;

interface PendingWrite {
  readonly change: Change;
  readonly listener: PersistenceListener;
  readonly leaseNumber: number;
}

/** @param start `leaseNumber` before the first store is opened on it */
export function createMemoryDisk(start: {
  readonly stateId: StateId;
  readonly leaseNumber: number;
}): MemoryDisk {
  const records = new Map<string, string>();
  const changes = createFifo<string>();
  const pending = createFifo<PendingWrite>();
  let { leaseNumber } = start;
  let revision = 0;
  let isHeld = false;
  let isScheduled = false;
  let failure: string | undefined;

  function schedule(): void {
    if (isHeld || isScheduled) return;
    isScheduled = true;
    queueMicrotask(() => {
      isScheduled = false;
      if (!isHeld) drain(Infinity);
    });
  }

  function drain(commits: number): void {
    for (let count = 0; count < commits; count += 1) {
      const write = pending.shift();
      if (write === undefined) return;
      if (write.leaseNumber !== leaseNumber) continue;
      if (failure !== undefined) {
        write.listener.failed(storeFailed('in memory', new Error(failure)));
        continue;
      }
      persist(write.change);
      write.listener.durable(write.change.revision);
    }
  }

  function persist(change: Change): void {
    for (const { kind, id, record } of change.entries) {
      if (record === undefined) records.delete(`${kind} ${id}`);
      else records.set(`${kind} ${id}`, JSON.stringify(record));
    }
    changes.push(JSON.stringify(change));
    if (changes.length > CHANGES_KEPT) changes.shift();
    ({ revision } = change);
  }

  return {
    stateId: start.stateId,
    get leaseNumber() {
      return leaseNumber;
    },
    get revision() {
      return revision;
    },
    hold: () => {
      isHeld = true;
    },
    release: (commits) => {
      if (commits === undefined) isHeld = false;
      drain(commits ?? Infinity);
    },
    fail: (reason = 'no space left on device') => {
      failure = reason;
    },
    open: () => {
      leaseNumber += 1;
      const own = leaseNumber;
      return {
        leaseNumber: own,
        records: [...records.values()].map((text) => protectedParse<StoredRecord>(text)),
        changes: changes.from(0).map((text) => protectedParse<Change>(text)),
        persistence: (listener) => ({
          write: (change) => {
            pending.push({ change, listener, leaseNumber: own });
            schedule();
          },
          close: async () => {
            if (own === leaseNumber) drain(Infinity);
          },
        }),
      };
    },
  };
}

function protectedParse<Value>(text: string): Value {
  const value = JSON.parse(text) as Value;
  protectDocument(value, 'a stored value');
  return value;
}
