import type { HostId } from '../../kernel/index.ts';
import type { Revision, StateView } from '../store/index.ts';

/**
 * The hosts that are neither READY nor DRAINING, and so have no lease, as they are accepted now. Kept: a look costs what has changed since
 * the last one.
 */
export function createSuspectedHosts(state: StateView): () => ReadonlySet<HostId> {
  const suspected = new Set<HostId>();
  let seen: Revision = -1;

  function take(id: string): void {
    const found = state.get('host', id)?.document.state;
    if (found === undefined || found === 'READY' || found === 'DRAINING') suspected.delete(id as HostId);
    else suspected.add(id as HostId);
  }

  return () => {
    const changed = state.changedSince('host', seen);
    seen = state.acceptedRevision;
    if (changed !== 'too-old') changed.forEach(take);
    else {
      suspected.clear();
      for (const { id } of state.list('host')) take(id);
    }
    return suspected;
  };
}
