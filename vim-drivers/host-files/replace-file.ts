import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { createKeyedQueue } from '../../kernel/index.ts';

/** By path. */
const replacements = createKeyedQueue();

/**
 * Replaces a file as a whole: readers, and whoever comes after a crash, see the old or the new content, never a part. Only its owner may read it. Of
 * several at once the last one counts. One process at a time replaces a file.
 */
export function replaceFile(path: string, content: string): Promise<void> {
  return replacements.run(path, () => replace(path, content, false));
}

/** As `replaceFile`; the new content also survives a loss of power once the promise is fulfilled. */
export function replaceFileDurably(path: string, content: string): Promise<void> {
  return replacements.run(path, () => replace(path, content, true));
}

/** Makes what was created, renamed or removed in a directory survive a loss of power. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

async function replace(path: string, content: string, isDurable: boolean): Promise<void> {
  const temporary = `${path}.new`;
  try {
    await write(temporary, content, isDurable);
    await rename(temporary, path);
  } catch (error) {
    // On a full disk it would keep the room that is lacking.
    await rm(temporary, { force: true }).catch(() => undefined);
    throw error;
  }
  if (isDurable) await syncDirectory(dirname(path));
}

async function write(path: string, content: string, isDurable: boolean): Promise<void> {
  const file = await open(path, 'w', 0o600);
  try {
    await file.writeFile(content);
    if (isDurable) await file.datasync();
  } finally {
    await file.close();
  }
}
