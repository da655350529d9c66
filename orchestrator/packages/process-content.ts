import { IotmanoError, toTimestamp, type Clock, type Logger } from '../../kernel/index.ts';
import type { Fault, PackageContent, ReadPackageOptions } from '../../descriptors/index.ts';
import type { StateStore } from '../store/index.ts';
import {
  failureOf,
  invalidContent,
  nameBare,
  requireDeclaredType,
  requireDescriptor,
  requireUnique,
  serviceFaults,
  type ServiceCheck,
} from './check-content.ts';
import type { ContentFiles } from './content-files.ts';
import {
  digestsInUse,
  stateAfter,
  updateWrite,
  type ContentDocument,
  type ContentKind,
  type ContentRecord,
} from './content-records.ts';

/** Reads what was uploaded, a ZIP or a bare descriptor; all faults are returned (`readPackage` of the descriptors). */
export type PackageReader = (path: string, options: ReadPackageOptions) => Promise<PackageContent>;

export interface Processor {
  /** Reads the received content in the background and ends in ONBOARDED or ERROR. */
  start(kind: ContentKind, id: string): void;
  /** Ends in ERROR, with what was thrown as the reason. Nothing happens where the resource is gone or not under way. */
  fail(kind: ContentKind, id: string, error: unknown): void;
  abort(id: string): Promise<void>;
  /** Removes artifacts that nothing refers to any more. */
  releaseArtifacts(digests: readonly string[]): Promise<void>;
  whenIdle(): Promise<void>;
  close(): Promise<void>;
}

export interface ProcessorOptions {
  readonly store: StateStore;
  readonly files: ContentFiles;
  readonly read: PackageReader;
  readonly checkService: ServiceCheck;
  readonly clock: Clock;
  readonly log: Logger;
}

export function createProcessor(options: ProcessorOptions): Processor {
  const { store, files, log } = options;
  const running = new Map<string, { readonly done: Promise<void>; readonly abort: AbortController }>();
  /** Digests of content that is being processed: not referred to by a record yet, and not to be removed. */
  const pinned = new Map<string, readonly string[]>();
  let isClosing = false;

  async function process(kind: ContentKind, id: string, signal: AbortSignal): Promise<void> {
    const record = store.get(kind, id) as ContentRecord | undefined;
    if (record?.document.content === undefined) return;
    try {
      const extractTo = await files.unpackTo(id);
      const content = nameBare(id, await options.read(files.contentPath(id), { extractTo, signal }));
      pinned.set(
        id,
        content.files.map(({ digest }) => digest),
      );
      await accept(kind, id, content);
    } catch (error) {
      // What a stop interrupts is taken up again by the next start.
      if (isClosing) return;
      if (!(error instanceof IotmanoError)) log.error({ err: error, id }, 'content could not be processed');
      await files.removeUpload(id);
      fail(kind, id, error);
    } finally {
      await files.removeUnpacked(id);
      const digests = pinned.get(id) ?? [];
      pinned.delete(id);
      if (!isClosing) await releaseArtifacts(digests);
    }
  }

  async function accept(kind: ContentKind, id: string, content: PackageContent): Promise<void> {
    const before = store.get(kind, id) as ContentRecord | undefined;
    if (before === undefined) return;
    const descriptor = requireDescriptor(kind, content);
    requireDeclaredType(before, content);
    const faults = [
      ...content.faults,
      ...serviceFaults(store, options.checkService, before.tenant, descriptor),
    ];
    if (faults.some(({ severity }) => severity === 'error')) throw invalidContent(kind, faults);
    for (const { location, digest } of content.files)
      if (location !== undefined) await files.adopt(location, digest);
    await files.writeDescriptor(id, content.descriptorText ?? '');
    const record = store.get(kind, id) as ContentRecord | undefined;
    if (record === undefined) return;
    const change: Partial<ContentDocument> = {
      onboardingState: stateAfter(record, 'accepted'),
      operationalState: 'ENABLED',
      onboardedAt: toTimestamp(options.clock.now()),
      artifacts: content.files.map(({ path, digest, sizeBytes }) => ({ path, digest, sizeBytes })),
      faults,
      descriptor: descriptor as never,
    };
    store.commit([updateWrite(record, change)], (view) => requireUnique(view, record, descriptor));
  }

  function fail(kind: ContentKind, id: string, error: unknown): void {
    const record = store.get(kind, id) as ContentRecord | undefined;
    const current = record?.document.onboardingState;
    if (record === undefined || (current !== 'UPLOADING' && current !== 'PROCESSING')) return;
    const faults =
      error instanceof IotmanoError ? (error.context['faults'] as readonly Fault[] | undefined) : undefined;
    const { content: _content, ...document } = record.document;
    store.commit([
      updateWrite({ ...record, document } as ContentRecord, {
        onboardingState: stateAfter(record, 'failed'),
        faults: faults ?? [],
        failure: failureOf(error),
      }),
    ]);
  }

  async function releaseArtifacts(digests: readonly string[]): Promise<void> {
    const used = digestsInUse(store);
    for (const list of pinned.values()) for (const digest of list) used.add(digest);
    await files.removeArtifacts(digests.filter((digest) => !used.has(digest)));
  }

  return {
    fail,
    releaseArtifacts,
    start(kind, id) {
      const abort = new AbortController();
      const done = process(kind, id, abort.signal)
        .catch((error: unknown) => log.error({ err: error, id }, 'processing of content failed'))
        .finally(() => running.delete(id));
      running.set(id, { done, abort });
    },
    async abort(id) {
      running.get(id)?.abort.abort();
      await running.get(id)?.done;
    },
    async whenIdle() {
      while (running.size > 0) await Promise.all([...running.values()].map(({ done }) => done));
    },
    async close() {
      isClosing = true;
      for (const { abort } of running.values()) abort.abort();
      await this.whenIdle();
    },
  };
}
