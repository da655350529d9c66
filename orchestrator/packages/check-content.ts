import { ERROR_TABLE, IotmanoError, messageOf, type TenantId } from '../../kernel/index.ts';
import type {
  Descriptor,
  Fault,
  IoTFunctionDescriptor,
  IoTServiceDescriptor,
  PackageContent,
} from '../../descriptors/index.ts';
import type { ProblemRecord } from '../domain/index.ts';
import type { StateView } from '../store/index.ts';
import { CONTENT_NAMES, nameOf, type ContentKind, type ContentRecord } from './content-records.ts';

/** Faults of a service over the functions that its tenant has onboarded. */
export type ServiceCheck = (
  service: IoTServiceDescriptor,
  functions: readonly IoTFunctionDescriptor[],
) => readonly Fault[];

/** A bare descriptor was stored under the id of its resource, which is no name that its author knows. */
export function nameBare(id: string, content: PackageContent): PackageContent {
  if (content.descriptorPath !== id && content.files.length > 0) return content;
  const faults = content.faults.map((fault) =>
    fault.file === id ? { ...fault, file: BARE_DESCRIPTOR } : fault,
  );
  return {
    ...content,
    faults,
    ...(content.descriptorPath === id ? { descriptorPath: BARE_DESCRIPTOR } : {}),
  };
}

const BARE_DESCRIPTOR = 'descriptor.yaml';

export function requireDeclaredType({ document }: ContentRecord, { descriptorPath }: PackageContent): void {
  const actual = descriptorPath === BARE_DESCRIPTOR ? 'application/yaml' : 'application/zip';
  const declared = document.content?.mediaType;
  if (declared === actual) return;
  throw new IotmanoError(
    'invalid-package',
    `the content was sent as ${declared} and is ${actual}; send it again with that Content-Type`,
  );
}

export function requireDescriptor(kind: ContentKind, { descriptor, faults }: PackageContent): Descriptor {
  if (descriptor === undefined) throw invalidContent(kind, faults);
  const wanted = kind === 'vnf-package' ? 'IoTFunctionDescriptor' : 'IoTServiceDescriptor';
  if (descriptor.kind === wanted) return descriptor;
  const other = kind === 'vnf-package' ? '/nsd/v2/ns_descriptors' : '/vnfpkgm/v2/vnf_packages';
  throw new IotmanoError(
    'invalid-descriptor',
    `the content holds an ${descriptor.kind}, and a ${CONTENT_NAMES[kind]} takes an ${wanted}; upload it to ${other}`,
  );
}

export function invalidContent(kind: ContentKind, faults: readonly Fault[]): IotmanoError {
  const errors = faults.filter(({ severity }) => severity === 'error');
  const [first] = errors;
  const place =
    first === undefined
      ? ''
      : `: ${first.file}${first.line === undefined ? '' : `:${first.line}`} ${first.pointer} ${first.message}`;
  return new IotmanoError(
    'invalid-package',
    `the content of the ${CONTENT_NAMES[kind]} has ${errors.length} fault${errors.length === 1 ? '' : 's'}${place}; mend all that \`faults\` lists, then upload again`,
    { faults },
  );
}

export function serviceFaults(
  state: StateView,
  check: ServiceCheck,
  tenant: TenantId,
  descriptor: Descriptor,
): readonly Fault[] {
  if (descriptor.kind !== 'IoTServiceDescriptor') return [];
  const functions = [...state.list('vnf-package')]
    .filter((record) => record.tenant === tenant && record.document.onboardingState === 'ONBOARDED')
    .flatMap(({ document }) => document.descriptor ?? []);
  return check(descriptor, functions);
}

/** A descriptor is onboarded once: its id is globally unique. */
export function requireUnique(view: StateView, record: ContentRecord, descriptor: Descriptor): void {
  for (const other of view.list(record.kind)) {
    if (other.id === record.id || other.tenant !== record.tenant) continue;
    if (
      other.document.onboardingState !== 'ONBOARDED' ||
      other.document.descriptor?.metadata.id !== descriptor.metadata.id
    )
      continue;
    throw new IotmanoError(
      'conflict',
      `descriptor ${descriptor.metadata.id} is onboarded already, as ${nameOf({ kind: record.kind, id: other.id })}; delete that one first, or give the new content a new id or version`,
    );
  }
}

export function failureOf(error: unknown): ProblemRecord {
  const code = error instanceof IotmanoError ? error.code : 'internal';
  const { status, title } = ERROR_TABLE[code];
  const detail =
    code === 'internal'
      ? 'the orchestrator failed; its log says why; upload the content again'
      : messageOf(error);
  return { status, title, detail, code };
}
