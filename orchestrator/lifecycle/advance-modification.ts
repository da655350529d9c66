import { judgeHost } from './liveness.ts';
import { packageOf } from './function-catalog.ts';
import { convergenceOf, type ActiveOperation } from './active-operation.ts';
import { computeAssignmentWrites } from './compute-assignments.ts';
import type { LifecycleContext } from './context.ts';
import { moveOperation, problemRecord, updateInstance, withoutOperation } from './operation-records.ts';
import type { ProgressWatch } from './progress-watch.ts';
import { appliedRevisionOf, type Write } from '../store/index.ts';
import type { VnfInstanceDocument } from '../domain/index.ts';
import { intendedOf } from './withdrawals.ts';

/** Does the next step of an operation that changes values which running copies take over. Whether anything was committed. */
export function advanceModification(
  context: LifecycleContext,
  progress: ProgressWatch,
  active: ActiveOperation,
): boolean {
  const { instance, operation } = active;
  const { document } = instance;
  const { state, configChange, isCancelPending, cancelMode } = operation.document;
  if (state === 'STARTING') {
    const changed = configChange === undefined ? document : { ...document, config: configChange.after };
    const before = intendedOf(document);
    context.commit([
      moveOperation(context, operation, 'grant', { before }),
      ...configWrites(context, active, changed),
    ]);
    return true;
  }
  if (state !== 'PROCESSING' && state !== 'ROLLING_BACK') return false;
  const convergence = convergenceOf(context, active.vnfInstanceId, document);
  if (isCancelPending) return fail(context, active, `cancelled (${cancelMode ?? 'GRACEFUL'})`);
  // Whether its copies are well, or where they are, is no matter of this change: healing sees to that afterwards.
  const waiting = hostsBehind(context, active);
  if (configChange !== undefined && waiting.length > 0)
    return progress.isStalled(operation, convergence)
      ? fail(context, active, `no progress: ${waiting.slice(0, 5).join('; ')}`)
      : false;
  context.commit([
    moveOperation(context, operation, state === 'PROCESSING' ? 'complete' : 'rolledBack'),
    updateInstance(instance, withoutOperation(document)),
  ]);
  return true;
}

/** The instance, and the assignments of its hosts, as its configuration is now. */
export function configWrites(
  context: LifecycleContext,
  { vnfInstanceId, instance }: Pick<ActiveOperation, 'vnfInstanceId' | 'instance'>,
  changed: VnfInstanceDocument,
): readonly Write[] {
  return [
    updateInstance(instance, changed),
    ...computeAssignmentWrites(context, vnfInstanceId, instance.tenant, changed),
  ];
}

/** Hosts that are heard, and that have not taken over what their copies are to be told. */
function hostsBehind(
  { state, liveness, catalog, index }: LifecycleContext,
  { vnfInstanceId, instance }: ActiveOperation,
): readonly string[] {
  const { descriptor } = packageOf(catalog, instance.document.vnfPkgId);
  return index.assignmentsOf(vnfInstanceId).flatMap(({ document: { hostId }, revision }) => {
    const applied = appliedRevisionOf(state, hostId);
    if (applied >= revision || judgeHost(state, liveness, descriptor, hostId).isLost) return [];
    return [`${hostId} has not taken the configuration over yet`];
  });
}

function fail(context: LifecycleContext, { operation }: ActiveOperation, detail: string): boolean {
  context.commit([
    moveOperation(context, operation, 'failTemporarily', { error: problemRecord('driver-failed', detail) }),
  ]);
  return true;
}
