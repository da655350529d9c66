import type { QueueEntry } from './record-format.ts';

const MAX_ENTRIES = 1_000;
const MAX_BYTES = 1024 * 1024;

/** Entries that the disk has not taken yet, oldest first; all newer than what is on disk. */
export class Backlog {
  #entries: QueueEntry[] = [];
  #bytes = 0;

  get entries(): readonly QueueEntry[] {
    return this.#entries;
  }

  get oldest(): QueueEntry | undefined {
    return this.#entries[0];
  }

  push(entry: QueueEntry): void {
    this.#entries.push(entry);
    this.#bytes += entry.payload.length;
  }

  removeOldest(): void {
    this.#bytes -= this.#entries.shift()?.payload.length ?? 0;
  }

  removeThrough(sequence: number): void {
    while (this.oldest !== undefined && this.oldest.sequence <= sequence) this.removeOldest();
  }

  /** Removes the oldest until memory is within bounds, and gives them. */
  removeExcess(): readonly QueueEntry[] {
    const removed: QueueEntry[] = [];
    while (this.oldest !== undefined && (this.#entries.length > MAX_ENTRIES || this.#bytes > MAX_BYTES)) {
      removed.push(this.oldest);
      this.removeOldest();
    }
    return removed;
  }
}
