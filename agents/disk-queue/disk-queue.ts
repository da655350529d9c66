import { mkdir } from 'node:fs/promises';
import { IotmanoError, createTurns, messageOf, type Logger } from '../../kernel/index.ts';
import { Backlog } from './backlog.ts';
import { loadCursor, saveCursor, type Cursor } from './cursor.ts';
import type { QueueEntry } from './record-format.ts';
import { SegmentLog, type ReadLimit } from './segment-log.ts';

export interface DiskQueueOptions {
  readonly directory: string;
  /** Bound of what is kept on disk; the oldest are dropped in pieces of an eighth of it. */
  readonly maxBytes: number;
  /**
   * `each`: an entry is on disk, power loss included, when `append` resolves.
   * `before-read`: only when it was handed out by `peek`; until then it survives a killed process, but not a power loss.
   */
  readonly sync: 'each' | 'before-read';
  readonly log: Logger;
}

export interface DiskQueue {
  /**
   * Takes an entry; resolves with its sequence. A full or failing disk is no error: entries then wait in memory, bounded, for the disk.
   * @throws IotmanoError `payload-too-large` when it is larger than an eighth of the bound
   */
  append(payload: Uint8Array, weight?: number): Promise<number>;
  /**
   * The oldest entries that are not acknowledged; one at least where there is one. Who has them keeps them until they are
   * acknowledged: they no longer count as dropped, should the bound be reached meanwhile.
   */
  peek(limit: ReadLimit): Promise<readonly QueueEntry[]>;
  /** Forgets all entries up to that sequence; `droppedTold`: value of `dropped` that was told together with them. */
  acknowledge(through: number, droppedTold?: number): Promise<void>;
  readonly acknowledged: number;
  /** Sequence of the newest entry, 0 where there has been none. */
  readonly newest: number;
  /** Weight of the entries lost to the bound or to a disk that stayed full, since the queue was made. */
  readonly dropped: number;
  /** How much of `dropped` was told to somebody. */
  readonly droppedTold: number;
  close(): Promise<void>;
}

/** Opens the queue in that directory, which nobody else may use, or makes it. */
export async function openDiskQueue(options: DiskQueueOptions): Promise<DiskQueue> {
  await mkdir(options.directory, { recursive: true, mode: 0o700 });
  const entries = await SegmentLog.open(options.directory, options.maxBytes);
  return new BoundedQueue(options, entries, await loadCursor(options.directory));
}

class BoundedQueue implements DiskQueue {
  readonly #options: DiskQueueOptions;
  readonly #log: SegmentLog;
  readonly #backlog = new Backlog();
  #isFailing = false;
  #newest: number;
  #acknowledged: number;
  #dropped: number;
  #droppedTold: number;
  /** Newest entry that `peek` has handed out. */
  #handedOut = 0;
  readonly #inTurn = createTurns();

  constructor(options: DiskQueueOptions, log: SegmentLog, cursor: Cursor) {
    this.#options = options;
    this.#log = log;
    this.#newest = Math.max(cursor.acknowledged, log.newest);
    this.#acknowledged = cursor.acknowledged;
    this.#dropped = cursor.dropped;
    this.#droppedTold = cursor.droppedTold;
  }

  get acknowledged(): number {
    return this.#acknowledged;
  }

  get newest(): number {
    return this.#newest;
  }

  get dropped(): number {
    return this.#dropped;
  }

  get droppedTold(): number {
    return this.#droppedTold;
  }

  append(payload: Uint8Array, weight = 1): Promise<number> {
    const { maxPayloadBytes } = this.#log;
    if (payload.byteLength > maxPayloadBytes) {
      return Promise.reject(
        new IotmanoError(
          'payload-too-large',
          `an entry of ${payload.byteLength} bytes does not fit the queue in ${this.#options.directory}, which takes ${maxPayloadBytes} at most; send less at once`,
        ),
      );
    }
    return this.#inTurn(async () => {
      this.#newest += 1;
      const sequence = this.#newest;
      this.#backlog.push({ sequence, weight, payload: Buffer.from(payload) });
      await this.#writeOut();
      return sequence;
    });
  }

  peek(limit: ReadLimit): Promise<readonly QueueEntry[]> {
    return this.#inTurn(async () => {
      await this.#writeOut();
      await this.#guarded(() => this.#log.sync());
      const found = await this.#oldest(limit);
      this.#handedOut = Math.max(this.#handedOut, found.at(-1)?.sequence ?? 0);
      return found;
    });
  }

  async #oldest(limit: ReadLimit): Promise<readonly QueueEntry[]> {
    const found = [...(await this.#log.read(this.#acknowledged, limit))];
    if ((found.at(-1)?.sequence ?? this.#log.newest) < this.#log.newest) return found;
    let bytes = found.reduce((sum, { payload }) => sum + payload.length, 0);
    for (const entry of this.#backlog.entries) {
      bytes += entry.payload.length;
      if (found.length >= limit.entries || (found.length > 0 && bytes > limit.bytes)) break;
      found.push(entry);
    }
    return found;
  }

  acknowledge(through: number, droppedTold = 0): Promise<void> {
    return this.#inTurn(async () => {
      if (through <= this.#acknowledged) return;
      this.#acknowledged = Math.min(through, this.#newest);
      this.#droppedTold = Math.max(this.#droppedTold, droppedTold);
      this.#backlog.removeThrough(this.#acknowledged);
      await this.#guarded(async () => {
        await saveCursor(this.#options.directory, this);
        await this.#log.removeThrough(this.#acknowledged);
      });
    });
  }

  close(): Promise<void> {
    return this.#inTurn(async () => {
      await this.#writeOut();
      await this.#guarded(() => this.#log.sync());
      await this.#log.close();
    });
  }

  /** What comes up to here is acknowledged, or with somebody who keeps it: it cannot be lost. */
  get #safe(): number {
    return Math.max(this.#acknowledged, this.#handedOut);
  }

  /** Moves what waits in memory to the disk, in order; where the disk refuses, it goes on waiting. */
  async #writeOut(): Promise<void> {
    if (this.#backlog.oldest === undefined) return;
    const isWritten = await this.#guarded(async () => {
      while (this.#backlog.oldest !== undefined) {
        await this.#log.write(this.#backlog.oldest);
        this.#backlog.removeOldest();
        // After each one: a backlog larger than the bound must not need more room than the bound.
        await this.#dropBeyondBound();
      }
      if (this.#options.sync === 'each') await this.#log.sync();
    });
    if (isWritten) return;
    for (const { sequence, weight } of this.#backlog.removeExcess())
      this.#dropped += sequence > this.#safe ? weight : 0;
  }

  async #dropBeyondBound(): Promise<void> {
    for (;;) {
      const weight = await this.#log.dropBeyondBound(this.#safe);
      if (weight === undefined) return;
      this.#dropped += weight;
      await saveCursor(this.#options.directory, this);
    }
  }

  /** Runs what touches the disk; whether it did. A failure is logged once. */
  async #guarded(task: () => Promise<void>): Promise<boolean> {
    const { log, directory } = this.#options;
    try {
      await task();
      if (this.#isFailing) log.info({ directory }, 'queue disk works again');
      this.#isFailing = false;
      return true;
    } catch (error) {
      if (!this.#isFailing)
        log.warn({ directory, reason: messageOf(error) }, 'queue disk failed, entries wait in memory');
      this.#isFailing = true;
      await this.#log.close();
      return false;
    }
  }
}
