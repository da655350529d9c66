import type { StateId } from '../../kernel/index.ts';
import type { HostDocument } from '../domain/index.ts';

/** Whether the host may take orders from the store's present state: it has pinned it, or an operator has confirmed it. */
export function isStateConfirmed({ stateIds }: HostDocument, stateId: StateId): boolean {
  return stateIds === undefined || stateIds.pinned === stateId || stateIds.confirmed === stateId;
}

/** The host with what its agent says it has pinned. */
export function pinState(host: HostDocument, pinned: string, stateId: StateId): HostDocument {
  const { stateIds, ...rest } = host;
  if (pinned === stateId) return rest;
  return { ...rest, stateIds: { ...stateIds, pinned } };
}

/**
 * What is added to the lease number for a VIM from that time on. A restored store may count its leases from less than the VIM has seen; seconds grow faster than leases ever do.
 * @param now milliseconds since the epoch
 */
export function leaseBaseAt(now: number): number {
  return Math.floor(now / 1000);
}

/** The host after an operator has confirmed the store's present state for it. @param now milliseconds since the epoch */
export function confirmState(host: HostDocument, stateId: StateId, now: number): HostDocument {
  if (host.stateIds === undefined) return host;
  const leaseBase = host.vimId === undefined ? {} : { leaseBase: leaseBaseAt(now) };
  return { ...host, stateIds: { ...host.stateIds, confirmed: stateId, ...leaseBase } };
}

/** The host with orders held back until an operator confirms again: nobody knows whether it is still the same one. */
export function withdrawConfirmation(host: HostDocument): HostDocument {
  const { confirmed: _confirmed, ...rest } = host.stateIds ?? {};
  return { ...host, stateIds: { ...rest, pinned: UNCONFIRMED } };
}

/** No state has this id. */
const UNCONFIRMED = '(none)';
