import type { Clock, HostId } from '../../kernel/index.ts';
import { hostIdOf } from '../domain/index.ts';
import { appliedRevisionOf, type StateStore } from '../store/index.ts';
import { LONGEST_LEASE_SECONDS, leaseTerms, type LeaseTerms } from './heartbeat.ts';

/**
 * Leases of hosts, in memory only: a heartbeat never writes to the store. Time is monotonic.
 * A new leader has heard nobody yet, so it counts everybody's silence from its own start: a full lease for each before it judges any. A
 * host that has not taken over all it is assigned may still go by the longest lease, and so may its pauses between attempts.
 */
export interface Leases {
  renew(hostId: HostId): void;
  silentForMilliseconds(hostId: HostId): number;
  terms(hostId: HostId): LeaseTerms;
  /** When the lease ends, if no renewal comes and no assignment of the host changes before: monotonic, milliseconds. */
  lapsesAt(hostId: HostId): number;
  /** Grows whenever a lease may end earlier than `lapsesAt` has said. */
  readonly shortenings: number;
  hasLapsed(hostId: HostId): boolean;
  forget(hostId: HostId): void;
}

interface Lease {
  /** By this leader. */
  isHeard: boolean;
  renewedAt: number;
  /** For how long it was granted, at the last renewal or since: seconds. */
  grantedSeconds: number;
  terms: LeaseTerms;
  /** Newest accepted revision of any assignment that `terms` were computed at; -1: one of the host has changed since. */
  revision: number;
}

export function createLeases(store: StateStore, clock: Clock): Leases {
  const startedAt = clock.monotonic();
  const leases = new Map<HostId, Lease>();
  let shortenings = 0;

  store.subscribe(({ entries }) => {
    for (const { kind, id } of entries) {
      if (kind !== 'assignment') continue;
      const lease = leases.get(hostIdOf(id));
      if (lease === undefined) continue;
      lease.revision = -1;
      shortenings += 1;
    }
  });

  function leaseOf(hostId: HostId): Lease {
    const known = leases.get(hostId);
    if (known !== undefined) return known;
    const terms = termsNow(hostId);
    const revision = store.changedAt('assignment');
    const grantedSeconds = hasAppliedAll(hostId) ? terms.leaseSeconds : LONGEST_LEASE_SECONDS;
    const lease = { isHeard: false, renewedAt: startedAt, grantedSeconds, terms, revision };
    leases.set(hostId, lease);
    return lease;
  }

  function termsNow(hostId: HostId): LeaseTerms {
    const patiences: number[] = [];
    for (const { document } of store.listByPrefix('assignment', `${hostId}.`))
      patiences.push(document.lostAfterSeconds);
    return leaseTerms(patiences);
  }

  function hasAppliedAll(hostId: HostId): boolean {
    const applied = appliedRevisionOf(store, hostId);
    return [...store.listByPrefix('assignment', `${hostId}.`)].every(({ revision }) => revision <= applied);
  }

  /**
   * The lease under the terms of this moment. Where they have become shorter while the old lease held, the new one starts now: the host
   * cannot have known, and is told at once where it is here. Where they have become longer, that counts from the next renewal: until then it does as it was told.
   */
  function currentLease(hostId: HostId): Lease {
    const lease = leaseOf(hostId);
    const newest = store.changedAt('assignment');
    if (lease.revision === newest) return lease;
    lease.terms = termsNow(hostId);
    lease.revision = newest;
    const { leaseSeconds } = lease.terms;
    if (lease.isHeard && leaseSeconds < lease.grantedSeconds) {
      if (!isOver(lease)) lease.renewedAt = clock.monotonic();
      lease.grantedSeconds = leaseSeconds;
      shortenings += 1;
    }
    return lease;
  }

  const endOf = ({ renewedAt, grantedSeconds }: Lease): number => renewedAt + grantedSeconds * 1000;
  const isOver = (lease: Lease): boolean => clock.monotonic() > endOf(lease);

  function lapsesAt(hostId: HostId): number {
    const lease = leaseOf(hostId);
    // Most leases hold: those cost an addition, not a look at the assignments.
    return endOf(lease.revision !== -1 && !isOver(lease) ? lease : currentLease(hostId));
  }

  return {
    renew: (hostId) => {
      const lease = currentLease(hostId);
      const before = endOf(lease);
      lease.isHeard = true;
      lease.renewedAt = clock.monotonic();
      lease.grantedSeconds = lease.terms.leaseSeconds;
      // A new leader has granted the longest one to whoever it had not heard.
      if (endOf(lease) < before) shortenings += 1;
    },
    silentForMilliseconds: (hostId) => clock.monotonic() - currentLease(hostId).renewedAt,
    terms: (hostId) => currentLease(hostId).terms,
    lapsesAt,
    get shortenings() {
      return shortenings;
    },
    hasLapsed: (hostId) => clock.monotonic() > lapsesAt(hostId),
    forget: (hostId) => {
      leases.delete(hostId);
    },
  };
}
