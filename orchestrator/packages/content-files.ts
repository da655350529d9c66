import { createHash } from 'node:crypto';
import { createWriteStream, readFileSync } from 'node:fs';
import { chmod, link, mkdir, open, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Transform, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { IotmanoError } from '../../kernel/index.ts';

/** A file that was received whole. */
export interface Received {
  /** `sha256:<hex>` */
  readonly digest: string;
  readonly sizeBytes: number;
}

/** An artifact on disk, read-only. */
export interface ArtifactFile {
  readonly path: string;
  readonly sizeBytes: number;
}

/**
 * The files of packages, below one directory. Names are ids and digests only, both checked: nothing that a package says ever becomes a path.
 *
 *     incoming/<id>    an upload that is under way        content/<id>     what was uploaded
 *     unpacked/<id>/   a package that is being read       artifacts/<hex>  files of packages, once each, by digest
 *     descriptors/<id> the descriptor as text
 */
export interface ContentFiles {
  /** @throws IotmanoError `payload-too-large`, `malformed-request` where the client goes away; then nothing is left */
  receive(id: string, stream: Readable, signal: AbortSignal): Promise<Received>;
  contentPath(id: string): string;
  /** An empty directory to unpack to; whatever was there is gone. */
  unpackTo(id: string): Promise<string>;
  /** Takes a file over as an artifact, durably. One that is there already stays. */
  adopt(file: string, digest: string): Promise<void>;
  writeDescriptor(id: string, text: string): Promise<void>;
  readDescriptor(id: string): Promise<string>;
  /** Text of an artifact that is known to be there, such as a template. */
  readArtifactText(digest: string): string;
  /** Undefined where there is no such artifact. */
  locate(digest: string): Promise<ArtifactFile | undefined>;
  /** @throws IotmanoError `not-found` */
  openArtifact(digest: string): Promise<ArtifactFile>;
  removeUpload(id: string): Promise<void>;
  removeUnpacked(id: string): Promise<void>;
  removeArtifacts(digests: Iterable<string>): Promise<void>;
  /** Removes all that is neither one of these contents nor one of these artifacts. At the start only. */
  sweep(contents: ReadonlySet<string>, digests: ReadonlySet<string>): Promise<void>;
}

const FOLDERS = ['incoming', 'content', 'unpacked', 'descriptors', 'artifacts'] as const;

export async function openContentFiles(directory: string, maxUploadBytes: number): Promise<ContentFiles> {
  for (const folder of FOLDERS) await mkdir(join(directory, folder), { recursive: true, mode: 0o700 });
  const at = (folder: (typeof FOLDERS)[number], name: string): string => {
    // Ids come from records and digests from hashes; a path must not depend on that being so for ever.
    if (!/^[a-z0-9-]{1,64}$/.test(name))
      throw new IotmanoError('internal', `${JSON.stringify(name)} is no name of a file of packages`);
    return join(directory, folder, name);
  };
  const artifactPath = (digest: string): string => at('artifacts', digest.replace(/^sha256:/, ''));

  async function locate(digest: string): Promise<ArtifactFile | undefined> {
    if (!/^sha256:[0-9a-f]{64}$/.test(digest)) return undefined;
    const path = artifactPath(digest);
    const found = await stat(path).catch(() => undefined);
    return found === undefined ? undefined : { path, sizeBytes: found.size };
  }

  return {
    receive: (id, stream, signal) =>
      receive(stream, at('incoming', id), at('content', id), maxUploadBytes, signal),
    contentPath: (id) => at('content', id),
    async unpackTo(id) {
      const path = at('unpacked', id);
      await rm(path, { recursive: true, force: true });
      await mkdir(path, { recursive: true, mode: 0o700 });
      return path;
    },
    async adopt(file, digest) {
      const path = artifactPath(digest);
      await syncFile(file);
      await chmod(file, 0o400);
      await link(file, path).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'EEXIST') throw error;
      });
      await syncFile(join(directory, 'artifacts'));
    },
    async writeDescriptor(id, text) {
      const path = at('descriptors', id);
      await writeFile(path, text, { mode: 0o600 });
      await syncFile(path);
    },
    readDescriptor: (id) => readFile(at('descriptors', id), 'utf8'),
    readArtifactText: (digest) => readFileSync(artifactPath(digest), 'utf8'),
    locate,
    async openArtifact(digest) {
      const found = await locate(digest);
      if (found !== undefined) return found;
      throw new IotmanoError(
        'not-found',
        `there is no artifact ${digest.slice(0, 80)}; onboard its package again`,
      );
    },
    async removeUpload(id) {
      await rm(at('incoming', id), { force: true });
      await rm(at('content', id), { force: true });
      await rm(at('descriptors', id), { force: true });
    },
    removeUnpacked: (id) => rm(at('unpacked', id), { recursive: true, force: true }),
    async removeArtifacts(digests) {
      for (const digest of digests) await rm(artifactPath(digest), { force: true });
    },
    async sweep(contents, digests) {
      const keep = (folder: string, name: string): boolean =>
        ((folder === 'content' || folder === 'descriptors') && contents.has(name)) ||
        (folder === 'artifacts' && digests.has(`sha256:${name}`));
      for (const folder of FOLDERS) {
        for (const name of await readdir(join(directory, folder)))
          if (!keep(folder, name)) await rm(join(directory, folder, name), { recursive: true, force: true });
      }
    },
  };
}

/** Streams to disk, hashing on the way: memory does not depend on the size. */
async function receive(
  stream: Readable,
  incoming: string,
  final: string,
  maxBytes: number,
  signal: AbortSignal,
): Promise<Received> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  const measure = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      sizeBytes += chunk.length;
      hash.update(chunk);
      if (sizeBytes <= maxBytes) done(null, chunk);
      else
        done(
          new IotmanoError(
            'payload-too-large',
            `the content is larger than the ${maxBytes} bytes that a package may have; make it smaller`,
          ),
        );
    },
  });
  try {
    await pipeline(stream, measure, createWriteStream(incoming, { flags: 'w', mode: 0o600 }), { signal });
    if (sizeBytes === 0)
      throw new IotmanoError(
        'malformed-request',
        'the content is empty; send the bytes of the package as the body',
      );
    await syncFile(incoming);
    await rename(incoming, final);
  } catch (error) {
    await rm(incoming, { force: true });
    throw asUploadError(error, signal);
  }
  return { digest: `sha256:${hash.digest('hex')}`, sizeBytes };
}

function asUploadError(error: unknown, signal: AbortSignal): unknown {
  if (error instanceof IotmanoError && !signal.aborted) return error;
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOSPC')
    return new IotmanoError(
      'unavailable',
      'the disk of the orchestrator is full; free space, then upload again',
      {},
      error,
    );
  if (signal.aborted || code === 'ERR_STREAM_PREMATURE_CLOSE' || code === 'ECONNRESET')
    return new IotmanoError(
      'malformed-request',
      'the upload ended before the whole content was received; upload it again',
      {},
      error,
    );
  return error;
}

async function syncFile(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
