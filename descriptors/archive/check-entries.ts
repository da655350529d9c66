import type { Entry } from 'yauzl';
import type { Fault } from '../types.ts';
import { decodePath, foldPath, pathProblem } from './entry-path.ts';
import type { PackageLimits } from './limits.ts';
import { packageFault, type PackageRule } from './package-fault.ts';

/** A file of the package as its directory states it; nothing of it has been unpacked. */
export interface PackageEntry {
  readonly path: string;
  readonly sizeBytes: number;
  readonly entry: Entry;
}

export interface CheckedEntries {
  readonly files: readonly PackageEntry[];
  readonly faults: readonly Fault[];
}

/** Looks at the directory of the ZIP alone: everything hostile that can be seen there is told at once. */
export function checkEntries(entries: readonly Entry[], limits: PackageLimits): CheckedEntries {
  const faults = entries.flatMap((entry) => entryFaults(entry, limits));
  const files = entries.flatMap((entry) => {
    const path = nameOf(entry);
    return path.endsWith('/') ? [] : [{ path, sizeBytes: entry.uncompressedSize, entry }];
  });
  return { files, faults: [...faults, ...totalFaults(entries, limits), ...duplicateFaults(entries)] };
}

function nameOf({ fileNameRaw }: Entry): string {
  return decodePath(fileNameRaw) ?? fileNameRaw.toString('latin1');
}

const FILE_TYPE_MASK = 0o170000;
const REGULAR = 0o100000;
const DIRECTORY = 0o040000;
const STORED = 0;
const DEFLATED = 8;
/** Smaller entries may have any ratio. */
const LARGE = 1024 * 1024;

function entryFaults(entry: Entry, limits: PackageLimits): Fault[] {
  const path = nameOf(entry).slice(0, 255);
  const faults: Fault[] = [];
  const add = (rule: PackageRule, message: string, remedy: string) =>
    faults.push(packageFault(rule, path, message, remedy));
  const problem = pathProblem(entry.fileNameRaw);
  if (problem !== undefined) {
    const remedy = 'use relative paths with "/" and portable names';
    add('package/bad-path', `the path ${JSON.stringify(path)} ${problem}`, remedy);
  }
  const type = (entry.externalFileAttributes >>> 16) & FILE_TYPE_MASK;
  if (type !== 0 && type !== REGULAR && type !== DIRECTORY)
    add('package/link', `${path} is a link or a special file`, 'put the file itself into the package');
  if (entry.isEncrypted()) add('package/encrypted', `${path} is encrypted`, 'pack it without a password');
  if (entry.compressionMethod !== STORED && entry.compressionMethod !== DEFLATED) {
    const message = `${path} is compressed with method ${entry.compressionMethod}`;
    add('package/compression', message, 'use deflate or none');
  }
  if (entry.uncompressedSize > LARGE && entry.uncompressedSize > entry.compressedSize * limits.ratio) {
    const message = `${path} would unpack to more than ${limits.ratio} times its size`;
    add('package/too-large', message, 'pack it as an archive of its own');
  }
  return faults;
}

function totalFaults(entries: readonly Entry[], limits: PackageLimits): Fault[] {
  const total = entries.reduce((sum, { uncompressedSize }) => sum + uncompressedSize, 0);
  if (total <= limits.totalBytes) return [];
  const message = `the package would unpack to ${total} bytes; allowed are ${limits.totalBytes}`;
  const remedy = 'leave out what is not needed, or ask the operator for a higher limit';
  return [packageFault('package/too-large', '', message, remedy)];
}

function duplicateFaults(entries: readonly Entry[]): Fault[] {
  const byKey = new Map<string, string>();
  const faults: Fault[] = [];
  const paths = entries.map(nameOf);
  for (const path of paths) {
    const other = byKey.get(foldPath(path));
    byKey.set(foldPath(path), path);
    if (other === undefined) continue;
    const message = `${path} is there twice${other === path ? '' : `, once as ${other}`}`;
    faults.push(packageFault('package/duplicate', path, message, 'keep one of the two'));
  }
  return [...faults, ...paths.flatMap((path) => folderFaults(path, byKey))];
}

/** A file cannot also be a folder. */
function folderFaults(path: string, byKey: ReadonlyMap<string, string>): Fault[] {
  const parts = path.replace(/\/$/, '').split('/').slice(0, 64);
  for (let length = 1; length < parts.length; length++) {
    const folder = byKey.get(foldPath(parts.slice(0, length).join('/')));
    if (folder === undefined || folder.endsWith('/')) continue;
    const message = `${folder} is a file and the folder of ${path}`;
    return [packageFault('package/duplicate', path, message, 'rename one of them')];
  }
  return [];
}
