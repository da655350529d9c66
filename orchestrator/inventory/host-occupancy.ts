import type { HostId } from '../../kernel/index.ts';
import { appliedRevisionOf, type StateView } from '../store/index.ts';

/** What is still on a host, as far as anybody can know. */
export interface HostOccupancy {
  /** Instances that the host is to run. */
  readonly assignedInstances: number;
  /** Instances that it has reported and not taken back. */
  readonly reportedInstances: number;
  /** Functions of which it has not confirmed yet that what was taken from it is gone. */
  readonly unconfirmedFunctions: number;
  readonly isEmpty: boolean;
}

/** Empty is a host only when everything has stopped: nothing is wanted, nothing is reported, and it has applied that nothing is wanted. */
export function occupancyOf(state: StateView, hostId: HostId): HostOccupancy {
  let assignedInstances = 0;
  let reportedInstances = 0;
  let unconfirmedFunctions = 0;
  for (const { document } of state.listByPrefix('assignment', `${hostId}.`))
    assignedInstances += document.workload.instances.length;
  for (const { document } of state.listByPrefix('observed', `${hostId}.`))
    reportedInstances += Math.max(1, document.workload.instances.length);
  const applied = appliedRevisionOf(state, hostId);
  for (const { document } of state.list('vnf-instance'))
    if (document.withdrawn?.some((each) => each.hostId === hostId && each.revision > applied) === true)
      unconfirmedFunctions += 1;
  return {
    assignedInstances,
    reportedInstances,
    unconfirmedFunctions,
    isEmpty: assignedInstances + reportedInstances + unconfirmedFunctions === 0,
  };
}
