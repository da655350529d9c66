import type { VnfInstanceDocument } from '../domain/index.ts';
import type { Write } from '../store/index.ts';
import type { ActiveOperation } from './active-operation.ts';
import { computeAssignmentWrites } from './compute-assignments.ts';
import type { LifecycleContext } from './context.ts';
import { evictionsOf, type Evictions } from './evictions.ts';
import { updateInstance } from './operation-records.ts';
import type { WantedPlan } from './plan-wanted.ts';
import { overrideOf } from './snapshot-inventory.ts';
import { verifyCapacity } from './verify-capacity.ts';
import { withdrawalsAfter } from './withdrawals.ts';

const NO_EVICTIONS: Evictions = { writes: [], claims: [] };

/** Commits what is wanted together with the assignments that follow from it; capacity is verified there once more. */
export function commitWanted(
  context: LifecycleContext,
  { vnfInstanceId, instance }: Pick<ActiveOperation, 'vnfInstanceId' | 'instance'>,
  changed: VnfInstanceDocument,
  { wanted = [], displaced = [], result }: Partial<WantedPlan>,
  ...writes: readonly Write[]
): void {
  const generations = Math.max(changed.generations, ...wanted.map(({ generation }) => generation));
  const withdrawn = withdrawalsAfter(context.state, instance.document, wanted);
  const document = { ...changed, wanted, generations, withdrawn, displaced };
  const evictions = result === undefined ? NO_EVICTIONS : evictionsOf(context, result);
  context.commit(
    [
      ...writes,
      updateInstance(instance, document),
      ...computeAssignmentWrites(context, vnfInstanceId, instance.tenant, document),
      ...evictions.writes,
    ],
    (state) =>
      verifyCapacity(state, context.inventory, [
        overrideOf(vnfInstanceId, document, wanted),
        ...evictions.claims,
      ]),
  );
}
