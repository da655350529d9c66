import type { HostId } from '../../kernel/index.ts';
import type { Revision, StateView, StoredRecord } from '../store/index.ts';

/** The alarms of a host, cleared ones included, as they are accepted now. Kept: a look costs what has changed since the last one. */
export type HostAlarms = (hostId: HostId) => readonly StoredRecord<'alarm'>[];

export function followHostAlarms(state: StateView): HostAlarms {
  const idsOf = new Map<HostId, Set<string>>();
  /** An alarm is of one host as long as there is one: its id tells it. */
  const hostOf = new Map<string, HostId>();
  let seen: Revision = -1;

  function forget(id: string): void {
    const hostId = hostOf.get(id);
    if (hostId === undefined) return;
    hostOf.delete(id);
    const ids = idsOf.get(hostId);
    ids?.delete(id);
    if (ids?.size === 0) idsOf.delete(hostId);
  }

  function take(id: string): void {
    const hostId = state.get('alarm', id)?.document.source.hostId;
    if (hostId === hostOf.get(id)) return;
    forget(id);
    if (hostId === undefined) return;
    hostOf.set(id, hostId);
    idsOf.set(hostId, (idsOf.get(hostId) ?? new Set()).add(id));
  }

  return (hostId) => {
    const changed = state.changedSince('alarm', seen);
    seen = state.acceptedRevision;
    if (changed !== 'too-old') changed.forEach(take);
    else {
      idsOf.clear();
      hostOf.clear();
      for (const { id } of state.list('alarm')) take(id);
    }
    return [...(idsOf.get(hostId) ?? [])].flatMap((id) => state.get('alarm', id) ?? []);
  };
}
