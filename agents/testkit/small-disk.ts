import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmdirSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A file system of its own that is soon full. */
export interface SmallDisk {
  readonly path: string;
  /** Takes all room that is left. */
  fill(): void;
  /** Gives it back. */
  makeRoom(): void;
  remove(): void;
}

/** Absent where this process may not mount one; says so, for then a test is skipped. */
export function mountSmallDisk(mebibytes: number): SmallDisk | undefined {
  const path = mkdtempSync(join(tmpdir(), 'small-disk-'));
  const words = ['-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'tmpfs', path];
  if (spawnSync('mount', words, { stdio: 'ignore' }).status !== 0) {
    rmdirSync(path);
    process.stderr.write('skipped: a test on a full disk needs the right to mount a tmpfs; run it as root\n');
    return undefined;
  }
  const filler = join(path, 'filler');
  return {
    path,
    fill: () => {
      const file = openSync(filler, 'w');
      for (const bytes of [65_536, 1024, 1]) while (hasRoomFor(file, bytes));
      closeSync(file);
    },
    makeRoom: () => rmSync(filler),
    remove: () => {
      spawnSync('umount', [path]);
      rmdirSync(path);
    },
  };
}

function hasRoomFor(file: number, bytes: number): boolean {
  try {
    return writeSync(file, Buffer.alloc(bytes)) === bytes;
  } catch {
    return false;
  }
}
