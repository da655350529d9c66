import type { DatabaseSync, StatementSync } from 'node:sqlite';

/**
 * Answers to requests that changed something, by request key: a request that is tried again, by a device or by another
 * function, gets the first one's answer and changes nothing. They are kept well beyond the longest retry.
 */
export class Answers {
  readonly #find: StatementSync;
  readonly #insert: StatementSync;
  readonly #prune: StatementSync;

  constructor(database: DatabaseSync) {
    this.#find = database.prepare('SELECT body FROM answer WHERE key = ?');
    this.#insert = database.prepare('INSERT INTO answer (key, at, body) VALUES (?, ?, ?)');
    this.#prune = database.prepare(
      'DELETE FROM answer WHERE seq IN (SELECT seq FROM answer ORDER BY seq LIMIT 5000) AND at < ?',
    );
  }

  /** JSON of a `CommitDone`. */
  find(key: string): string | undefined {
    const body = this.#find.get(key)?.['body'];
    return typeof body === 'string' ? body : undefined;
  }

  /** Within the transaction of the change. */
  keep(key: string, body: string, now: number): void {
    this.#insert.run(key, now, body);
  }

  /** Forgets some of what is older; called often. */
  prune(olderThan: number): void {
    this.#prune.run(olderThan);
  }
}
