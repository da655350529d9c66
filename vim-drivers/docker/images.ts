import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import type Docker from 'dockerode';
import { IotmanoError, type Logger } from '../../kernel/index.ts';
import type { ArtifactReference, ArtifactSource, WorkloadArtifact } from '../contract.ts';
import { demandRoom, type DiskRoom } from './disk-room.ts';
import type { Engine } from './engine.ts';
import { hasStatus, refusalOf } from './engine-errors.ts';
import { readImageArchive, type ImageManifest } from './image-archive.ts';
import { PullProgress } from './pull-progress.ts';

/** An image that is on the engine. */
export interface PresentImage {
  /** How a container names it: its name, or its id where the name means another one. */
  readonly reference: string;
  /** The user that it runs as by itself; empty: root. */
  readonly user: string;
}

type ContainerArtifact = Extract<WorkloadArtifact, { type: 'container' }>;

/** Who waits for an image, and is told how far it is. */
export interface ImageWaiter {
  readonly report: (progress: string) => void;
  readonly signal: AbortSignal;
}

const FETCH_SECONDS = 3600;

/** Brings images to the engine: by name from where the engine gets them, or out of an archive of the package. Never removes one. */
export class Images {
  readonly #engine: Engine;
  readonly #artifacts: ArtifactSource;
  readonly #room: () => Promise<DiskRoom | undefined>;
  readonly #log: Logger;
  readonly #archives = new Map<string, Promise<ImageManifest>>();
  readonly #underWay = new Map<
    string,
    { readonly done: Promise<void>; readonly waiters: Set<ImageWaiter>; last: string }
  >();

  constructor(
    engine: Engine,
    artifacts: ArtifactSource,
    room: () => Promise<DiskRoom | undefined>,
    log: Logger,
  ) {
    this.#engine = engine;
    this.#artifacts = artifacts;
    this.#room = room;
    this.#log = log;
  }

  /** @throws IotmanoError `artifact-unusable` when it will never be there, `unavailable` when it may later */
  async ensure(artifact: ContainerArtifact, waiter: ImageWaiter): Promise<PresentImage> {
    return artifact.files === undefined
      ? this.#ensureByName(artifact.image, waiter)
      : this.#ensureByArchive(artifact.image, artifact.files, waiter);
  }

  async #ensureByName(name: string, waiter: ImageWaiter): Promise<PresentImage> {
    const present = await this.#inspect(name);
    if (present !== undefined) return { reference: name, user: present.Config.User };
    await this.#shared(`pull ${name}`, waiter, (report, signal) => this.#pull(name, report, signal));
    const pulled = await this.#inspect(name);
    if (pulled !== undefined) return { reference: name, user: pulled.Config.User };
    throw new IotmanoError(
      'unavailable',
      `the image ${name} was pulled, and is not there; somebody removes images`,
    );
  }

  async #ensureByArchive(name: string, files: ArtifactReference, waiter: ImageWaiter): Promise<PresentImage> {
    const named = await this.#inspect(name);
    waiter.report(`fetching the archive of the image ${name}`);
    const path = await this.#artifacts.open(files, waiter.signal);
    const { images } = await this.#contentsOf(files.digest, path);
    const wanted = images.find(({ tags }) => tags.some((tag) => isSameName(tag, name))) ?? images[0];
    const id = wanted?.id ?? '';
    if (named?.Id === id) return { reference: name, user: named.Config.User };
    if ((await this.#inspect(id)) === undefined)
      await this.#shared(`load ${files.digest}`, waiter, (report, signal) =>
        this.#load(name, path, files.sizeBytes, report, signal),
      );
    const loaded = await this.#inspect(id);
    if (loaded === undefined)
      throw new IotmanoError(
        'artifact-unusable',
        `the archive of the image ${name} was loaded, and the image it promises is not there`,
      );
    if (named === undefined && (await this.#inspect(name)) === undefined) await this.#tag(id, name);
    return { reference: id, user: loaded.Config.User };
  }

  /** An archive is what its digest says: one look is enough. */
  #contentsOf(digest: string, path: string): Promise<ImageManifest> {
    const known = this.#archives.get(digest);
    if (known !== undefined) return known;
    const reading = readImageArchive(path);
    this.#archives.set(digest, reading);
    reading.catch(() => this.#archives.delete(digest));
    return reading;
  }

  async #inspect(name: string): Promise<Docker.ImageInspectInfo | undefined> {
    try {
      return await this.#engine.request({
        method: 'GET',
        path: `/images/${encodeURI(name)}/json`,
        what: `look at the image ${name}`,
      });
    } catch (error) {
      if (hasStatus(error, 404)) return undefined;
      if (hasStatus(error, 400)) throw unusableName(name, error);
      throw error;
    }
  }

  /** One fetch for all who want the same; it ends when none of them waits any more. */
  async #shared(
    key: string,
    waiter: ImageWaiter,
    fetch: (report: (progress: string) => void, signal: AbortSignal) => Promise<void>,
  ): Promise<void> {
    let running = this.#underWay.get(key);
    const ending = new AbortController();
    if (running === undefined) {
      const waiters = new Set<ImageWaiter>();
      const begun = { waiters, last: '', done: Promise.resolve() };
      const report = (progress: string): void => {
        begun.last = progress;
        for (const each of waiters) each.report(progress);
      };
      const stop = setInterval(() => {
        if ([...waiters].every(({ signal }) => signal.aborted)) ending.abort();
      }, 200);
      begun.done = fetch(report, ending.signal).finally(() => {
        clearInterval(stop);
        this.#underWay.delete(key);
      });
      running = begun;
      this.#underWay.set(key, running);
    }
    running.waiters.add(waiter);
    if (running.last !== '') waiter.report(running.last);
    await running.done;
    if (waiter.signal.aborted) throw new IotmanoError('unavailable', 'nobody wants the image any more');
  }

  async #pull(name: string, report: (progress: string) => void, signal: AbortSignal): Promise<void> {
    demandRoom(await this.#room(), name, 0);
    report(`pulling the image ${name}`);
    const { repository, tag } = splitName(name);
    try {
      const stream = await this.#engine.stream({
        method: 'POST',
        path: '/images/create',
        query: { fromImage: repository, ...(tag === undefined ? {} : { tag }) },
        what: `pull the image ${name}`,
        timeoutSeconds: 120, // the engine answers only once it has found the registry, or not
        signal,
      });
      const progress = new PullProgress(name);
      await this.#follow(stream, async (line) => {
        const before = progress.totalBytes;
        progress.add(line);
        report(progress.text);
        if (progress.totalBytes <= before) return;
        demandRoom(await this.#room(), name, progress.totalBytes - progress.doneBytes);
      });
    } catch (error) {
      throw pullError(name, error);
    }
    this.#log.info({ image: name }, 'an image was pulled');
  }

  async #load(
    name: string,
    path: string,
    sizeBytes: number,
    report: (progress: string) => void,
    signal: AbortSignal,
  ): Promise<void> {
    demandRoom(await this.#room(), name, sizeBytes);
    report(`loading the image ${name} from its archive`);
    const stream = await this.#engine.stream({
      method: 'POST',
      path: '/images/load',
      query: { quiet: true },
      file: createReadStream(path),
      what: `load the image ${name}`,
      timeoutSeconds: FETCH_SECONDS,
      signal,
    });
    await this.#follow(stream, async () => undefined).catch((error: unknown) => {
      if (error instanceof PullRefused)
        throw new IotmanoError(
          'artifact-unusable',
          `the engine cannot load the archive of the image ${name}: ${error.message}`,
          {},
          error,
        );
      throw error;
    });
    this.#log.info({ image: name }, 'an image was loaded');
  }

  async #tag(id: string, name: string): Promise<void> {
    const { repository, tag = 'latest' } = splitName(name);
    if (repository.includes('@')) return;
    await this.#engine
      .request({
        method: 'POST',
        path: `/images/${id}/tag`,
        query: { repo: repository, tag },
        what: `name the image ${name}`,
      })
      .catch(() => undefined); // a name is for people: what runs is found by its id
  }

  /** Reads what the engine tells while it works, to the end. */
  async #follow(
    stream: Readable,
    onLine: (line: Readonly<Record<string, unknown>>) => Promise<void>,
  ): Promise<void> {
    let rest = '';
    try {
      for await (const chunk of stream) {
        rest += String(chunk);
        const lines = rest.split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) await take(line);
      }
      await take(rest);
    } catch (error) {
      if (error instanceof PullRefused || error instanceof IotmanoError) throw error;
      throw new IotmanoError(
        'unavailable',
        `the Docker Engine at ${this.#engine.name} went away meanwhile`,
        {},
        error,
      );
    }
    async function take(text: string): Promise<void> {
      if (text.trim() === '') return;
      const line = JSON.parse(text) as Readonly<Record<string, unknown>>;
      if (typeof line['error'] === 'string') throw new PullRefused(line['error']);
      await onLine(line);
    }
  }
}

/** The engine began to answer well, and then said that it cannot go on. */
class PullRefused extends Error {}

/** `docker.io` and `library` may be left out of a name. */
function isSameName(a: string, b: string): boolean {
  const whole = (name: string): string => {
    const short = name.replace(/^(docker\.io\/)?(library\/)?/, '');
    return /:[^/]+$/.test(short) ? short : `${short}:latest`;
  };
  return whole(a) === whole(b);
}

/** A name without a tag means the tag `latest`: to leave it out would fetch all of them. */
export function splitName(name: string): { readonly repository: string; readonly tag?: string } {
  const digest = name.indexOf('@');
  if (digest >= 0) return { repository: name.slice(0, digest), tag: name.slice(digest + 1) };
  const colon = name.lastIndexOf(':');
  if (colon <= name.lastIndexOf('/')) return { repository: name, tag: 'latest' };
  return { repository: name.slice(0, colon), tag: name.slice(colon + 1) };
}

/** What went wrong with a pull, in words. */
export function pullError(name: string, error: unknown): IotmanoError {
  const said = error instanceof PullRefused ? error.message : refusalOf(error)?.said;
  if (said === undefined) return error instanceof IotmanoError ? error : unusableName(name, error);
  if (/pull access denied|unauthorized|authentication required|denied:/i.test(said))
    return new IotmanoError(
      'artifact-unusable',
      `the image ${name} is not on the engine, and its registry does not give it: it does not exist there, or the engine is not authorised (${said}); check the name, or docker login there`,
    );
  if (
    /manifest unknown|not found: manifest|manifest for .* not found|repository .* not found|name unknown/i.test(
      said,
    )
  )
    return new IotmanoError(
      'artifact-unusable',
      `the image ${name} is not on the engine, and its registry does not know it (${said}); check name and tag`,
    );
  if (/invalid reference format|invalid tag|must be lowercase/i.test(said)) return unusableName(name, error);
  if (/no space left/i.test(said))
    return new IotmanoError(
      'unavailable',
      `the engine's disk is full: the image ${name} could not be pulled (${said})`,
    );
  return new IotmanoError(
    'unavailable',
    `the image ${name} is not on the engine, and its registry cannot be reached (${said}); load it with docker load, or see to the network of the engine`,
    {},
    error,
  );
}

function unusableName(name: string, cause: unknown): IotmanoError {
  return new IotmanoError(
    'artifact-unusable',
    `${JSON.stringify(name)} is no name of an image; write it as repository:tag`,
    {},
    cause,
  );
}
