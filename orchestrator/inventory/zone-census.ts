import type { Revision, StateView } from '../store/index.ts';
import { countMember, zoneOf, type ZoneCount, type ZoneMember } from './brake.ts';

/**
 * How many hosts of each zone are heard, and how many of these are silent, as they are accepted now. Kept: a look costs what has changed
 * since the last one, as it is taken four times a second for as long as a single host is silent.
 */
export function createZoneCensus(state: StateView): () => ReadonlyMap<string, ZoneCount> {
  const members = new Map<string, ZoneMember>();
  const zones = new Map<string, ZoneCount>();
  let seen: Revision = -1;

  function take(id: string): void {
    const before = members.get(id);
    if (before !== undefined) countMember(zones, before, -1);
    const host = state.get('host', id)?.document;
    if (host === undefined) {
      members.delete(id);
      return;
    }
    const now = { zone: zoneOf(state.get('host-facts', id)?.document), state: host.state };
    members.set(id, now);
    countMember(zones, now, 1);
  }

  return () => {
    const changed = state.changedSince('host', seen);
    const retold = state.changedSince('host-facts', seen);
    seen = state.acceptedRevision;
    if (changed === 'too-old' || retold === 'too-old') {
      members.clear();
      zones.clear();
      for (const { id } of state.list('host')) take(id);
    } else for (const id of new Set([...changed, ...retold])) take(id);
    return zones;
  };
}
