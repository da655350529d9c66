import { readFile } from 'node:fs/promises';
import { IotmanoError, messageOf } from '../kernel/index.ts';

/** Reads what a version of ours has written, from the oldest version to this one. Pure. */
export interface Versioned<Document> {
  /** The `schemaVersion` that this program writes. */
  readonly version: number;
  /** Version → what turns a document of it into one of the next version. */
  readonly upcasters: Readonly<
    Record<number, (document: Record<string, unknown>) => Record<string, unknown>>
  >;
  /** Into the typed document; throws where it is not one. */
  readonly parse: (document: Record<string, unknown>) => Document;
}

/**
 * Reads a JSON document with a `schemaVersion`; undefined where there is no file.
 * @throws IotmanoError `store-newer` where a newer version has written it, `store-failed` where it cannot be read
 */
export async function readVersioned<Document>(
  path: string,
  { version, upcasters, parse }: Versioned<Document>,
): Promise<Document | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw unreadable(path, error);
  }
  let document: Record<string, unknown>;
  try {
    document = parseObject(text);
  } catch (error) {
    throw unreadable(path, error);
  }
  const found = document['schemaVersion'];
  if (typeof found === 'number' && found > version) {
    throw new IotmanoError(
      'store-newer',
      `${path} was written by a newer version of iotmano (schemaVersion ${found}, this one knows up to ${version}); run that version, or a newer one`,
      { path, found, known: version },
    );
  }
  try {
    let current = document;
    for (let at = Number(found); at < version; at += 1) {
      const upcast = upcasters[at];
      if (upcast === undefined) throw new TypeError(`no way to read schemaVersion ${String(found)}`);
      current = upcast(current);
    }
    return parse(current);
  } catch (error) {
    throw unreadable(path, error);
  }
}

function parseObject(text: string): Record<string, unknown> {
  const value: unknown = JSON.parse(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new TypeError('it is not a JSON object');
  return value as Record<string, unknown>;
}

function unreadable(path: string, cause: unknown): IotmanoError {
  return new IotmanoError(
    'store-failed',
    `${path} cannot be read: ${messageOf(cause)}; restore it from a backup, or move it away to begin anew`,
    { path },
    cause,
  );
}
