import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { chmod, mkdir, open, readdir, rename, rm, stat, utimes, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { IotmanoError, isTransient, messageOf, type Clock, type Logger } from '../../kernel/index.ts';
import type { ArtifactReference, ArtifactSource } from '../../vim-drivers/index.ts';
import type { Backoff } from './backoff.ts';
import { envelopeHeaders, refusal } from './exchange.ts';
import type { SessionKeeper } from './session-keeper.ts';
import type { Transport } from './transport.ts';

export interface ArtifactCacheOptions {
  readonly directory: string;
  /** The files used longest ago are removed beyond it. */
  readonly maxBytes: number;
  readonly hostId: string;
  readonly transport: Transport;
  readonly sessions: SessionKeeper;
  readonly clock: Clock;
  readonly createBackoff: () => Backoff;
  readonly log: Logger;
}

const SILENCE_MILLISECONDS = 30_000;
const ATTEMPTS = 6;
/** As much as Node reads at once. */
const CHUNK_BYTES = 64 * 1024;

/**
 * Artifacts by digest, got from the orchestrator once and kept. What was cut off is resumed, also after a restart of the agent;
 * nothing is handed out that was not verified.
 */
export async function openArtifactCache(options: ArtifactCacheOptions): Promise<ArtifactSource> {
  await mkdir(options.directory, { recursive: true, mode: 0o700 });
  const underWay = new Map<string, Promise<string>>();
  return {
    open: (reference, signal) => {
      const running =
        underWay.get(reference.digest) ??
        openOrFetch(options, reference, [...underWay.keys()], signal).finally(() =>
          underWay.delete(reference.digest),
        );
      underWay.set(reference.digest, running);
      return running;
    },
  };
}

async function openOrFetch(
  options: ArtifactCacheOptions,
  reference: ArtifactReference,
  busy: readonly string[],
  signal: AbortSignal | undefined,
): Promise<string> {
  const path = join(options.directory, nameOf(reference.digest));
  const used = new Date(options.clock.now());
  const isThere = await utimes(path, used, used).then(
    () => true,
    () => false,
  );
  if (isThere) return path;
  await makeRoom(options, reference.sizeBytes, [...busy, reference.digest].map(nameOf));
  const part = `${path}.part`;
  const backoff = options.createBackoff();
  for (let attempt = 1; ; attempt += 1) {
    try {
      await fetchRest(options, reference, part, signal);
      break;
    } catch (error) {
      if (!isTransient(error) || attempt === ATTEMPTS || signal?.aborted === true) throw error;
      options.log.debug(
        { digest: reference.digest, reason: messageOf(error) },
        'artifact transfer was cut off',
      );
      await backoff.wait(error, 10_000, signal);
    }
  }
  await chmod(part, 0o400);
  await rename(part, path);
  return path;
}

/** Appends what is missing to the part file, and verifies the whole. A part that is wrong is thrown away. */
async function fetchRest(
  options: ArtifactCacheOptions,
  reference: ArtifactReference,
  part: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const handle = await open(part, 'a', 0o600);
  try {
    const hash = createHash('sha256');
    let size = (await handle.stat()).size;
    if (size > reference.sizeBytes) {
      await handle.truncate(0);
      size = 0;
    }
    if (size > 0) await addToHash(hash, part, size);
    if (size < reference.sizeBytes) await receive(options, reference, { handle, hash, size }, signal);
    await handle.sync();
    if (`sha256:${hash.digest('hex')}` === reference.digest) return;
  } finally {
    await handle.close();
  }
  await rm(part, { force: true });
  throw new IotmanoError(
    'artifact-unusable',
    `the artifact ${reference.digest} that the orchestrator sent has another content; onboard its package again`,
    { digest: reference.digest },
  );
}

async function receive(
  { transport, sessions, hostId, clock }: ArtifactCacheOptions,
  { digest, sizeBytes, bitsPerSecond }: ArtifactReference,
  target: { readonly handle: FileHandle; readonly hash: Hash; readonly size: number },
  signal: AbortSignal | undefined,
): Promise<void> {
  const envelope = await sessions.envelope(signal);
  const path = `/mco/v1/hosts/${hostId}/artifacts/${digest}`;
  const range = target.size > 0 ? { range: `bytes=${target.size}-` } : {};
  const { status, headers, body } = await transport.stream({
    method: 'GET',
    path,
    headers: {
      ...envelopeHeaders(envelope),
      accept: 'application/octet-stream, application/problem+json',
      ...range,
    },
    timeoutMilliseconds: SILENCE_MILLISECONDS + millisecondsFor(CHUNK_BYTES, bitsPerSecond),
    signal,
  });
  try {
    if (status === 401) {
      sessions.reject(envelope.token);
      throw new IotmanoError('unavailable', 'the session has ended');
    }
    if (status !== 200 && status !== 206) throw cannotFetch(digest, status, headers);
    const skipped = status === 206 ? 0 : target.size;
    if (status === 206 && !(headers['content-range'] ?? '').startsWith(`bytes ${target.size}-`)) {
      throw new IotmanoError(
        'unavailable',
        `the orchestrator sent another range of ${digest} than was asked for`,
      );
    }
    await store(atMost(bitsPerSecond, body, clock, signal), skipped, sizeBytes, target);
  } finally {
    body.destroy();
  }
}

/** Takes the next chunk only when it is its time: what is not taken is not sent. */
async function* atMost(
  bitsPerSecond: number | undefined,
  body: AsyncIterable<Buffer>,
  clock: Clock,
  signal: AbortSignal | undefined,
): AsyncGenerator<Buffer> {
  const begin = clock.monotonic();
  let bytes = 0;
  for await (const chunk of body) {
    yield chunk;
    bytes += chunk.length;
    const ahead = begin + millisecondsFor(bytes, bitsPerSecond) - clock.monotonic();
    if (ahead > 0) await clock.sleep(ahead, signal);
  }
}

function millisecondsFor(bytes: number, bitsPerSecond = Number.POSITIVE_INFINITY): number {
  return (bytes * 8 * 1000) / bitsPerSecond;
}

/** A server without ranges sends the whole: what is here already is skipped. */
async function store(
  body: AsyncIterable<Buffer>,
  skipped: number,
  sizeBytes: number,
  { handle, hash, size }: { readonly handle: FileHandle; readonly hash: Hash; readonly size: number },
): Promise<void> {
  let left = skipped;
  let received = size;
  try {
    for await (const chunk of body) {
      const fresh = chunk.subarray(Math.min(left, chunk.length));
      left -= chunk.length - fresh.length;
      received += fresh.length;
      if (received > sizeBytes) break;
      await handle.writeFile(fresh);
      hash.update(fresh);
    }
  } catch (error) {
    throw new IotmanoError(
      'unavailable',
      `the transfer was cut off after ${received} bytes: ${messageOf(error)}`,
      {},
      error,
    );
  }
  if (received < sizeBytes) {
    throw new IotmanoError('unavailable', `the transfer ended after ${received} of ${sizeBytes} bytes`);
  }
  if (received > sizeBytes) hash.update('longer than announced');
}

function cannotFetch(
  digest: string,
  status: number,
  headers: Readonly<Record<string, string | undefined>>,
): IotmanoError {
  const error = refusal(`GET artifact ${digest}`, status, headers, undefined);
  // 404 until the assignment that names it has reached every part of the orchestrator, and for ever when it is withdrawn.
  return error.code === 'not-found'
    ? new IotmanoError('unavailable', error.message, error.context, error)
    : error;
}

async function addToHash(hash: Hash, path: string, size: number): Promise<void> {
  for await (const chunk of createReadStream(path, { end: size - 1 }) as AsyncIterable<Buffer>)
    hash.update(chunk);
}

/** Removes what was used longest ago until the new one fits the bound; drivers keep copies of what they run. */
async function makeRoom(
  { directory, maxBytes }: ArtifactCacheOptions,
  incomingBytes: number,
  keep: readonly string[],
): Promise<void> {
  const files = await Promise.all(
    (await readdir(directory))
      .filter((name) => !keep.some((kept) => name.startsWith(kept)))
      .map(async (name) => {
        const path = join(directory, name);
        const { size, mtimeMs } = await stat(path);
        return { path, size, mtimeMs };
      }),
  );
  let total = incomingBytes + files.reduce((sum, file) => sum + file.size, 0);
  for (const file of files.toSorted((a, b) => a.mtimeMs - b.mtimeMs)) {
    if (total <= maxBytes) return;
    await rm(file.path, { force: true });
    total -= file.size;
  }
}

/** File name for a digest: only its hex digits ever reach the disk. */
function nameOf(digest: string): string {
  const hex = /^sha256:([0-9a-f]{64})$/.exec(digest)?.[1];
  if (hex !== undefined) return hex;
  throw new IotmanoError('artifact-unusable', `${JSON.stringify(digest)} is not a digest like sha256:…`, {
    digest,
  });
}
