import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, lstat, mkdir, readdir, readFile, realpath, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Types of file systems that are in memory (`statfs`): tmpfs and ramfs. */
const IN_MEMORY = new Set([0x01021994, 0x858458f6]);

/** File that names the data directory which a directory in memory belongs to. */
const OWNER = 'data-directory';

/** Where a host may have a file system in memory, and what is to be made there. */
interface Place {
  readonly parent: string;
  readonly name: string;
}

/**
 * A directory in memory for what must not be on a disk, of one data directory: the same after a restart, gone after a reboot. Undefined where the host has none.
 * @param runtimeDirectory `$XDG_RUNTIME_DIR`, which is gone when its user is logged out; used where no other place is
 */
export async function findMemoryDirectory(
  dataDirectory: string,
  runtimeDirectory: string | undefined,
): Promise<string | undefined> {
  const uid = process.getuid?.() ?? 0;
  const places: Place[] = [
    ...(uid === 0 ? [{ parent: '/run', name: 'iotmano' }] : []),
    { parent: '/dev/shm', name: `iotmano-${uid}` },
    ...(runtimeDirectory === undefined ? [] : [{ parent: runtimeDirectory, name: 'iotmano' }]),
  ];
  const of = await realpath(dataDirectory);
  const own = createHash('sha256').update(of).digest('hex').slice(0, 16);
  for (const place of places) {
    const directory = await openPlace(place, uid);
    if (directory === undefined) continue;
    await sweep(directory);
    await mkdir(join(directory, own), { recursive: true, mode: 0o700 });
    await writeFile(join(directory, own, OWNER), of, { mode: 0o600 });
    return join(directory, own);
  }
  return undefined;
}

/** What belonged to a data directory that somebody has deleted goes, too. */
async function sweep(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    const of = await readFile(join(directory, name, OWNER), 'utf8').catch(() => '');
    if (of !== '' && !existsSync(of)) await rm(join(directory, name), { recursive: true, force: true });
  }
}

/** A directory that is ours alone: where somebody else was first, as anybody can be in /dev/shm, it is not used. */
async function openPlace({ parent, name }: Place, uid: number): Promise<string | undefined> {
  try {
    if (!IN_MEMORY.has((await statfs(parent)).type)) return undefined;
    const directory = join(parent, name);
    await mkdir(directory, { mode: 0o700 }).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    });
    const found = await lstat(directory);
    if (!found.isDirectory() || found.uid !== uid) return undefined;
    if ((found.mode & 0o077) !== 0) await chmod(directory, 0o700);
    return directory;
  } catch {
    return undefined;
  }
}
