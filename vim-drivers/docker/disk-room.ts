import { statfs } from 'node:fs/promises';
import { IotmanoError } from '../../kernel/index.ts';
import type { Engine } from './engine.ts';

/** Room that is left alone: an engine whose disk is full fails in ways that nobody understands. */
const RESERVED_BYTES = 256 * 1024 ** 2;
/** Images are stored unpacked, and archives of them are often compressed. */
const UNPACKED_FACTOR = 3;

export interface DiskRoom {
  readonly totalBytes: number;
  readonly freeBytes: number;
}

/** The disk that the engine keeps its images on. Nothing for an engine on another machine: its interface does not tell. */
export async function measureDisk(engine: Engine, rootDirectory: string): Promise<DiskRoom | undefined> {
  if (!engine.isLocal) return undefined;
  try {
    const { bsize, blocks, bavail } = await statfs(rootDirectory);
    return { totalBytes: bsize * blocks, freeBytes: bsize * bavail };
  } catch {
    return undefined; // the engine is in a container of its own, or behind a forwarded socket
  }
}

/** @throws IotmanoError `unavailable` when what is to be fetched would not fit */
export function demandRoom(room: DiskRoom | undefined, image: string, fetchedBytes: number): void {
  if (room === undefined) return;
  const neededBytes = fetchedBytes * UNPACKED_FACTOR + RESERVED_BYTES;
  if (room.freeBytes >= neededBytes) return;
  throw new IotmanoError(
    'unavailable',
    `the engine's disk has ${mebibytes(room.freeBytes)} free and the image ${image} may need ${mebibytes(neededBytes)}; make room, for instance with docker image prune`,
    { freeBytes: room.freeBytes, neededBytes },
  );
}

function mebibytes(bytes: number): string {
  return `${Math.round(bytes / 1024 ** 2)} MiB`;
}
