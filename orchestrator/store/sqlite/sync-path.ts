import { closeSync, fsyncSync, openSync } from 'node:fs';

/** Puts a file, or the names in a directory, on the disk. */
export function syncPath(path: string): void {
  const file = openSync(path, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
