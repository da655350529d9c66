import type { DatabaseSync, StatementSync } from 'node:sqlite';

/**
 * Answers to requests that changed something, by request key: a request that is tried again, by a device or by another
 * function, gets the first one's answer and changes nothing. They are kept well beyond the longest retry.
 */
export class Answers {
  readonly #find: StatementSync;
  readonly #insert: StatementSync;
  readonly #latest: StatementSync;
  readonly #prune: StatementSync;
  /** Which answer was the latest at which time. */
  readonly #marks: { readonly at: number; readonly seq: number }[] = [];
  #forgotten = 0;

  constructor(database: DatabaseSync) {
    this.#find = database.prepare('SELECT body FROM answer WHERE key = ?');
    this.#insert = database.prepare('INSERT INTO answer (key, body) VALUES (?, ?)');
    this.#latest = database.prepare('SELECT max(seq) AS seq FROM answer');
    this.#prune = database.prepare(
      'DELETE FROM answer WHERE seq IN (SELECT seq FROM answer ORDER BY seq LIMIT 5000) AND seq <= ?',
    );
  }

  /** JSON of a `CommitDone`. */
  find(key: string): string | undefined {
    const body = this.#find.get(key)?.['body'];
    return typeof body === 'string' ? body : undefined;
  }

  /** Within the transaction of the change. */
  keep(key: string, body: string): void {
    this.#insert.run(key, body);
  }

  /**
   * Forgets some of what has been kept for long enough by the monotonic clock, counted from the start of this process at the
   * earliest: neither a wall clock that is set nor a restart may make an answer go too soon. Called often.
   */
  prune(monotonic: number, keepMilliseconds: number): void {
    this.#marks.push({ at: monotonic, seq: Number(this.#latest.get()?.['seq'] ?? 0) });
    while ((this.#marks[0]?.at ?? Infinity) <= monotonic - keepMilliseconds)
      this.#forgotten = this.#marks.shift()?.seq ?? this.#forgotten;
    if (this.#forgotten > 0) this.#prune.run(this.#forgotten);
  }
}
