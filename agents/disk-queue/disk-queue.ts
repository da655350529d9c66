import { mkdir, open, unlink, type FileHandle } from 'node:fs/promises';
import { IotmanoError, messageOf, syncDirectory, type Logger } from '../../kernel/index.ts';
import { loadCursor, saveCursor, type Cursor } from './cursor.ts';
import { encodeEntry, HEADER_BYTES, type QueueEntry } from './record-format.ts';
import {
  closeQuietly,
  loadSegments,
  readSegment,
  segmentPath,
  weighSegment,
  type Segment,
} from './segments.ts';

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
  peek(limit: { readonly entries: number; readonly bytes: number }): Promise<readonly QueueEntry[]>;
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

const MAX_UNWRITTEN_ENTRIES = 1_000;
const MAX_UNWRITTEN_BYTES = 1024 * 1024;

/** Opens the queue in that directory, which nobody else may use, or makes it. */
export async function openDiskQueue(options: DiskQueueOptions): Promise<DiskQueue> {
  await mkdir(options.directory, { recursive: true, mode: 0o700 });
  const segments = await loadSegments(options.directory);
  const cursor = await loadCursor(options.directory);
  return new SegmentedQueue(options, segments, cursor);
}

class SegmentedQueue implements DiskQueue {
  readonly #options: DiskQueueOptions;
  readonly #segmentBytes: number;
  /** Oldest first; the last one is appended to. */
  readonly #segments: Segment[];
  /** Open for the last segment; absent after a failure, or before the first append. */
  #handle: FileHandle | undefined;
  #isDirty = false;
  /** Entries that the disk did not take, newest last; all newer than what is on disk. */
  #unwritten: QueueEntry[] = [];
  #unwrittenBytes = 0;
  #isFailing = false;
  #newest: number;
  #acknowledged: number;
  #dropped: number;
  #droppedTold: number;
  /** Newest entry that `peek` has handed out. */
  #handedOut = 0;
  /** Operations run one after the other. */
  #tail: Promise<unknown> = Promise.resolve();

  constructor(options: DiskQueueOptions, segments: Segment[], cursor: Cursor) {
    this.#options = options;
    this.#segmentBytes = Math.floor(options.maxBytes / 8);
    this.#segments = segments;
    this.#newest = Math.max(cursor.acknowledged, segments.at(-1)?.last ?? 0);
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
    if (payload.byteLength + HEADER_BYTES > this.#segmentBytes) {
      return Promise.reject(
        new IotmanoError(
          'payload-too-large',
          `an entry of ${payload.byteLength} bytes does not fit the queue in ${this.#options.directory}, which takes ${this.#segmentBytes - HEADER_BYTES} at most; send less at once`,
        ),
      );
    }
    return this.#inTurn(async () => {
      this.#newest += 1;
      const sequence = this.#newest;
      this.#unwritten.push({ sequence, weight, payload: Buffer.from(payload) });
      this.#unwrittenBytes += payload.byteLength;
      await this.#writeOut();
      return sequence;
    });
  }

  peek(limit: { readonly entries: number; readonly bytes: number }): Promise<readonly QueueEntry[]> {
    return this.#inTurn(async () => {
      await this.#writeOut();
      await this.#guarded(() => this.#syncIfDirty());
      const found = await this.#oldest(limit);
      this.#handedOut = Math.max(this.#handedOut, found.at(-1)?.sequence ?? 0);
      return found;
    });
  }

  async #oldest(limit: { readonly entries: number; readonly bytes: number }): Promise<readonly QueueEntry[]> {
    const found: QueueEntry[] = [];
    let bytesLeft = limit.bytes;
    const take = (entry: QueueEntry): boolean => {
      if (found.length >= limit.entries || (found.length > 0 && entry.payload.length > bytesLeft))
        return false;
      found.push(entry);
      bytesLeft -= entry.payload.length;
      return true;
    };
    for (const segment of this.#segments) {
      const rest = { entries: limit.entries - found.length, bytes: bytesLeft };
      for (const entry of await readSegment(segment, this.#acknowledged, rest))
        if (!take(entry)) return found;
    }
    for (const entry of this.#unwritten) {
      if (entry.sequence > this.#acknowledged && !take(entry)) return found;
    }
    return found;
  }

  acknowledge(through: number, droppedTold = 0): Promise<void> {
    return this.#inTurn(async () => {
      if (through <= this.#acknowledged) return;
      this.#acknowledged = Math.min(through, this.#newest);
      this.#droppedTold = Math.max(this.#droppedTold, droppedTold);
      this.#forgetUnwritten((entry) => entry.sequence <= this.#acknowledged);
      await this.#guarded(async () => {
        await saveCursor(this.#options.directory, this);
        await this.#removeAcknowledged();
      });
    });
  }

  close(): Promise<void> {
    return this.#inTurn(async () => {
      await this.#writeOut();
      await this.#guarded(() => this.#syncIfDirty());
      await closeQuietly(this.#handle);
      this.#handle = undefined;
    });
  }

  #inTurn<Result>(task: () => Promise<Result>): Promise<Result> {
    const result = this.#tail.then(task);
    this.#tail = result.catch(() => undefined);
    return result;
  }

  /** Moves what waits in memory to the disk, in order; where the disk refuses, it goes on waiting. */
  async #writeOut(): Promise<void> {
    if (this.#unwritten.length === 0) return;
    const isWritten = await this.#guarded(async () => {
      while (this.#unwritten[0] !== undefined) {
        await this.#write(this.#unwritten[0]);
        this.#unwrittenBytes -= this.#unwritten[0].payload.length;
        this.#unwritten.shift();
        // After each one: a backlog larger than the bound must not need more room than the bound.
        await this.#dropBeyondBound();
      }
      if (this.#options.sync === 'each') await this.#syncIfDirty();
    });
    if (isWritten) return;
    let excess = this.#unwritten.length - MAX_UNWRITTEN_ENTRIES;
    this.#forgetUnwritten((entry) => {
      if (excess <= 0 && this.#unwrittenBytes <= MAX_UNWRITTEN_BYTES) return false;
      excess -= 1;
      this.#dropped += entry.sequence > Math.max(this.#acknowledged, this.#handedOut) ? entry.weight : 0;
      return true;
    });
  }

  #forgetUnwritten(isForgotten: (entry: QueueEntry) => boolean): void {
    while (this.#unwritten[0] !== undefined && isForgotten(this.#unwritten[0])) {
      this.#unwrittenBytes -= this.#unwritten[0].payload.length;
      this.#unwritten.shift();
    }
  }

  async #write(entry: QueueEntry): Promise<void> {
    const bytes = encodeEntry(entry);
    const current = await this.#openSegment(entry.sequence, bytes.length);
    const { bytesWritten } = await current.handle.write(bytes, 0, bytes.length, current.segment.bytes);
    if (bytesWritten !== bytes.length) throw new IotmanoError('unavailable', 'the disk took half an entry');
    current.segment.bytes += bytes.length;
    current.segment.last = entry.sequence;
    if (current.isNew) this.#segments.push(current.segment);
    this.#isDirty = true;
  }

  /** The segment to append to: the open one while there is room, else a new one. */
  async #openSegment(
    sequence: number,
    entryBytes: number,
  ): Promise<{ handle: FileHandle; segment: Segment; isNew: boolean }> {
    const last = this.#segments.at(-1);
    if (this.#handle !== undefined && last !== undefined && last.bytes + entryBytes <= this.#segmentBytes) {
      return { handle: this.#handle, segment: last, isNew: false };
    }
    await this.#syncIfDirty();
    await closeQuietly(this.#handle);
    const path = segmentPath(this.#options.directory, sequence);
    this.#handle = await open(path, 'w', 0o600);
    await syncDirectory(this.#options.directory);
    return {
      handle: this.#handle,
      segment: { path, first: sequence, last: sequence, bytes: 0 },
      isNew: true,
    };
  }

  async #syncIfDirty(): Promise<void> {
    if (!this.#isDirty || this.#handle === undefined) return;
    await this.#handle.datasync();
    this.#isDirty = false;
  }

  async #dropBeyondBound(): Promise<void> {
    let total = this.#segments.reduce((sum, segment) => sum + segment.bytes, 0);
    while (total > this.#options.maxBytes && this.#segments.length > 1) {
      const oldest = this.#segments[0];
      if (oldest === undefined) return;
      this.#dropped += await weighSegment(oldest, Math.max(this.#acknowledged, this.#handedOut));
      await this.#removeOldest(oldest);
      total -= oldest.bytes;
      await saveCursor(this.#options.directory, this);
    }
  }

  /** The newest segment always stays: it is what remembers the sequence, should the cursor be lost. */
  async #removeAcknowledged(): Promise<void> {
    while (this.#segments.length > 1) {
      const oldest = this.#segments[0];
      if (oldest === undefined || oldest.last > this.#acknowledged) return;
      await this.#syncIfDirty();
      await this.#removeOldest(oldest);
    }
  }

  async #removeOldest(oldest: Segment): Promise<void> {
    await unlink(oldest.path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
    });
    this.#segments.shift();
  }

  /** Runs what touches the disk; a failure is logged once, and the next write begins a new segment. */
  async #guarded(task: () => Promise<void>): Promise<boolean> {
    try {
      await task();
      if (this.#isFailing)
        this.#options.log.info({ directory: this.#options.directory }, 'queue disk works again');
      this.#isFailing = false;
      return true;
    } catch (error) {
      if (!this.#isFailing) {
        const reason = messageOf(error);
        this.#options.log.warn(
          { directory: this.#options.directory, reason },
          'queue disk failed, entries wait in memory',
        );
      }
      this.#isFailing = true;
      await closeQuietly(this.#handle);
      this.#handle = undefined;
      this.#isDirty = false;
      return false;
    }
  }
}
