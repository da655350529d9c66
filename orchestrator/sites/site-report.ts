import type { Clock, HostId } from '../../kernel/index.ts';
import { takeReport } from '../inventory/index.ts';
import type { StateStore } from '../store/index.ts';
import type { Fence, ObservedWorkload } from '../../vim-drivers/index.ts';

const MAX_TEXT = 2000;

/**
 * Takes over what is observed on a VIM, as an agent's report. Nobody has to be told twice: what is not durable when this process dies is looked at anew by
 * the next. Of a host that is not there any more nothing is taken.
 */
export function reportObserved(
  store: StateStore,
  clock: Clock,
  hostId: HostId,
  observed: readonly ObservedWorkload[],
  fence: Fence | undefined,
): void {
  if (store.get('host', hostId) === undefined) return;
  takeReport(store, clock, hostId, {
    full: true,
    workloads: observed.map(shortened),
    removed: [],
    ...(fence === undefined ? {} : { appliedRevision: fence.revision, appliedStateId: store.stateId }),
  });
}

/** Texts come from functions and platforms, and may be of any length. */
function shortened(workload: ObservedWorkload): ObservedWorkload {
  return {
    ...workload,
    instances: workload.instances.map((instance) => ({
      ...instance,
      ...(instance.reason === undefined ? {} : { reason: instance.reason.slice(0, MAX_TEXT) }),
    })),
    ...(workload.problem === undefined ? {} : { problem: workload.problem.slice(0, MAX_TEXT) }),
  };
}
