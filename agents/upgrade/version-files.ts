import { readdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { IotmanoError } from '../../kernel/index.ts';

/** Where versions are kept. */
export function versionsDirectory(dataDirectory: string): string {
  return join(dataDirectory, 'agent');
}

/** The file of a version. @throws IotmanoError `internal` where that is no digest */
export function versionFile(dataDirectory: string, digest: string): string {
  const hex = /^sha256:([0-9a-f]{64})$/.exec(digest)?.[1];
  if (hex === undefined) throw new IotmanoError('internal', `${JSON.stringify(digest)} is no digest`);
  return join(versionsDirectory(dataDirectory), `${hex}.mjs`);
}

/** Removes the files of all other versions. */
export async function removeOtherVersions(dataDirectory: string, keep: ReadonlySet<string>): Promise<void> {
  const kept = new Set([...keep].map((digest) => basename(versionFile(dataDirectory, digest))));
  const directory = versionsDirectory(dataDirectory);
  for (const name of await readdir(directory).catch(() => []))
    if (name.endsWith('.mjs') && !kept.has(name)) await rm(`${directory}/${name}`, { force: true });
}
