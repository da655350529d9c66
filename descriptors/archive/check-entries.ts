import type { Entry } from 'yauzl';
import type { Fault } from '../types.ts';
import { decodePath, foldPath, pathProblem } from './entry-path.ts';
import type { PackageLimits } from './limits.ts';
import { packageFault } from './package-fault.ts';

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

/** The raw name is a Buffer: entries are read with `decodeStrings: false`. */
function rawNameOf(entry: Entry): Buffer {
  return entry.fileNameRaw;
}

function nameOf(entry: Entry): string {
  return decodePath(rawNameOf(entry)) ?? rawNameOf(entry).toString('latin1');
}

const FILE_TYPE_MASK = 0o170000;
const REGULAR = 0o100000;
const DIRECTORY = 0o040000;
const STORED = 0;
const DEFLATED = 8;

function entryFaults(entry: Entry, limits: PackageLimits): Fault[] {
  const path = nameOf(entry);
  const shown = path.slice(0, 255);
  const problem = pathProblem(rawNameOf(entry));
  const faults: Fault[] = [];
  const add = (...fault: Parameters<typeof packageFault>) => faults.push(packageFault(...fault));
  if (problem !== undefined)
    add(
      'package/bad-path',
      shown,
      `the path ${JSON.stringify(shown)} ${problem}`,
      'use relative paths with "/" and portable names',
    );
  const type = (entry.externalFileAttributes >>> 16) & FILE_TYPE_MASK;
  if (type !== 0 && type !== REGULAR && type !== DIRECTORY)
    add(
      'package/link',
      shown,
      `${shown} is a link or a special file`,
      'put the file itself into the package',
    );
  if (entry.isEncrypted())
    add('package/encrypted', shown, `${shown} is encrypted`, 'pack it without a password');
  if (entry.compressionMethod !== STORED && entry.compressionMethod !== DEFLATED)
    add(
      'package/compression',
      shown,
      `${shown} is compressed with method ${entry.compressionMethod}`,
      'use deflate or none',
    );
  if (entry.uncompressedSize > 1024 * 1024 && entry.uncompressedSize > entry.compressedSize * limits.ratio)
    add(
      'package/too-large',
      shown,
      `${shown} would unpack to more than ${limits.ratio} times its size`,
      'pack it as an archive of its own',
    );
  return faults;
}

function totalFaults(entries: readonly Entry[], limits: PackageLimits): Fault[] {
  const total = entries.reduce((sum, { uncompressedSize }) => sum + uncompressedSize, 0);
  if (total <= limits.totalBytes) return [];
  const message = `the package would unpack to ${total} bytes; allowed are ${limits.totalBytes}`;
  return [
    packageFault(
      'package/too-large',
      '',
      message,
      'leave out what is not needed, or ask the operator for a higher limit',
    ),
  ];
}

function duplicateFaults(entries: readonly Entry[]): Fault[] {
  const byKey = new Map<string, string>();
  const faults: Fault[] = [];
  const paths = entries.map(nameOf);
  for (const path of paths) {
    const key = foldPath(path);
    const other = byKey.get(key);
    if (other !== undefined)
      faults.push(
        packageFault(
          'package/duplicate',
          path,
          `${path} is there twice${other === path ? '' : `, once as ${other}`}`,
          'keep one of the two',
        ),
      );
    byKey.set(key, path);
  }
  for (const path of paths) faults.push(...folderFaults(path, byKey));
  return faults;
}

/** A file cannot also be a folder. */
function folderFaults(path: string, byKey: ReadonlyMap<string, string>): Fault[] {
  const parts = path.replace(/\/$/, '').split('/').slice(0, 64);
  for (let length = 1; length < parts.length; length++) {
    const folder = byKey.get(foldPath(parts.slice(0, length).join('/')));
    if (folder !== undefined && !folder.endsWith('/'))
      return [
        packageFault(
          'package/duplicate',
          path,
          `${folder} is a file and the folder of ${path}`,
          'rename one of them',
        ),
      ];
  }
  return [];
}
