/** The interval that a host is told where nothing on it asks for a shorter one, seconds. */
export const DEFAULT_HEARTBEAT_SECONDS = 10;
const MIN_HEARTBEAT_SECONDS = 0.5;
/** How long an empty host may be silent before it counts as LOST, seconds. */
const DEFAULT_PATIENCE_SECONDS = 30;
/**
 * A lease is two heartbeats. All hosts of a zone that fell silent together have lapsed before the first function there, which bears more than three
 * heartbeats, is given up: the brake sees them in time, also where the first of them was heard a whole heartbeat before the last, and the way or the host is slow.
 */
const LEASE_HEARTBEATS = 2;
/** Three heartbeats take nine tenths of the shortest patience. */
const HEARTBEATS = { per: 3, patiences: 10 } as const;
export const LONGEST_LEASE_SECONDS = LEASE_HEARTBEATS * DEFAULT_HEARTBEAT_SECONDS;

/** What a host's assignments ask of its lease. */
export interface LeaseTerms {
  readonly heartbeatSeconds: number;
  readonly leaseSeconds: number;
  /** When the last function on the host has been given up, so is the host. */
  readonly patienceSeconds: number;
}

/** @param lostAfterSeconds the patience of each function on the host */
export function leaseTerms(lostAfterSeconds: readonly number[]): LeaseTerms {
  const shortest = (Math.min(...lostAfterSeconds) * HEARTBEATS.per) / HEARTBEATS.patiences;
  const heartbeatSeconds = Math.min(DEFAULT_HEARTBEAT_SECONDS, Math.max(MIN_HEARTBEAT_SECONDS, shortest));
  const longest = lostAfterSeconds.length === 0 ? DEFAULT_PATIENCE_SECONDS : Math.max(...lostAfterSeconds);
  const leaseSeconds = LEASE_HEARTBEATS * heartbeatSeconds;
  return { heartbeatSeconds, leaseSeconds, patienceSeconds: Math.max(longest, leaseSeconds) };
}
