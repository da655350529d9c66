import { IotmanoError, messageOf } from '../../../kernel/index.ts';

/** What to say of a store whose content is not what was written. */
export function damaged(path: string, finding: string, cause?: unknown): IotmanoError {
  return new IotmanoError(
    'store-failed',
    `the state store ${path} is damaged: ${finding}. Nothing was changed. Restore the newest backup; hosts keep running what they run meanwhile`,
    { path, damaged: true },
    cause,
  );
}

const SQLITE_BUSY = 5;
const DAMAGE_CODES: ReadonlySet<number> = new Set([
  11 /* SQLITE_CORRUPT */, 26 /* SQLITE_NOTADB */, 24 /* SQLITE_FORMAT */,
]);

/** SQLite's primary result code of an error; undefined for other errors. */
function resultCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error)) return undefined;
  return Number(error.errcode) & 0xff;
}

export function isBusy(error: unknown): boolean {
  return resultCode(error) === SQLITE_BUSY;
}

/** Whatever opening or reading threw, in words for an operator. */
export function explain(path: string, error: unknown): IotmanoError {
  if (error instanceof IotmanoError) return error;
  const code = resultCode(error);
  if (code !== undefined && DAMAGE_CODES.has(code)) return damaged(path, messageOf(error), error);
  return new IotmanoError(
    'store-failed',
    `the state store ${path} cannot be opened: ${messageOf(error)}`,
    { path },
    error,
  );
}
