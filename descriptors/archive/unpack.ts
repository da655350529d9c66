import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { Transform, Writable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import type { Fault } from '../types.ts';
import type { PackageEntry } from './check-entries.ts';
import { damaged, isSystemError, type OpenZip } from './zip-reader.ts';

/** A verified file of a package. */
export interface PackageFile {
  /** Path in the package. */
  readonly path: string;
  /** `sha256:<hex>` */
  readonly digest: string;
  readonly sizeBytes: number;
  /** Where it was unpacked to; absent where it was only checked. */
  readonly location?: string;
}

export interface Unpacked {
  readonly files: readonly PackageFile[];
  readonly faults: readonly Fault[];
}

/** Streams every file once: to its digest, and to `directory` where one is given. */
export async function unpack(
  zip: OpenZip,
  directory: string | undefined,
  signal?: AbortSignal,
): Promise<Unpacked> {
  const files: PackageFile[] = [];
  const faults: Fault[] = [];
  for (const [index, file] of zip.files.entries()) {
    // Names in the package never become names in the file system.
    const location =
      directory === undefined ? undefined : join(directory, `file-${String(index).padStart(5, '0')}`);
    try {
      const digest = await unpackFile(zip, file, location, signal);
      files.push({
        path: file.path,
        digest,
        sizeBytes: file.sizeBytes,
        ...(location === undefined ? {} : { location }),
      });
    } catch (error) {
      if (isSystemError(error)) throw error;
      faults.push(damaged(file.path, error));
    }
  }
  return { files, faults };
}

async function unpackFile(
  zip: OpenZip,
  file: PackageEntry,
  location: string | undefined,
  signal?: AbortSignal,
): Promise<string> {
  const hash = createHash('sha256');
  const tap = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
  const sink =
    location === undefined
      ? new Writable({ write: (_chunk, _encoding, done) => done() })
      : createWriteStream(location, { flags: 'wx', mode: 0o600 });
  const options = signal === undefined ? {} : { signal };
  await pipeline(await zip.stream(file), tap, sink, options);
  return `sha256:${hash.digest('hex')}`;
}

/** A small file; nothing where it is not there, or larger than allowed. */
export async function readBytes(zip: OpenZip, path: string, maxBytes: number): Promise<Buffer | undefined> {
  const file = zip.files.find((candidate) => candidate.path === path);
  if (file === undefined || file.sizeBytes > maxBytes) return undefined;
  return buffer(await zip.stream(file));
}

export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
