import type { HostId } from '../../kernel/index.ts';
import type { StateStore } from '../store/index.ts';

/** How far the clocks of hosts are off, milliseconds: host's time minus ours. */
export interface HostClocks {
  /**
   * By how much the times of a host are to be put right, 0 where its clock is right or nobody knows.
   * @param told the offset as its present message tells it
   */
  offsetOf(hostId: HostId, told: number | undefined): number;
}

/** A host's clock may be off by this much before its times are taken for wrong. */
export const CLOCK_TOLERANCE_MILLISECONDS = 60_000;

/**
 * An offset stays until another one is told that differs by more than the tolerance, so that a point has the same time however often, and over how slow a
 * way, it is told. Forgotten with the host.
 */
export function createHostClocks(store: StateStore): HostClocks {
  const offsets = new Map<HostId, number>();
  store.subscribe(({ entries }) => {
    for (const { kind, id, record } of entries)
      if (kind === 'host' && record === undefined) offsets.delete(id as HostId);
  });
  return {
    offsetOf: (hostId, told) => {
      const known = offsets.get(hostId) ?? 0;
      if (told === undefined || Math.abs(told - known) <= CLOCK_TOLERANCE_MILLISECONDS) return known;
      const offset = Math.abs(told) <= CLOCK_TOLERANCE_MILLISECONDS ? 0 : told;
      if (offset === 0) offsets.delete(hostId);
      else offsets.set(hostId, offset);
      return offset;
    },
  };
}
