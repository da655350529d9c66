import { IotmanoError, transition, type TenantId } from '../../kernel/index.ts';
import {
  ONBOARDING,
  type OnboardingEvent,
  type OnboardingState,
  type RecordDocuments,
} from '../domain/index.ts';
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

/** As messages name one. */
export function nameOf({ kind, id }: Pick<ContentRecord, 'kind' | 'id'>): string {
  return `${CONTENT_NAMES[kind]} ${id}`;
}

/** @throws IotmanoError `illegal-transition` */
export function stateAfter(record: ContentRecord, event: OnboardingEvent): OnboardingState {
  const { onboardingState } = record.document;
  return transition<OnboardingState, OnboardingEvent>(ONBOARDING, onboardingState, event, nameOf(record));
}

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
    `there is no ${nameOf({ kind, id })}; list them to see which there are`,
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

/** All packages and descriptors, of all tenants, as they are now. */
export function contentRecords(state: StateView): readonly ContentRecord[] {
  return [...state.list('vnf-package'), ...state.list('ns-descriptor')];
}

/** Digests that onboarded packages and descriptors refer to, and those of the agent's programs. */
export function digestsInUse(state: StateView): Set<string> {
  const artifacts = contentRecords(state).flatMap(({ document }) => document.artifacts);
  const programs = [...state.list('agent-release')].map(({ document }) => document);
  return new Set([...artifacts, ...programs].map(({ digest }) => digest));
}
