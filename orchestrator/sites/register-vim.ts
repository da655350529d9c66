import { IotmanoError, SYSTEM_TENANT, toTimestamp, type Clock, type VimId } from '../../kernel/index.ts';
import type { HostDocument, VimConnectionDocument } from '../domain/index.ts';
import { leaseBaseAt } from '../inventory/index.ts';
import type { StateView, StoredRecord, Write } from '../store/index.ts';
import { checkExtra, checkReach } from './check-vim.ts';
import { sealAccess } from './seal-access.ts';
import type { VimRegistration, VimUseCasesOptions } from './vim-requests.ts';

/** The connection, its host and the answer that a repetition gets, in one commit. */
export async function registerVim(
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

/**
 * The store's state is pinned at once: there is no agent that could remember it. Orders count from now, for a VIM that was registered before, maybe by a store that was
 * restored since, remembers the newest that it was given.
 */
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
    stateIds: { pinned: stateId, leaseBase: leaseBaseAt(Date.parse(registeredAt)) },
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
