import { createReadStream } from 'node:fs';
import type Docker from 'dockerode';
import { IotmanoError, type Logger } from '../../kernel/index.ts';
import type { ArtifactReference, ArtifactSource, WorkloadArtifact } from '../contract.ts';
import { pullError, unusableName } from './image-faults.ts';
import { isImageName, isSameName, splitName } from './image-names.ts';
import { SharedFetches, type FetchWaiter } from './shared-fetches.ts';
import { followWork, WorkRefused } from './engine-work.ts';
import { demandRoom, type DiskRoom } from './disk-room.ts';
import type { Engine } from './engine.ts';
import { hasStatus } from './engine-errors.ts';
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

const FETCH_SECONDS = 3600;

/** Brings images to the engine: by name from where the engine gets them, or out of an archive of the package. Never removes one. */
export class Images {
  readonly #engine: Engine;
  readonly #artifacts: ArtifactSource;
  readonly #room: () => Promise<DiskRoom | undefined>;
  readonly #log: Logger;
  readonly #archives = new Map<string, Promise<ImageManifest>>();
  readonly #fetches = new SharedFetches();

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
  async ensure(artifact: ContainerArtifact, waiter: FetchWaiter): Promise<PresentImage> {
    if (!isImageName(artifact.image)) throw unusableName(artifact.image);
    return artifact.files === undefined
      ? this.#ensureByName(artifact.image, waiter)
      : this.#ensureByArchive(artifact.image, artifact.files, waiter);
  }

  async #ensureByName(name: string, waiter: FetchWaiter): Promise<PresentImage> {
    const present = await this.#inspect(name);
    if (present !== undefined) return { reference: name, user: present.Config.User };
    await this.#fetches.run(`pull ${name}`, waiter, (report, signal) => this.#pull(name, report, signal));
    const pulled = await this.#inspect(name);
    if (pulled !== undefined) return { reference: name, user: pulled.Config.User };
    throw new IotmanoError(
      'unavailable',
      `the image ${name} was pulled, and is not there; somebody removes images`,
    );
  }

  async #ensureByArchive(name: string, files: ArtifactReference, waiter: FetchWaiter): Promise<PresentImage> {
    const named = await this.#inspect(name);
    waiter.report(`fetching the archive of the image ${name}`);
    const path = await this.#artifacts.open(files, waiter.signal);
    const { images } = await this.#contentsOf(files.digest, path);
    const wanted = images.find(({ tags }) => tags.some((tag) => isSameName(tag, name))) ?? images[0];
    const id = wanted?.id ?? '';
    if (named?.Id === id) return { reference: name, user: named.Config.User };
    if ((await this.#inspect(id)) === undefined) {
      await this.#demandFreeTags(name, images);
      await this.#fetches.run(`load ${files.digest}`, waiter, (report, signal) =>
        this.#load(name, path, files.sizeBytes, report, signal),
      );
    }
    const loaded = await this.#inspect(id);
    if (loaded === undefined)
      throw new IotmanoError(
        'artifact-unusable',
        `the archive of the image ${name} was loaded, and the image it promises is not there`,
      );
    if (named === undefined && (await this.#inspect(name)) === undefined) await this.#tag(id, name);
    return { reference: id, user: loaded.Config.User };
  }

  /** The engine gives every tag of an archive to what is in it: those of images that others run must not move. */
  async #demandFreeTags(name: string, images: ImageManifest['images']): Promise<void> {
    for (const { id, tags } of images)
      for (const tag of tags) {
        const present = await this.#inspect(tag);
        if (present !== undefined && present.Id !== id)
          throw new IotmanoError(
            'artifact-unusable',
            `the archive of the image ${name} would make ${tag} another image than the one that the engine has under this name; save it under a tag of its own`,
          );
      }
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
      await followWork(stream, this.#engine.name, async (line) => {
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
    await followWork(stream, this.#engine.name, async () => undefined).catch((error: unknown) => {
      if (error instanceof WorkRefused)
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
}
