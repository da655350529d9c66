import { IotmanoError, type HostId } from '../../kernel/index.ts';
import type { VimType } from '../domain/index.ts';
import type { StateView, StoredRecord } from '../store/index.ts';

/** What drives a host: the VIM's own interface, or an agent there. */
export function vimTypeOf(state: StateView, hostId: HostId): VimType | 'agent' {
  const vimId = state.get('host', hostId)?.document.vimId;
  const connection = vimId === undefined ? undefined : state.get('vim-connection', vimId);
  return connection?.document.vimType ?? 'agent';
}

/** @throws IotmanoError `conflict` where the host is a VIM, for which no agent speaks */
export function refuseVim(host: StoredRecord<'host'> | undefined): void {
  if (host?.document.vimId === undefined) return;
  throw new IotmanoError(
    'conflict',
    `host ${host.id} is a VIM, which the orchestrator drives itself; no agent can speak for it: choose another hostId`,
  );
}
