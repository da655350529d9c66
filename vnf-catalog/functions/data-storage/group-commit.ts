import type { DatabaseSync } from 'node:sqlite';
import { messageOf } from '../../../kernel/index.ts';

/** One request: what it does within the transaction, and where its answer goes when that is on disk. */
export interface Job {
  /** Gives the answer. */
  readonly run: () => string;
  readonly answer: (body: string) => void;
  readonly isWrite: boolean;
}

export interface GroupCommitOptions {
  readonly onCommitted: (jobs: number, writes: number, seconds: number) => void;
  /** A job that cannot be done: it is answered with this, and the others go on. */
  readonly failure: (reason: string) => string;
  /** The disk failed, otherwise than by being full: nothing of the group was done, and the process has to end. */
  readonly onDiskFailure: (reason: string) => void;
}

/**
 * Runs everything that arrives in one turn of the event loop in one transaction, with one wait for the disk, and only then
 * answers. While the disk is busy the next group gathers in the socket.
 */
export class GroupCommit {
  #jobs: Job[] = [];
  #isScheduled = false;
  readonly #database: DatabaseSync;
  readonly #options: GroupCommitOptions;

  constructor(database: DatabaseSync, options: GroupCommitOptions) {
    this.#database = database;
    this.#options = options;
  }

  add(job: Job): void {
    this.#jobs.push(job);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => this.flush());
  }

  /** Does all that waits now. */
  flush(): void {
    this.#isScheduled = false;
    const jobs = this.#jobs;
    if (jobs.length === 0) return;
    this.#jobs = [];
    const started = performance.now();
    const bodies = this.#runTogether(jobs) ?? jobs.map((job) => this.#runAlone(job));
    const writes = jobs.filter((job) => job.isWrite).length;
    this.#options.onCommitted(jobs.length, writes, (performance.now() - started) / 1000);
    jobs.forEach((job, index) => job.answer(bodies[index] ?? this.#options.failure('no answer')));
  }

  /** The answers of all, or undefined when one failed and nothing was done. */
  #runTogether(jobs: readonly Job[]): readonly string[] | undefined {
    try {
      return this.#transact(
        jobs.some((job) => job.isWrite),
        () => jobs.map((job) => job.run()),
      );
    } catch {
      return undefined;
    }
  }

  #runAlone(job: Job): string {
    try {
      return this.#transact(job.isWrite, job.run);
    } catch (error) {
      return this.#options.failure(messageOf(error));
    }
  }

  #transact<Result>(isWrite: boolean, work: () => Result): Result {
    if (!isWrite) return work();
    this.#database.exec('BEGIN IMMEDIATE');
    let isDone = false;
    try {
      const result = work();
      isDone = true;
      this.#database.exec('COMMIT');
      return result;
    } catch (error) {
      this.#rollBack(error, isDone);
      throw error;
    }
  }

  /** A full disk may have room again; after any other failure to write, only a new start knows what is on the disk. */
  #rollBack(error: unknown, isCommitFailure: boolean): void {
    const isRolledBack = !this.#database.isTransaction;
    if ((isCommitFailure || isRolledBack) && !isDiskFull(error))
      this.#options.onDiskFailure(messageOf(error));
    if (!isRolledBack) this.#database.exec('ROLLBACK');
  }
}

const SQLITE_FULL = 13;

function isDiskFull(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && error.errcode === SQLITE_FULL;
}
