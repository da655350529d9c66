import { IotmanoError, type VnfcInstanceId } from '../../kernel/index.ts';
import { vnfcInstanceId } from '../domain/index.ts';
import { isStateConfirmed } from '../inventory/index.ts';
import type { StateStore, StateView } from '../store/index.ts';
import { instanceName } from '../../vim-drivers/index.ts';
import type { Copy } from './stream.ts';

/** As its host has reported it: what was never there has written nothing. @throws IotmanoError `not-found`, also for those of other tenants */
export function findCopy(state: StateView, tenant: string, id: VnfcInstanceId): Copy {
  for (const { tenant: owner, document } of state.list('observed')) {
    const { hostId, workload } = document;
    if (owner !== tenant) continue;
    for (const { slot } of workload.instances)
      if (vnfcInstanceId(hostId, workload.key, slot) === id)
        return { vnfcInstanceId: id, hostId, key: workload.key, slot };
  }
  throw new IotmanoError(
    'not-found',
    `no VNFC instance ${id} has run yet, or it is gone; list them to see which there are (iotmano ps)`,
  );
}

/** What people call the copy: as `iotmano ps` does. */
export function nameOfCopy(state: StateView, { key, slot }: Pick<Copy, 'key' | 'slot'>): string {
  const instance = state.get('vnf-instance', key.vnfInstanceId)?.document;
  return instance === undefined
    ? instanceName(key, slot)
    : `${instance.constituent ?? instance.name}-${key.unit}-${slot}`;
}

/** Whether this process drives the VIM that the copy runs on; an agent does otherwise. */
export function isOnVim(state: StateView, { hostId }: Copy): boolean {
  return state.get('host', hostId)?.document.vimId !== undefined;
}

/** @throws IotmanoError `unavailable` or `conflict` where the agent of the host would not answer, or may not be asked */
export function requireHeard(store: StateStore, { hostId }: Copy): void {
  const host = store.get('host', hostId)?.document;
  if (host === undefined) throw new IotmanoError('not-found', `there is no host ${hostId} any more`);
  if (!isStateConfirmed(host, store.stateId))
    throw new IotmanoError(
      'conflict',
      `host ${hostId} takes no orders from this state of the orchestrator before an operator has confirmed it (iotmano host confirm ${hostId})`,
    );
  if (host.state === 'READY' || host.state === 'DRAINING') return;
  throw new IotmanoError(
    'unavailable',
    `host ${hostId} is ${host.state}, and nothing can be asked of it; try again when it is READY (iotmano hosts)`,
  );
}
