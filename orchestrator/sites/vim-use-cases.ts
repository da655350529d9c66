import {
  IotmanoError,
  SYSTEM_TENANT,
  toTimestamp,
  type Clock,
  type IdSource,
  type VimId,
} from '../../kernel/index.ts';
import {
  isSameJson,
  type HostDocument,
  type VimConnectionDocument,
  type VimExtra,
  type VimInterfaceInfo,
  type VimType,
} from '../domain/index.ts';
import { mergePatch } from '../api/route.ts';
import type { Inventory } from '../inventory/index.ts';
import type { StateStore, StateView, StoredRecord, Write } from '../store/index.ts';
import { checkExtra, checkReach } from './check-vim.ts';
import type { SecretBox } from './secret-box.ts';
import type { Site } from './site.ts';
import { credentialsOf, type VimAccessInfo } from './vim-access.ts';

/** As the API takes it, valid by its schema. */
export interface VimRegistration {
  readonly vimId: VimId;
  readonly vimType: VimType;
  readonly interfaceInfo?: VimInterfaceInfo;
  readonly accessInfo?: VimAccessInfo;
  readonly extra?: VimExtra;
}

/** A merge patch, but for `accessInfo`, which is replaced as a whole; null: none. */
export interface VimModifications {
  readonly interfaceInfo?: unknown;
  readonly accessInfo?: unknown;
  readonly extra?: unknown;
}

export interface VimUseCasesOptions {
  readonly store: StateStore;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly inventory: Inventory;
  readonly secrets: SecretBox;
  /** What the schema of a registration says of a value; undefined: nothing. */
  readonly checkRegistration: (
    value: unknown,
  ) => { readonly pointer: string; readonly text: string } | undefined;
  readonly siteOf: (vimId: string) => Pick<Site, 'health' | 'countWorkloads'> | undefined;
}

export interface VimUseCases {
  /** @throws IotmanoError `unprocessable`, `conflict` where the id is taken, `unavailable` where nothing can be sealed */
  register(
    request: VimRegistration,
    alongside: (created: StoredRecord<'vim-connection'>) => readonly Write[],
  ): Promise<StoredRecord<'vim-connection'>>;
  /** @throws IotmanoError `malformed-request`, `unprocessable`, `revision-conflict` */
  modify(
    record: StoredRecord<'vim-connection'>,
    changes: VimModifications,
  ): Promise<StoredRecord<'vim-connection'>>;
  /** @throws IotmanoError `conflict` while something is assigned or still there, `unavailable` where a reachable VIM does not say what is there */
  remove(record: StoredRecord<'vim-connection'>): Promise<void>;
}

export function createVimUseCases(options: VimUseCasesOptions): VimUseCases {
  return {
    register: (request, alongside) => registerVim(options, request, alongside),
    modify: (record, changes) => modifyVim(options, record, changes),
    remove: (record) => removeVim(options, record),
  };
}

async function registerVim(
  { store, clock, ids, secrets }: VimUseCasesOptions,
  { vimId, vimType, interfaceInfo = {}, accessInfo = {}, extra = {} }: VimRegistration,
  alongside: (created: StoredRecord<'vim-connection'>) => readonly Write[],
): Promise<StoredRecord<'vim-connection'>> {
  checkReach(vimType, interfaceInfo, accessInfo);
  checkExtra(extra);
  requireFree(store, clock, vimId);
  const sealed = await sealAccess(secrets, vimId, accessInfo);
  // Others may have come meanwhile; from here to the commit nobody can.
  requireFree(store, clock, vimId);
  const now = toTimestamp(clock.now());
  const installation = store.get('installation', INSTALLATION)?.document ?? {
    installationId: ids.uuid(),
    createdAt: now,
  };
  const document: VimConnectionDocument = {
    vimType,
    scope: `${installation.installationId.slice(0, 8)}.${vimId}`,
    interfaceInfo,
    ...sealed,
    extra,
    registeredAt: now,
  };
  const shared = { id: vimId, tenant: SYSTEM_TENANT } as const;
  const created = {
    kind: 'vim-connection',
    ...shared,
    revision: store.acceptedRevision + 1,
    document,
  } as const;
  store.commit([
    { op: 'create', kind: 'vim-connection', ...shared, document },
    { op: 'create', kind: 'host', ...shared, document: hostOf(created, store.stateId) },
    ...installationWrites(store, installation),
    ...alongside(created),
  ]);
  return created;
}

const INSTALLATION = 'installation';

function installationWrites(
  state: StateView,
  document: { readonly installationId: string; readonly createdAt: string },
): Write[] {
  if (state.get('installation', INSTALLATION) !== undefined) return [];
  return [{ op: 'create', kind: 'installation', id: INSTALLATION, tenant: SYSTEM_TENANT, document }];
}

/** The store's state is pinned at once: there is no agent that could remember it. */
function hostOf(
  { id, document: { registeredAt, extra } }: StoredRecord<'vim-connection'>,
  stateId: string,
): HostDocument {
  return {
    state: 'ENROLLED',
    roles: ['orchestration', 'monitoring'],
    vimId: id as VimId,
    enrolledAt: registeredAt,
    tenants: extra.tenants ?? [],
    draining: false,
    disputed: false,
    boots: [],
    stateIds: { pinned: stateId },
  };
}

function requireFree(state: StateView, clock: Clock, vimId: VimId): void {
  if (state.get('vim-connection', vimId) !== undefined)
    throw taken(`there is a VIM ${vimId} already; change that one with PATCH, or choose another vimId`);
  if (state.get('host', vimId) !== undefined)
    throw taken(`vimId ${vimId} is the id of a host with an agent; choose another vimId`);
  for (const { document } of state.list('enrolment-token'))
    if (
      (document.hostId as string | undefined) === vimId &&
      document.usedBy === undefined &&
      Date.parse(document.expiresAt) > clock.now()
    )
      throw taken(
        `an enrolment token is waiting for a host ${vimId}; delete that token, or choose another vimId`,
      );
}

function taken(text: string): IotmanoError {
  return new IotmanoError('conflict', text, { pointer: '/vimId' });
}

async function sealAccess(
  secrets: SecretBox,
  vimId: VimId,
  access: VimAccessInfo,
): Promise<Pick<VimConnectionDocument, 'credentials' | 'sealedAccess'>> {
  const credentials = credentialsOf(access);
  if (Object.keys(access).length === 0) return { credentials };
  return { credentials, sealedAccess: await secrets.seal(vimId, access) };
}

async function modifyVim(
  options: VimUseCasesOptions,
  record: StoredRecord<'vim-connection'>,
  changes: VimModifications,
): Promise<StoredRecord<'vim-connection'>> {
  const { store, secrets } = options;
  const vimId = record.id as VimId;
  const merged = mergedRegistration(options, record, changes);
  const { vimType, interfaceInfo = {}, extra = {} } = merged;
  checkExtra(extra);
  if (extra.namespacePrefix !== record.document.extra.namespacePrefix) requireUnassigned(store, vimId);
  const { sealedAccess, credentials, ...kept } = record.document;
  const isNewAccess = changes.accessInfo !== undefined;
  if (isNewAccess || changes.interfaceInfo !== undefined) {
    const access = isNewAccess ? (merged.accessInfo ?? {}) : await openedAccess(secrets, vimId, sealedAccess);
    checkReach(vimType, interfaceInfo, access);
  }
  const access = isNewAccess
    ? await sealAccess(secrets, vimId, merged.accessInfo ?? {})
    : { credentials, ...(sealedAccess === undefined ? {} : { sealedAccess }) };
  const document: VimConnectionDocument = { ...kept, interfaceInfo, extra, ...access };
  if (isSameJson(document, record.document)) return record;
  const { revision } = store.commit([
    { op: 'update', kind: 'vim-connection', id: vimId, expectedRevision: record.revision, document },
    ...tenantWrites(store, vimId, extra),
  ]);
  return { ...record, revision, document };
}

/** What runs in the namespaces of the old name would be lost sight of. @throws IotmanoError `conflict` */
function requireUnassigned(state: StateView, vimId: VimId): void {
  const [assigned] = state.listByPrefix('assignment', `${vimId}.`);
  if (assigned === undefined) return;
  throw new IotmanoError(
    'conflict',
    `functions run on VIM ${vimId} in namespaces of the present prefix; move them away (iotmano host drain ${vimId}), then change it`,
    { pointer: '/extra/namespacePrefix' },
  );
}

/** What the connection would be registered as: the schema says whether it may. */
function mergedRegistration(
  { checkRegistration }: VimUseCasesOptions,
  { id, document: { vimType, interfaceInfo, extra } }: StoredRecord<'vim-connection'>,
  { accessInfo, ...changes }: VimModifications,
): VimRegistration {
  const merged = {
    ...(mergePatch({ interfaceInfo, extra }, changes) as object),
    vimId: id as VimId,
    vimType,
    ...(accessInfo === undefined || accessInfo === null ? {} : { accessInfo }),
  };
  const violation = checkRegistration(merged);
  if (violation === undefined) return merged;
  throw new IotmanoError('malformed-request', `body${violation.pointer} ${violation.text}`, {
    pointer: violation.pointer,
  });
}

/** To see whether what is kept goes with what is new. */
async function openedAccess(
  secrets: SecretBox,
  vimId: VimId,
  sealed: string | undefined,
): Promise<VimAccessInfo> {
  if (sealed === undefined) return {};
  try {
    return await secrets.open(vimId, sealed);
  } catch (error) {
    throw new IotmanoError(
      'unprocessable',
      `body/accessInfo is missing; the credentials that are kept cannot be opened: give them anew`,
      { pointer: '/accessInfo' },
      error,
    );
  }
}

function tenantWrites(state: StateView, vimId: VimId, { tenants = [] }: VimExtra): Write[] {
  const host = state.get('host', vimId);
  if (host === undefined || isSameJson(host.document.tenants, tenants)) return [];
  return [
    {
      op: 'update',
      kind: 'host',
      id: vimId,
      expectedRevision: host.revision,
      document: { ...host.document, tenants },
    },
  ];
}

async function removeVim(
  { store, inventory, siteOf }: VimUseCasesOptions,
  record: StoredRecord<'vim-connection'>,
): Promise<void> {
  const site = siteOf(record.id);
  const [assigned] = store.listByPrefix('assignment', `${record.id}.`);
  // What cannot be reached may be forgotten with all that is there; what can is left clean.
  if (assigned === undefined && site?.health.state === 'REACHABLE') await requireEmpty(site, record.id);
  const deletion: Write = {
    op: 'delete',
    kind: 'vim-connection',
    id: record.id,
    expectedRevision: record.revision,
  };
  const host = store.get('host', record.id);
  if (host === undefined) store.commit([deletion]);
  else inventory.forget(host, [deletion]);
}

async function requireEmpty(site: Pick<Site, 'countWorkloads'>, vimId: string): Promise<void> {
  const left = await site.countWorkloads();
  if (left === 0) return;
  throw new IotmanoError(
    'conflict',
    `${left} workloads are still being removed from VIM ${vimId}; wait a moment, then repeat`,
  );
}
