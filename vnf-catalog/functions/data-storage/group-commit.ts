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
  /** The disk refused: nothing of the group was done, and the process has to end. */
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
    const isWrite = jobs.some((job) => job.isWrite);
    if (isWrite) this.#database.exec('BEGIN IMMEDIATE');
    let bodies: readonly string[];
    try {
      bodies = jobs.map((job) => job.run());
    } catch (error) {
      if (isWrite) this.#rollBack(messageOf(error));
      return undefined;
    }
    if (isWrite) this.#commit();
    return bodies;
  }

  #runAlone(job: Job): string {
    if (job.isWrite) this.#database.exec('BEGIN IMMEDIATE');
    let body: string;
    try {
      body = job.run();
    } catch (error) {
      if (job.isWrite) this.#rollBack(messageOf(error));
      return this.#options.failure(messageOf(error));
    }
    if (job.isWrite) this.#commit();
    return body;
  }

  #commit(): void {
    try {
      this.#database.exec('COMMIT');
    } catch (error) {
      this.#options.onDiskFailure(messageOf(error));
      throw error;
    }
  }

  #rollBack(reason: string): void {
    // SQLite has rolled back by itself where the disk is full or failing.
    if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
    else this.#options.onDiskFailure(reason);
  }
}
