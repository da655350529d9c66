import type { Readable } from 'node:stream';
import { IotmanoError, toTimestamp, type IdSource, type TenantId } from '../../kernel/index.ts';
import type { Write } from '../store/index.ts';
import {
  contentRecords,
  createWrite,
  digestsInUse,
  nameOf,
  requireContent,
  stateAfter,
  updateWrite,
  type ContentDocument,
  type ContentKind,
  type ContentRecord,
} from './content-records.ts';
import { idsInUse } from './ids-in-use.ts';
import { createProcessor, type ProcessorOptions } from './process-content.ts';

export interface OnboardingOptions extends ProcessorOptions {
  readonly ids: IdSource;
}

export type MediaType = 'application/zip' | 'application/yaml';

/** Use cases of packages and service descriptors (SOL005 clauses 9 and 5). */
export interface Onboarding {
  list(kind: ContentKind, tenant: TenantId): Iterable<ContentRecord>;
  /** @throws IotmanoError `not-found` */
  get(kind: ContentKind, tenant: TenantId, id: string): ContentRecord;
  create(
    kind: ContentKind,
    tenant: TenantId,
    userDefinedData: Readonly<Record<string, unknown>>,
    alongside: (record: ContentRecord) => readonly Write[],
  ): ContentRecord;
  /** Returns when the content is received; it is processed in the background. @throws IotmanoError `illegal-transition` */
  upload(
    kind: ContentKind,
    tenant: TenantId,
    id: string,
    content: { readonly stream: Readable; readonly mediaType: MediaType; readonly signal: AbortSignal },
  ): Promise<void>;
  /** @throws IotmanoError `conflict` */
  modify(
    record: ContentRecord,
    change: Partial<Pick<ContentDocument, 'operationalState' | 'userDefinedData'>>,
  ): ContentRecord;
  /** @throws IotmanoError `conflict` unless DISABLED and not in use */
  delete(record: ContentRecord): Promise<void>;
  /** At the start: ends what a crash has interrupted, and removes files that belong to nothing. Uploads wait for it. */
  recover(): Promise<void>;
  /** Resolves when nothing is being processed. */
  whenIdle(): Promise<void>;
  /** Aborts what is being processed; the next start takes it up again. */
  close(): Promise<void>;
}

export function createOnboarding(options: OnboardingOptions): Onboarding {
  const { store, files, clock, ids } = options;
  const processor = createProcessor(options);
  /** Uploads under way: two at once into the same resource cannot be, since its state allows one. */
  const uploads = new Map<string, AbortController>();
  /** Uploads wait for it: the sweep takes every file for a leftover that no record names. */
  const recovered = Promise.withResolvers<void>();

  function get(kind: ContentKind, tenant: TenantId, id: string): ContentRecord {
    return requireContent(store, kind, tenant, id);
  }

  async function upload(...[kind, tenant, id, content]: Parameters<Onboarding['upload']>): Promise<void> {
    get(kind, tenant, id);
    await recovered.promise;
    const record = get(kind, tenant, id);
    const { failure: _failure, ...rest } = record.document;
    const onboardingState = stateAfter(record, 'upload');
    store.commit([
      updateWrite({ ...record, document: rest } as ContentRecord, { onboardingState, faults: [] }),
    ]);
    const abort = new AbortController();
    uploads.set(id, abort);
    try {
      const signal = AbortSignal.any([content.signal, abort.signal]);
      const received = await files.receive(id, content.stream, signal);
      const current = get(kind, tenant, id);
      store.commit([
        updateWrite(current, {
          onboardingState: stateAfter(current, 'received'),
          content: { ...received, mediaType: content.mediaType },
        }),
      ]);
    } catch (error) {
      await files.removeUpload(id);
      processor.fail(kind, id, error);
      throw error;
    } finally {
      uploads.delete(id);
    }
    processor.start(kind, id);
  }

  return {
    get,
    upload,
    *list(kind, tenant) {
      for (const record of store.list(kind)) if (record.tenant === tenant) yield record as ContentRecord;
    },
    create(kind, tenant, userDefinedData, alongside) {
      const id = ids.uuid();
      const document: ContentDocument = {
        onboardingState: 'CREATED',
        operationalState: 'DISABLED',
        userDefinedData,
        createdAt: toTimestamp(clock.now()),
        artifacts: [],
        faults: [],
      };
      const draft = { kind, id, tenant, revision: store.acceptedRevision + 1, document } as ContentRecord;
      store.commit([createWrite(kind, id, tenant, document), ...alongside(draft)]);
      return get(kind, tenant, id);
    },
    modify(record, change) {
      requireModifiable(record, change);
      store.commit([updateWrite(record, change)]);
      return get(record.kind, record.tenant, record.id);
    },
    async delete(record) {
      const what = nameOf(record);
      if (record.document.operationalState !== 'DISABLED')
        throw new IotmanoError('conflict', `${what} is ENABLED; disable it (PATCH), then delete it`);
      const { kind, id, revision } = record;
      store.commit([{ op: 'delete', kind, id, expectedRevision: revision }], (state) => {
        if (idsInUse(state, kind).has(id))
          throw new IotmanoError(
            'conflict',
            `${what} is IN_USE by instances, or by operations that are not over; delete or end those first`,
          );
      });
      await store.whenDurable();
      uploads.get(id)?.abort();
      await processor.abort(id);
      await files.removeUpload(id);
      await processor.releaseArtifacts(record.document.artifacts.map(({ digest }) => digest));
    },
    async recover() {
      for (const { kind, id, document } of contentRecords(store))
        if (document.onboardingState === 'UPLOADING') processor.fail(kind, id, interrupted());
      const kept = contentRecords(store).filter(({ document: { onboardingState } }) =>
        ['PROCESSING', 'ONBOARDED'].includes(onboardingState),
      );
      await files.sweep(new Set(kept.map(({ id }) => id)), digestsInUse(store));
      for (const { kind, id, document } of kept)
        if (document.onboardingState === 'PROCESSING') processor.start(kind, id);
      await store.whenDurable();
      recovered.resolve();
    },
    whenIdle: () => processor.whenIdle(),
    async close() {
      for (const abort of uploads.values()) abort.abort();
      await processor.close();
    },
  };
}

function interrupted(): IotmanoError {
  return new IotmanoError(
    'unavailable',
    'the orchestrator stopped during the upload; upload the content again',
  );
}

function requireModifiable(
  record: ContentRecord,
  { operationalState }: Partial<Pick<ContentDocument, 'operationalState'>>,
): void {
  if (operationalState === undefined) return;
  const { document } = record;
  const what = nameOf(record);
  if (document.onboardingState !== 'ONBOARDED')
    throw new IotmanoError(
      'conflict',
      `${what} is ${document.onboardingState}; only an ONBOARDED one can be enabled or disabled`,
      { state: document.onboardingState },
    );
  if (document.operationalState === operationalState)
    throw new IotmanoError('conflict', `${what} is ${operationalState} already; leave operationalState out`, {
      state: operationalState,
    });
}
