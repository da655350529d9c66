import { execFile } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { chmod, lstat, mkdir, readdir, realpath, rename, rm } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { IotmanoError, messageOf } from '../../kernel/index.ts';
import type { ArtifactReference, ArtifactSource } from '../contract.ts';
import type { Layout } from './layout.ts';

/** What an archive may hold; a function of an edge host that needs more is a mistake or an attack. */
export interface ArchiveLimits {
  readonly entries: number;
  readonly bytes: number;
}

const ARCHIVE_LIMITS: ArchiveLimits = { entries: 50_000, bytes: 2 * 1024 ** 3 };

/** The unpacked files of artifacts, once for each digest, read-only. */
export interface ArtifactShelf {
  /**
   * Directory with the unpacked files.
   * @throws IotmanoError `artifact-unusable`, or a transient one
   */
  unpacked(reference: ArtifactReference, signal?: AbortSignal): Promise<string>;
  /** Removes what none of those digests needs. */
  collect(used: ReadonlySet<string>): Promise<void>;
}

export function createArtifactShelf(
  layout: Layout,
  source: ArtifactSource,
  limits: ArchiveLimits = ARCHIVE_LIMITS,
): ArtifactShelf {
  const underWay = new Map<string, Promise<string>>();
  return {
    async unpacked(reference, signal) {
      const directory = join(layout.artifacts, directoryName(reference.digest));
      if (await isDirectory(directory)) return directory;
      const running =
        underWay.get(directory) ??
        unpack(directory, () => source.open(reference, signal), limits).finally(() =>
          underWay.delete(directory),
        );
      underWay.set(directory, running);
      return running;
    },
    async collect(used) {
      const kept = new Set([...used].map(directoryName));
      for (const name of await readdir(layout.artifacts)) {
        const path = join(layout.artifacts, name);
        const isBusy = [...underWay.keys()].some((busy) => path === busy || path === temporaryOf(busy));
        if (!kept.has(name) && !isBusy) await removeReadOnly(path);
      }
    },
  };
}

function directoryName(digest: string): string {
  const hex = /^sha256:([0-9a-f]{64})$/.exec(digest)?.[1];
  if (hex !== undefined) return hex;
  throw new IotmanoError(
    'artifact-unusable',
    `the digest ${JSON.stringify(digest)} is not "sha256:" and 64 hex digits`,
    {
      digest,
    },
  );
}

function temporaryOf(directory: string): string {
  return `${directory}.part`;
}

async function isDirectory(path: string): Promise<boolean> {
  return lstat(path).then(
    (entry) => entry.isDirectory(),
    () => false,
  );
}

async function unpack(
  directory: string,
  open: () => Promise<string>,
  limits: ArchiveLimits,
): Promise<string> {
  const file = await open();
  const temporary = temporaryOf(directory);
  await removeReadOnly(temporary);
  await mkdir(temporary, { recursive: true });
  try {
    await checkArchive(file, limits);
    const { extract } = await import('tar'); // loaded only when something is unpacked: it costs memory for good
    await extract({ file, cwd: temporary, strict: true, preserveOwner: false, noMtime: true });
    await makeReadOnly(temporary);
    await flush(temporary);
    await rename(temporary, directory);
    return directory;
  } catch (error) {
    await removeReadOnly(temporary);
    throw unusable(error);
  }
}

/** Reads the whole archive once, before a byte of it is written. */
async function checkArchive(file: string, limits: ArchiveLimits): Promise<void> {
  const { Parser } = await import('tar');
  let entries = 0;
  let bytes = 0;
  await new Promise<void>((resolve, reject) => {
    const reader = createReadStream(file);
    const refuse = (fault: string): void => {
      reader.destroy();
      reject(refusal(fault));
    };
    const parser = new Parser({
      strict: true,
      onReadEntry(entry) {
        entries += 1;
        bytes += entry.size;
        const fault = faultOf(entry.type, entry.path, entry.linkpath);
        if (fault !== undefined) refuse(fault);
        else if (entries > limits.entries) refuse(`it holds more than ${limits.entries} entries`);
        else if (bytes > limits.bytes) refuse(`unpacked it is larger than ${limits.bytes} bytes`);
        entry.resume();
      },
    });
    parser.on('error', (error: unknown) => refuse(messageOf(error)));
    parser.on('end', () => resolve());
    reader.on('error', reject);
    reader.pipe(parser);
  });
  if (entries === 0) throw refusal('it is empty, or not a gzipped tar');
}

function refusal(fault: string): IotmanoError {
  return new IotmanoError('artifact-unusable', `the archive is refused: ${fault}`);
}

function faultOf(type: string, path: string, linkPath: string | undefined): string | undefined {
  const shown = JSON.stringify(path.slice(0, 200));
  if (leaves(path)) return `the path ${shown} leaves the archive`;
  if (type === 'SymbolicLink' && leaves(posix.join(posix.dirname(path), linkPath ?? '..'), linkPath))
    return `the link ${shown} leads out of the archive`;
  if (type === 'Link' && leaves(linkPath ?? '..')) return `the link ${shown} leads out of the archive`;
  if (!['File', 'OldFile', 'ContiguousFile', 'Directory', 'SymbolicLink', 'Link'].includes(type))
    return `${shown} is a ${type}, which a function does not need`;
  return undefined;
}

function leaves(path: string, raw = path): boolean {
  return posix.isAbsolute(raw) || posix.normalize(path).split('/')[0] === '..' || path.includes('\0');
}

function unusable(error: unknown): IotmanoError {
  if (error instanceof IotmanoError) return error;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (['ENOSPC', 'EDQUOT', 'EMFILE', 'ENFILE', 'EIO'].includes(code))
    return new IotmanoError(
      'unavailable',
      `the artifact cannot be unpacked now: ${messageOf(error)}`,
      {},
      error,
    );
  return new IotmanoError('artifact-unusable', `the archive is refused: ${messageOf(error)}`, {}, error);
}

/** Files without write permission; those that were executable stay so. */
async function makeReadOnly(path: string): Promise<void> {
  const root = await realpath(path);
  for (const entry of await readdir(path, { withFileTypes: true, recursive: true })) {
    const full = join(entry.parentPath, entry.name);
    if (entry.isSymbolicLink()) {
      // Links that point to links can lead out although each one alone does not.
      const target = await realpath(full).catch(() => '');
      if (!target.startsWith(`${root}/`))
        throw refusal(`the link ${entry.name} leads out of the archive, or nowhere`);
      continue;
    }
    const { mode } = await lstat(full);
    await chmod(full, entry.isDirectory() || (mode & 0o100) !== 0 ? 0o555 : 0o444);
  }
  await chmod(path, 0o755);
}

async function removeReadOnly(path: string): Promise<void> {
  if (!(await isDirectory(path))) {
    await rm(path, { force: true });
    return;
  }
  for (const entry of await readdir(path, { withFileTypes: true, recursive: true }))
    if (entry.isDirectory()) await chmod(join(entry.parentPath, entry.name), 0o755);
  await rm(path, { recursive: true, force: true });
}

/** To the disk with it, before the name says that it is whole. Without the tool a loss of power at this moment costs a repair by hand. */
function flush(path: string): Promise<void> {
  return new Promise((resolve) => {
    execFile('sync', ['-f', path], () => resolve());
  });
}
