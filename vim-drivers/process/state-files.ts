import { open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { IotmanoError, messageOf } from '../../kernel/index.ts';

let temporaryNumber = 0;

/**
 * Replaces a file as a whole: readers see the old or the new content, never a part.
 * `durable` also survives a loss of power once the promise is fulfilled.
 */
export async function replaceFile(path: string, content: string, durable = false): Promise<void> {
  temporaryNumber += 1;
  const temporary = `${path}.${process.pid}.${temporaryNumber}.tmp`;
  try {
    const file = await open(temporary, 'w', 0o600);
    try {
      await file.writeFile(content);
      if (durable) await file.datasync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    if (durable) await syncDirectory(dirname(path));
  } catch (error) {
    throw diskError(path, error);
  }
}

/** Makes what was created, renamed or removed in a directory survive a loss of power. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.datasync();
  } finally {
    await directory.close();
  }
}

/** The content, or nothing when there is no such file. */
export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw diskError(path, error);
  }
}

/** A JSON object that this driver wrote; nothing when the file is missing or was torn by a loss of power. */
export async function readRecord<T>(path: string): Promise<T | undefined> {
  const text = await readIfThere(path);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as T;
  } catch {
    return undefined;
  }
}

export function isMissing(error: unknown): boolean {
  return codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR' || codeOf(error) === 'ESRCH';
}

export function codeOf(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : undefined;
}

/** What the file system said, in the words of the error table: a full disk may have room again a little later. */
export function diskError(path: string, error: unknown): IotmanoError {
  if (error instanceof IotmanoError) return error;
  const passing = ['ENOSPC', 'EDQUOT', 'EMFILE', 'ENFILE', 'EAGAIN'].includes(codeOf(error) ?? '');
  const hint = codeOf(error) === 'ENOSPC' ? ': the disk is full; make room on it' : `: ${messageOf(error)}`;
  return new IotmanoError(
    passing ? 'unavailable' : 'driver-failed',
    `cannot write or read ${path}${hint}`,
    { path },
    error,
  );
}
