import { IotmanoError, type TenantId } from '../../kernel/index.ts';
import type { RecordDocuments } from '../domain/index.ts';
import type { StateView, StoredRecord, Write } from '../store/index.ts';

/** Packages of functions, and descriptors of services: the same onboarding. */
export type ContentKind = 'vnf-package' | 'ns-descriptor';
export type ContentRecord = StoredRecord<'vnf-package'> | StoredRecord<'ns-descriptor'>;
export type ContentDocument = RecordDocuments[ContentKind];

/** How people call them. */
export const CONTENT_NAMES: { readonly [Kind in ContentKind]: string } = {
  'vnf-package': 'VNF package',
  'ns-descriptor': 'NS descriptor',
};

/** @throws IotmanoError `not-found`, also for one of another tenant */
export function requireContent(
  state: StateView,
  kind: ContentKind,
  tenant: TenantId,
  id: string,
): ContentRecord {
  const record = state.get(kind, id) as ContentRecord | undefined;
  if (record !== undefined && record.tenant === tenant) return record;
  throw new IotmanoError(
    'not-found',
    `there is no ${CONTENT_NAMES[kind]} ${id}; list them to see which there are`,
  );
}

export function createWrite(
  kind: ContentKind,
  id: string,
  tenant: TenantId,
  document: ContentDocument,
): Write {
  return { op: 'create', kind, id, tenant, document } as Write;
}

/** Replaces the document of a record that nobody else has changed meanwhile. */
export function updateWrite(record: ContentRecord, change: Partial<ContentDocument>): Write {
  const { kind, id, revision, document } = record;
  return {
    op: 'update',
    kind,
    id,
    expectedRevision: revision,
    document: { ...document, ...change },
  } as Write;
}

/** Ids of the packages, or descriptors, that instances were made from. */
export function idsInUse(state: StateView, kind: ContentKind): ReadonlySet<string> {
  if (kind === 'vnf-package')
    return new Set([...state.list('vnf-instance')].map(({ document }) => document.vnfPkgId));
  return new Set([...state.list('ns-instance')].map(({ document }) => document.nsdInfoId));
}

/** Digests that onboarded packages and descriptors refer to. */
export function digestsInUse(state: StateView): Set<string> {
  const digests = new Set<string>();
  for (const kind of ['vnf-package', 'ns-descriptor'] as const)
    for (const { document } of state.list(kind))
      for (const { digest } of document.artifacts) digests.add(digest);
  return digests;
}
