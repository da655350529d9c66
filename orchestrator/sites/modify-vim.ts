import { IotmanoError, type VimId } from '../../kernel/index.ts';
import { isSameJson, type VimConnectionDocument, type VimExtra } from '../domain/index.ts';
import { mergePatch } from '../api/route.ts';
import type { StateView, StoredRecord, Write } from '../store/index.ts';
import { checkExtra, checkReach } from './check-vim.ts';
import { sealAccess } from './seal-access.ts';
import type { SecretBox } from './secret-box.ts';
import type { VimAccessInfo } from './vim-access.ts';
import type { VimModifications, VimRegistration, VimUseCasesOptions } from './vim-requests.ts';

/** The connection as a patch makes it; where that is what it was, nothing is written. */
export async function modifyVim(
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
