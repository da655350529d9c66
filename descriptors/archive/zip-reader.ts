import type { Readable } from 'node:stream';
import { openPromise, type Entry, type ZipFile } from 'yauzl';
import { messageOf } from '../../kernel/index.ts';
import type { Fault } from '../types.ts';
import { checkEntries, type PackageEntry } from './check-entries.ts';
import type { PackageLimits } from './limits.ts';
import { packageFault } from './package-fault.ts';

/** A ZIP whose directory has been found without fault. */
export interface OpenZip {
  readonly files: readonly PackageEntry[];
  /** The unpacked bytes; errors when they are not as many as the directory states. */
  stream(file: PackageEntry): Promise<Readable>;
}

/** Opens a ZIP, checks its directory, and hands it to `use`; closes it in any case. */
export async function withZip<T>(
  path: string,
  limits: PackageLimits,
  use: (zip: OpenZip) => Promise<T>,
): Promise<T | { readonly faults: readonly Fault[] }> {
  let zip: ZipFile;
  try {
    // Names stay raw: what is wrong with them is our own to say.
    zip = await openPromise(path, {
      lazyEntries: true,
      autoClose: false,
      decodeStrings: false,
      validateEntrySizes: true,
    });
  } catch (error) {
    if (isSystemError(error)) throw error;
    return { faults: [damaged('', error)] };
  }
  try {
    const entries = await readDirectory(zip, limits);
    if (!Array.isArray(entries)) return { faults: [entries] };
    const { files, faults } = checkEntries(entries, limits);
    const allFaults = [...faults, ...(await checkLayout(zip, entries))];
    if (allFaults.length > 0) return { faults: allFaults };
    return await use({ files, stream: ({ entry }) => zip.openReadStreamPromise(entry) });
  } finally {
    zip.close();
  }
}

async function readDirectory(zip: ZipFile, limits: PackageLimits): Promise<Entry[] | Fault> {
  const entries: Entry[] = [];
  const tooMany = `the package has more than ${limits.entries} entries`;
  if (zip.entryCount > limits.entries)
    return packageFault('package/too-large', '', tooMany, 'pack files together');
  try {
    for await (const entry of zip.eachEntry()) entries.push(entry);
  } catch (error) {
    if (isSystemError(error)) throw error;
    return damaged('', error);
  }
  return entries;
}

/** No two entries may share bytes, and what stands before each must say the same as the directory. */
async function checkLayout(zip: ZipFile, entries: readonly Entry[]): Promise<Fault[]> {
  const faults: Fault[] = [];
  const inOrder = entries.toSorted((a, b) => a.relativeOffsetOfLocalHeader - b.relativeOffsetOfLocalHeader);
  let end = 0;
  for (const entry of inOrder) {
    const path = entry.fileNameRaw.toString('utf8').slice(0, 255);
    if (entry.relativeOffsetOfLocalHeader < end)
      faults.push(
        packageFault(
          'package/overlap',
          path,
          `${path} shares bytes with another entry`,
          'pack the files anew',
        ),
      );
    try {
      const local = await zip.readLocalFileHeaderPromise(entry);
      end = Math.max(end, local.fileDataStart + entry.compressedSize);
      if (!local.fileName.equals(entry.fileNameRaw) || local.compressionMethod !== entry.compressionMethod)
        faults.push(
          packageFault(
            'package/damaged',
            path,
            `${path} is called otherwise before its content than in the directory`,
            'pack the files anew',
          ),
        );
    } catch (error) {
      if (isSystemError(error)) throw error;
      faults.push(damaged(path, error));
    }
  }
  return faults;
}

export function damaged(path: string, error: unknown): Fault {
  const what = path === '' ? 'the ZIP' : path;
  return packageFault(
    'package/damaged',
    path,
    `${what} cannot be read: ${messageOf(error)}`,
    'pack or transfer it anew',
  );
}

/** An error of the machine, not of the package. */
export function isSystemError(error: unknown): boolean {
  return error instanceof Error && ('syscall' in error || error.name === 'AbortError');
}
