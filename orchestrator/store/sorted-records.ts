import type { StoredRecord } from './contract.ts';

/**
 * The records of one kind: by id in constant time, and in order of id without ever sorting.
 * Order is kept in chunks of bounded size, so that an insertion moves a few hundred references at most.
 */
export interface SortedRecords {
  readonly size: number;
  get(id: string): StoredRecord | undefined;
  /** Adds, or replaces the record of the same id. */
  set(record: StoredRecord): void;
  delete(id: string): void;
  /** In order of id; `prefix` narrows it. May be walked while records come and go. */
  walk(prefix: string): Generator<StoredRecord, void, undefined>;
}

/** Shared by the map and the order, so that a replaced record needs no search. */
interface Cell {
  readonly id: string;
  record: StoredRecord;
}

const CHUNK_LIMIT = 512;

export function createSortedRecords(): SortedRecords {
  const cells = new Map<string, Cell>();
  const chunks: Cell[][] = [];
  let moves = 0;

  function insert(cell: Cell): void {
    moves += 1;
    const position = Math.max(0, chunkOf(chunks, cell.id));
    const chunk = chunks[position];
    if (chunk === undefined) {
      chunks.push([cell]);
      return;
    }
    chunk.splice(firstAtOrAfter(chunk, cell.id), 0, cell);
    if (chunk.length > CHUNK_LIMIT) split(position, chunk);
  }

  /** In the middle; at the very end only the newest leaves, so that ids that come in order fill their chunks. */
  function split(position: number, chunk: Cell[]): void {
    const at = position === chunks.length - 1 ? CHUNK_LIMIT : CHUNK_LIMIT / 2;
    chunks.splice(position + 1, 0, chunk.splice(at));
  }

  function remove(id: string): void {
    moves += 1;
    const position = chunkOf(chunks, id);
    const chunk = chunks[position];
    if (chunk === undefined) return;
    chunk.splice(firstAtOrAfter(chunk, id), 1);
    if (chunk.length === 0) chunks.splice(position, 1);
  }

  function* walk(prefix: string): Generator<StoredRecord, void, undefined> {
    let position = { chunk: 0, index: 0 };
    let seenMoves = -1;
    let last: string | undefined;
    for (;;) {
      if (seenMoves !== moves) {
        position = last === undefined ? seek(chunks, prefix) : seek(chunks, last);
        seenMoves = moves;
        if (last !== undefined && cellAt(chunks, position)?.id === last) position.index += 1;
      }
      const chunk = chunks[position.chunk];
      if (chunk === undefined) return;
      const cell = chunk[position.index];
      if (cell === undefined) {
        position = { chunk: position.chunk + 1, index: 0 };
        continue;
      }
      if (!cell.id.startsWith(prefix)) return;
      last = cell.id;
      position.index += 1;
      yield cell.record;
    }
  }

  return {
    get size() {
      return cells.size;
    },
    get: (id) => cells.get(id)?.record,
    set: (record) => {
      const known = cells.get(record.id);
      if (known !== undefined) {
        known.record = record;
        return;
      }
      const cell = { id: record.id, record };
      cells.set(record.id, cell);
      insert(cell);
    },
    delete: (id) => {
      if (cells.delete(id)) remove(id);
    },
    walk,
  };
}

/** The last chunk that starts at or before the id; -1 when all start after it. */
function chunkOf(chunks: readonly Cell[][], id: string): number {
  let low = 0;
  let high = chunks.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((chunks[middle]?.[0]?.id ?? '') <= id) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

function firstAtOrAfter(chunk: readonly Cell[], id: string): number {
  let low = 0;
  let high = chunk.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((chunk[middle]?.id ?? '') < id) low = middle + 1;
    else high = middle;
  }
  return low;
}

function seek(chunks: readonly Cell[][], id: string): { chunk: number; index: number } {
  const position = Math.max(0, chunkOf(chunks, id));
  return { chunk: position, index: firstAtOrAfter(chunks[position] ?? [], id) };
}

function cellAt(chunks: readonly Cell[][], position: { chunk: number; index: number }): Cell | undefined {
  return chunks[position.chunk]?.[position.index];
}
