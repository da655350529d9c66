import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { OutboxBatch, OutboxEvent, OutboxSettle } from '../../shared/index.ts';

/** What is known of one subscription's target beside its entries on disk; lost, harmlessly, with the process. */
interface QueueState {
  worker?: string;
  leasedUntil: number;
  dueAt: number;
  failures: number;
  failingSince: number;
}

/** A worker that takes a batch and dies is given up after this; its entries are offered again. */
const LEASE_MILLISECONDS = 15_000;
/** Far below what a message of the broker may have. */
const BATCH_BYTES = 400_000;

/**
 * Notifications that are still to be delivered, durable, in order for each subscription and target (a queue). One worker
 * has a queue at a time. An entry is deleted only when a worker says that it was delivered. Times here are monotonic: a wall
 * clock that is set must neither hold a queue back nor offer it twice.
 */
export class Outbox {
  readonly #queues = new Map<string, QueueState>([]);
  readonly #insert: StatementSync;
  readonly #head: StatementSync;
  readonly #delete: StatementSync;
  readonly #deleteQueues: StatementSync;
  readonly #count: StatementSync;

  constructor(database: DatabaseSync) {
    this.#insert = database.prepare('INSERT INTO outbox (queue, event) VALUES (?, ?)');
    this.#head = database.prepare('SELECT id, event FROM outbox WHERE queue = ? ORDER BY id LIMIT ?');
    this.#delete = database.prepare('DELETE FROM outbox WHERE id = ?');
    this.#deleteQueues = database.prepare('DELETE FROM outbox WHERE queue >= ? AND queue < ?');
    this.#count = database.prepare('SELECT count(*) AS entries FROM outbox');
    for (const row of database.prepare('SELECT DISTINCT queue FROM outbox').all()) {
      this.#queues.set(String(row['queue']), freshQueue());
    }
  }

  /** Within the transaction of the change that caused it. */
  add(event: OutboxEvent): void {
    const queue = `${event.sub}|${event.target}`;
    this.#insert.run(queue, JSON.stringify(event));
    if (!this.#queues.has(queue)) this.#queues.set(queue, freshQueue());
  }

  /** The oldest entries of a queue that is free and due, or undefined when there is none. */
  take(worker: string, max: number, now: number): OutboxBatch | undefined {
    // Who asks again has nothing in hand: it was restarted, or the last answer was lost on the way.
    for (const state of this.#queues.values()) {
      if (state.worker === worker) state.leasedUntil = 0;
    }
    for (const [queue, state] of this.#queues) {
      if (state.leasedUntil > now || state.dueAt > now) continue;
      const rows = this.#head.all(queue, Math.min(Math.max(1, max), 256));
      if (rows.length === 0) {
        this.#queues.delete(queue);
        continue;
      }
      state.worker = worker;
      state.leasedUntil = now + LEASE_MILLISECONDS;
      // To the end of the line: every queue gets its turn.
      this.#queues.delete(queue);
      this.#queues.set(queue, state);
      return {
        queue,
        entries: fitting(rows.map((row) => ({ id: Number(row['id']), json: String(row['event']) }))),
        failures: state.failures,
        failingForMilliseconds: state.failures === 0 ? 0 : now - state.failingSince,
      };
    }
    return undefined;
  }

  /** Deletes what was delivered and frees the queue, now or after the delay; repeated, it changes nothing. */
  settle(settle: OutboxSettle, now: number): void {
    for (const id of settle.done) this.#delete.run(id);
    const state = this.#queues.get(settle.queue);
    if (state === undefined || state.worker !== settle.worker) return;
    state.leasedUntil = 0;
    if (settle.retryAfterMilliseconds === undefined) {
      state.failures = 0;
      state.dueAt = 0;
      return;
    }
    if (state.failures === 0 || settle.done.length > 0) state.failingSince = now;
    state.failures = settle.done.length > 0 ? 1 : state.failures + 1;
    state.dueAt = now + settle.retryAfterMilliseconds;
  }

  /** Drops everything that waits for the subscription. */
  drop(subscription: string): void {
    this.#deleteQueues.run(`${subscription}|`, `${subscription}}`);
    for (const queue of this.#queues.keys()) {
      if (queue.startsWith(`${subscription}|`)) this.#queues.delete(queue);
    }
  }

  count(): number {
    return Number(this.#count.get()?.['entries'] ?? 0);
  }
}

/** As many as go into one message, and at least one. */
function fitting(rows: readonly { readonly id: number; readonly json: string }[]): OutboxBatch['entries'] {
  let bytes = 0;
  const fit = rows.filter(({ json }, index) => {
    bytes += json.length;
    return index === 0 || bytes <= BATCH_BYTES;
  });
  return fit.map(({ id, json }) => ({ id, event: JSON.parse(json) as OutboxEvent }));
}

function freshQueue(): QueueState {
  return { leasedUntil: 0, dueAt: 0, failures: 0, failingSince: 0 };
}
