import { IotmanoError } from '../../kernel/index.ts';
import type { StoredRecord, Write } from '../store/index.ts';
import { modifyVim } from './modify-vim.ts';
import { registerVim } from './register-vim.ts';
import type { Site } from './site.ts';
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
