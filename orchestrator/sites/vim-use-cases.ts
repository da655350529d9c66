import { IotmanoError } from '../../kernel/index.ts';
import type { StoredRecord, Write } from '../store/index.ts';
import { modifyVim } from './modify-vim.ts';
import { registerVim } from './register-vim.ts';
import type { VimUseCases, VimUseCasesOptions } from './vim-requests.ts';

/** What admins do with VIM connections. */
export function createVimUseCases(options: VimUseCasesOptions): VimUseCases {
  return {
    register: (request, alongside) => registerVim(options, request, alongside),
    modify: (record, changes) => modifyVim(options, record, changes),
    remove: (record) => removeVim(options, record),
  };
}

async function removeVim(
  { store, inventory, requireSite }: VimUseCasesOptions,
  record: StoredRecord<'vim-connection'>,
): Promise<void> {
  const [assigned] = store.listByPrefix('assignment', `${record.id}.`);
  if (assigned === undefined) await requireEmpty(requireSite(record.id), record.id);
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

/** What cannot be reached now may be forgotten with all that is there; what can is left clean. */
async function requireEmpty(
  site: ReturnType<VimUseCasesOptions['requireSite']>,
  vimId: string,
): Promise<void> {
  if (!(await site.check()).isReachable) return;
  const left = await site.countWorkloads();
  if (left === 0) return;
  throw new IotmanoError(
    'conflict',
    `${left} workloads are still being removed from VIM ${vimId}; wait a moment, then repeat`,
  );
}
