import {
  workloadId,
  type ObservedWorkload,
  type Workload,
  type WorkloadId,
  type WorkloadKey,
} from '../contract.ts';

/** One thing that brings the host nearer to what is wanted. */
export type ConvergenceStep =
  | {
      readonly type: 'apply';
      readonly id: WorkloadId;
      readonly workload: Workload;
      readonly signature: string;
    }
  | { readonly type: 'remove'; readonly id: WorkloadId; readonly key: WorkloadKey };

/** All that a driver is told of a workload, as one comparable string. */
export function signatureOf({ specHash, instances, bindings, labels }: Workload): string {
  const slots = instances.map(({ slot, epoch }) => `${slot}:${epoch}`).toSorted();
  return JSON.stringify([specHash, slots, labels, bindings]);
}

/**
 * What is to be done so that the host runs what is wanted and nothing else of ours. Each step is for another workload; nothing when all is well.
 * @param applied signature that the driver took over last, by workload; what is missing is applied once, which changes nothing where it was so already
 */
export function planConvergence(
  wanted: readonly Workload[],
  observed: readonly ObservedWorkload[],
  applied: ReadonlyMap<WorkloadId, string>,
): readonly ConvergenceStep[] {
  const found = new Map(observed.map((workload) => [workloadId(workload.key), workload]));
  const wantedIds = new Set(wanted.map(({ key }) => workloadId(key)));
  const removals = observed
    .map(({ key }) => ({ type: 'remove', id: workloadId(key), key }) as const)
    .filter(({ id }) => !wantedIds.has(id));
  const applications = wanted
    .map((workload) => {
      const id = workloadId(workload.key);
      return { type: 'apply', id, workload, signature: signatureOf(workload) } as const;
    })
    .filter(
      ({ id, workload, signature }) => applied.get(id) !== signature || !isAsWanted(workload, found.get(id)),
    );
  return [...removals, ...applications];
}

/** Whether the host has the spec and every slot, whatever state the instances are in: getting them to run is the driver's. */
function isAsWanted(workload: Workload, observed: ObservedWorkload | undefined): boolean {
  if (observed?.specHash !== workload.specHash) return false;
  const slots = new Set(observed.instances.map(({ slot }) => slot));
  return workload.instances.every(({ slot }) => slots.has(slot));
}
