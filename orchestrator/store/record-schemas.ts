import { IotmanoError } from '../../kernel/index.ts';
import type { RecordDocuments, RecordKind } from '../domain/index.ts';
import { upcastDiagnostics } from './upcast-diagnostics.ts';
import { upcastPackage } from './upcast-packages.ts';

/** The version of a kind's documents that this program writes, and how it reads older ones. */
export interface RecordSchema {
  readonly version: number;
  /** `upcasters[n]` turns a document of version n into one of version n + 1. Pure; never changes its argument. */
  readonly upcasters: Readonly<Record<number, (document: unknown) => unknown>>;
}

export type RecordSchemas = Readonly<Record<RecordKind, RecordSchema>>;

const FIRST: RecordSchema = { version: 1, upcasters: {} };

/** Every kind. Whoever changes the shape of a document adds one to its version, and an upcaster from the version before. */
export const RECORD_SCHEMAS: RecordSchemas = {
  'vnf-package': { version: 2, upcasters: { 1: upcastPackage } },
  'ns-descriptor': FIRST,
  'vnf-instance': FIRST,
  'vnf-lcm-op-occ': FIRST,
  'ns-instance': FIRST,
  'ns-lcm-op-occ': FIRST,
  assignment: FIRST,
  observed: FIRST,
  host: FIRST,
  'host-facts': FIRST,
  'host-applied': FIRST,
  'enrolment-token': FIRST,
  'access-token': FIRST,
  session: FIRST,
  'nats-user': FIRST,
  idempotency: FIRST,
  alarm: FIRST,
  'scaling-aspect': FIRST,
  schedule: FIRST,
  'vim-connection': FIRST,
  'agent-release': FIRST,
  'agent-upgrade': FIRST,
  'agent-order': FIRST,
  installation: FIRST,
  diagnostics: { version: 2, upcasters: { 1: upcastDiagnostics } },
  'audit-entry': FIRST,
};

/**
 * Refuses what a newer version of this program has written.
 * @param where the store, for the message
 * @throws IotmanoError `store-newer`
 */
export function refuseNewer(
  versions: Readonly<Record<string, number>>,
  kind: string,
  schemaVersion: number,
  where: string,
): void {
  const known = versions[kind];
  if (known !== undefined && schemaVersion <= known) return;
  const found = known === undefined ? `of the unknown kind ${kind}` : `${kind} of version ${schemaVersion}`;
  throw new IotmanoError(
    'store-newer',
    `the state store ${where} holds records ${found}${known === undefined ? '' : `; this program knows up to ${known}`}: it was written by a newer iotmano. Start that version, or restore a backup taken before the upgrade`,
    { kind, schemaVersion },
  );
}

/** The document as this version of the program knows it. @throws IotmanoError `internal` when an upcaster is missing */
export function upcast<Kind extends RecordKind>(
  schemas: RecordSchemas,
  kind: Kind,
  schemaVersion: number,
  document: unknown,
): RecordDocuments[Kind] {
  const schema = schemas[kind];
  let current = document;
  for (let version = schemaVersion; version < schema.version; version += 1) {
    const upcaster = schema.upcasters[version];
    if (upcaster === undefined)
      throw new IotmanoError('internal', `no upcaster for ${kind} from version ${version}`);
    current = upcaster(current);
  }
  return current as RecordDocuments[Kind];
}

/** kind → version that is written. */
export function versionsOf(schemas: RecordSchemas): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(schemas).map(([kind, schema]) => [kind, schema.version]));
}
