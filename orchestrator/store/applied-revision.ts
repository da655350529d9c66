import type { StateView } from './contract.ts';

/** The revision up to which a host has said that it has taken over its wanted state; -1: it has not said anything. */
export function appliedRevisionOf(state: Pick<StateView, 'get'>, hostId: string): number {
  return state.get('host-applied', hostId)?.document.revision ?? -1;
}
