import { open, readFile } from 'node:fs/promises';
import { IotmanoError, messageOf } from '../../kernel/index.ts';
import { replaceFile as replace, replaceFileDurably as replaceDurably } from '../host-files/index.ts';

/** Replaces a file as a whole. @throws IotmanoError in the words of the error table */
export async function replaceFile(path: string, content: string): Promise<void> {
  await replace(path, content).catch(rethrow(path));
}

/** As `replaceFile`; also survives a loss of power once the promise is fulfilled. */
export async function replaceFileDurably(path: string, content: string): Promise<void> {
  await replaceDurably(path, content).catch(rethrow(path));
}

/**
 * As `replaceFile`; where there is no room for another file, the content is written over the old one, which needs none. For one short line
 * that readers can tell from half a line.
 */
export async function replaceOrOverwriteFile(path: string, content: string): Promise<void> {
  try {
    await replaceFile(path, content);
  } catch (error) {
    const file = await open(path, 'r+').catch(() => undefined);
    if (file === undefined) throw error;
    try {
      await file.write(content, 0);
      await file.truncate(Buffer.byteLength(content));
    } finally {
      await file.close();
    }
  }
}

function rethrow(path: string): (error: unknown) => never {
  return (error) => {
    throw diskError(path, error);
  };
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

function codeOf(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : undefined;
}

/** What the file system said, in the words of the error table: a full disk may have room again a little later. */
function diskError(path: string, error: unknown): IotmanoError {
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
