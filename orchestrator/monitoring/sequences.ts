import type { HostId } from '../../kernel/index.ts';

/** Which message of a host comes next: numbers run from 1 in each boot of an agent. */
export interface Sequences {
  /** Whether the message was taken over before. */
  isRepeated(hostId: HostId, bootId: string, sequence: number): boolean;
  /** The message is taken over now. Returns the number that comes next. */
  took(hostId: HostId, bootId: string, sequence: number): number;
  next(hostId: HostId): number;
}

/**
 * Kept in memory: a message that is repeated to a new leader is taken over again, which neither points (by time) nor alarms (by state) mind.
 */
export function createSequences(): Sequences {
  const newest = new Map<HostId, { readonly bootId: string; readonly sequence: number }>();
  return {
    isRepeated: (hostId, bootId, sequence) => {
      const known = newest.get(hostId);
      return known?.bootId === bootId && sequence <= known.sequence;
    },
    took: (hostId, bootId, sequence) => {
      newest.set(hostId, { bootId, sequence });
      return sequence + 1;
    },
    next: (hostId) => (newest.get(hostId)?.sequence ?? 0) + 1,
  };
}
