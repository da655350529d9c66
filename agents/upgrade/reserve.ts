import { randomBytes } from 'node:crypto';
import { mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { versionsDirectory } from './version-files.ts';

/** More than an agent writes at its start, and to say how a trial ended. */
const RESERVE_BYTES = 512 * 1024;

/**
 * Takes the room on the disk that the way back needs, so that a disk which gets full while a version is tried does not keep the version before from
 * starting. @throws where there is no such room: nothing is to be tried then
 */
export async function reserveRoom(dataDirectory: string): Promise<void> {
  await mkdir(versionsDirectory(dataDirectory), { recursive: true, mode: 0o700 });
  const file = await open(reserveFile(dataDirectory), 'w', 0o600);
  try {
    // Random, for what a file system can compress takes no room.
    await file.writeFile(randomBytes(RESERVE_BYTES));
    await file.sync();
  } catch (error) {
    await releaseRoom(dataDirectory);
    throw error;
  } finally {
    await file.close();
  }
}

/** Gives it back; nothing where none is taken. */
export async function releaseRoom(dataDirectory: string): Promise<void> {
  await rm(reserveFile(dataDirectory), { force: true });
}

function reserveFile(dataDirectory: string): string {
  return join(versionsDirectory(dataDirectory), 'reserve');
}
