import { open, unlink, type FileHandle } from 'node:fs/promises';
import { IotmanoError } from '../../kernel/index.ts';
import { syncDirectory } from '../../vim-drivers/host-files/index.ts';
import { encodeEntry, HEADER_BYTES, type QueueEntry } from './record-format.ts';
import {
  closeQuietly,
  loadSegments,
  readSegment,
  segmentPath,
  weighSegment,
  type Segment,
} from './segments.ts';

/** Of a message: at most so many entries and so many bytes of payload. */
export interface ReadLimit {
  readonly entries: number;
  readonly bytes: number;
}

/** The entries on disk, in segments of an eighth of the bound. Whatever fails throws, and the next write begins a new segment. */
export class SegmentLog {
  readonly #directory: string;
  readonly #maxBytes: number;
  readonly #segmentBytes: number;
  /** Oldest first; the last one is appended to. */
  readonly #segments: Segment[];
  /** Open for the last segment; absent after a failure, or before the first write. */
  #handle: FileHandle | undefined;
  #isDirty = false;

  private constructor(directory: string, maxBytes: number, segments: Segment[]) {
    this.#directory = directory;
    this.#maxBytes = maxBytes;
    this.#segmentBytes = Math.floor(maxBytes / 8);
    this.#segments = segments;
  }

  static async open(directory: string, maxBytes: number): Promise<SegmentLog> {
    return new SegmentLog(directory, maxBytes, await loadSegments(directory));
  }

  /** Sequence of the newest entry, 0 where there is none. */
  get newest(): number {
    return this.#segments.at(-1)?.last ?? 0;
  }

  /** Payloads up to so many bytes fit. */
  get maxPayloadBytes(): number {
    return this.#segmentBytes - HEADER_BYTES;
  }

  /** Appends an entry; it survives the process, and a loss of power once `sync` was called. */
  async write(entry: QueueEntry): Promise<void> {
    const bytes = encodeEntry(entry);
    const { handle, segment, isNew } = await this.#openSegment(entry.sequence, bytes.length);
    const { bytesWritten } = await handle.write(bytes, 0, bytes.length, segment.bytes);
    if (bytesWritten !== bytes.length) throw new IotmanoError('unavailable', 'the disk took half an entry');
    segment.bytes += bytes.length;
    segment.last = entry.sequence;
    if (isNew) this.#segments.push(segment);
    this.#isDirty = true;
  }

  async sync(): Promise<void> {
    if (!this.#isDirty || this.#handle === undefined) return;
    await this.#handle.datasync();
    this.#isDirty = false;
  }

  /** The oldest entries after that sequence; one at least where there is one. */
  async read(afterSequence: number, limit: ReadLimit): Promise<readonly QueueEntry[]> {
    const found: QueueEntry[] = [];
    let bytes = 0;
    for (const segment of this.#segments) {
      const rest = { entries: limit.entries - found.length, bytes: limit.bytes - bytes };
      for (const entry of await readSegment(segment, afterSequence, rest)) {
        if (found.length > 0 && bytes + entry.payload.length > limit.bytes) return found;
        found.push(entry);
        bytes += entry.payload.length;
      }
    }
    return found;
  }

  /** Removes the oldest segment if there is more than the bound; what its entries after that sequence count for, or nothing. */
  async dropBeyondBound(afterSequence: number): Promise<number | undefined> {
    const [oldest] = this.#segments;
    const total = this.#segments.reduce((sum, segment) => sum + segment.bytes, 0);
    if (oldest === undefined || total <= this.#maxBytes || this.#segments.length === 1) return undefined;
    const weight = await weighSegment(oldest, afterSequence);
    await this.#removeOldest(oldest);
    return weight;
  }

  /** Removes segments up to that sequence. The newest always stays: it is what remembers the sequence, should the cursor be lost. */
  async removeThrough(sequence: number): Promise<void> {
    while (this.#segments.length > 1) {
      const [oldest] = this.#segments;
      if (oldest === undefined || oldest.last > sequence) return;
      await this.sync();
      await this.#removeOldest(oldest);
    }
  }

  /** Lets go of the open file: at the end, or because the disk failed. What was not synced is on its own. */
  async close(): Promise<void> {
    await closeQuietly(this.#handle);
    this.#handle = undefined;
    this.#isDirty = false;
  }

  /** The segment to append to: the open one while there is room, else a new one. */
  async #openSegment(
    sequence: number,
    entryBytes: number,
  ): Promise<{ handle: FileHandle; segment: Segment; isNew: boolean }> {
    const last = this.#segments.at(-1);
    if (this.#handle !== undefined && last !== undefined && last.bytes + entryBytes <= this.#segmentBytes)
      return { handle: this.#handle, segment: last, isNew: false };
    await this.sync();
    await closeQuietly(this.#handle);
    const path = segmentPath(this.#directory, sequence);
    this.#handle = await open(path, 'w', 0o600);
    await syncDirectory(this.#directory);
    return {
      handle: this.#handle,
      segment: { path, first: sequence, last: sequence, bytes: 0 },
      isNew: true,
    };
  }

  async #removeOldest(oldest: Segment): Promise<void> {
    await unlink(oldest.path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
    });
    this.#segments.shift();
  }
}
