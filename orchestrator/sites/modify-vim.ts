import { IotmanoError, type VimId } from '../../kernel/index.ts';
import {
  isSameJson,
  type VimConnectionDocument,
  type VimExtra,
  type VimInterfaceInfo,
} from '../domain/index.ts';
import { withdrawConfirmation } from '../inventory/index.ts';
import { mergePatch } from '../api/route.ts';
import type { StateView, StoredRecord, Write } from '../store/index.ts';
import { checkExtra, checkReach } from './check-vim.ts';
import { kubeconfigServer } from './check-kubeconfig.ts';
import { sealAccess } from './seal-access.ts';
import type { SecretBox } from './secret-box.ts';
import type { VimAccessInfo } from './vim-access.ts';
import type { VimModifications, VimRegistration, VimUseCasesOptions } from './vim-requests.ts';

/**
 * The connection as a patch makes it; where that is what it was, nothing is written. Where it is reached at another place while functions are there, its host gets no
 * orders until an operator has confirmed that it is the same platform: on another one each of them would be made a second time.
 */
export async function modifyVim(
  options: VimUseCasesOptions,
  record: StoredRecord<'vim-connection'>,
  changes: VimModifications,
): Promise<StoredRecord<'vim-connection'>> {
  const { store } = options;
  const vimId = record.id as VimId;
  const merged = mergedRegistration(options, record, changes);
  const { interfaceInfo = {}, extra = {} } = merged;
  checkExtra(extra);
  const { sealedAccess: _sealed, credentials: _credentials, ...kept } = record.document;
  const { isMoved, ...access } = await reachAfter(options, record, changes, merged);
  const document: VimConnectionDocument = { ...kept, interfaceInfo, extra, ...access };
  if (isSameJson(document, record.document)) return record;
  // From here to the commit nobody can place anything there.
  const isUsed = hasFunctions(store, vimId);
  if (isUsed && extra.namespacePrefix !== record.document.extra.namespacePrefix) throw keepsPrefix(vimId);
  const { revision } = store.commit([
    { op: 'update', kind: 'vim-connection', id: vimId, expectedRevision: record.revision, document },
    ...hostWrites(store, vimId, extra, isMoved && isUsed),
  ]);
  return { ...record, revision, document };
}

/** Assigned, or not yet removed. */
function hasFunctions(state: StateView, vimId: VimId): boolean {
  return (['assignment', 'observed'] as const).some((kind) => {
    const [found] = state.listByPrefix(kind, `${vimId}.`);
    return found !== undefined;
  });
}

/** What runs in the namespaces of the old name would be lost sight of. */
function keepsPrefix(vimId: VimId): IotmanoError {
  return new IotmanoError(
    'conflict',
    `functions run on VIM ${vimId} in namespaces of the present prefix; move them away (iotmano host drain ${vimId}), then change it`,
    { pointer: '/extra/namespacePrefix' },
  );
}

type SealedAccess = Pick<VimConnectionDocument, 'credentials' | 'sealedAccess'>;

/** The credentials to keep, checked with the rest of what says how it is reached, and whether that is another place. */
async function reachAfter(
  { secrets }: VimUseCasesOptions,
  { id, document: { interfaceInfo: infoBefore, credentials, sealedAccess } }: StoredRecord<'vim-connection'>,
  changes: VimModifications,
  { vimType, interfaceInfo = {}, accessInfo = {} }: VimRegistration,
): Promise<SealedAccess & { readonly isMoved: boolean }> {
  const vimId = id as VimId;
  const kept = { credentials, ...(sealedAccess === undefined ? {} : { sealedAccess }) };
  const isNew = changes.accessInfo !== undefined;
  if (!isNew && changes.interfaceInfo === undefined) return { ...kept, isMoved: false };
  const before = await openedAccess(secrets, vimId, sealedAccess);
  if (!isNew && before instanceof IotmanoError) throw before;
  const accessBefore = before instanceof IotmanoError ? {} : before;
  const access = isNew ? accessInfo : accessBefore;
  checkReach(vimType, interfaceInfo, access);
  const isMoved = placeOf(interfaceInfo, access) !== placeOf(infoBefore, accessBefore);
  return { ...(isNew ? await sealAccess(secrets, vimId, access) : kept), isMoved };
}

/** Where a platform is reached; undefined where nobody can tell any more. */
function placeOf({ endpoint, inCluster }: VimInterfaceInfo, access: VimAccessInfo): string | undefined {
  const { kubeconfig, context } = access;
  if (inCluster === true) return 'in-cluster';
  return kubeconfig === undefined ? endpoint : kubeconfigServer(kubeconfig, context);
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

/** What is kept, or, where it cannot be opened, why not: who gives new credentials needs no old ones. */
async function openedAccess(
  secrets: SecretBox,
  vimId: VimId,
  sealed: string | undefined,
): Promise<VimAccessInfo | IotmanoError> {
  if (sealed === undefined) return {};
  try {
    return await secrets.open(vimId, sealed);
  } catch (error) {
    return new IotmanoError(
      'unprocessable',
      'body/accessInfo is missing; the credentials that are kept cannot be opened: give them anew',
      { pointer: '/accessInfo' },
      error,
    );
  }
}

function hostWrites(
  state: StateView,
  vimId: VimId,
  { tenants = [] }: VimExtra,
  isDoubtful: boolean,
): Write[] {
  const host = state.get('host', vimId);
  if (host === undefined) return [];
  const changed = { ...host.document, tenants };
  const document = isDoubtful ? withdrawConfirmation(changed) : changed;
  if (isSameJson(document, host.document)) return [];
  return [{ op: 'update', kind: 'host', id: vimId, expectedRevision: host.revision, document }];
}
