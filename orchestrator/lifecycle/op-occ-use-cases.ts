import { IotmanoError, canTransition, type TenantId, type VnfInstanceId } from '../../kernel/index.ts';
import {
  VNF_LCM_OPERATION,
  type LcmOperationEvent,
  type LcmOperationState,
  type VnfLcmOpOccDocument,
} from '../domain/index.ts';
import { describeRefusal, planOrRelax } from '../placement/index.ts';
import type { StoredRecord, Write } from '../store/index.ts';
import { activeOperation, type ActiveOperation } from './active-operation.ts';
import { configWrites } from './advance-modification.ts';
import { commitWanted } from './commit-wanted.ts';
import { computeAssignmentWrites } from './compute-assignments.ts';
import type { LifecycleContext } from './context.ts';
import { asCreated, moveOperation, updateInstance, withoutOperation } from './operation-records.ts';
import { planOperation } from './plan-operation.ts';
import { pauseRollout, retryRollout, rollBackRollout } from './rollout/decide-rollout.ts';
import { settledVersions, withoutSuccessors } from './rollout/rollout-versions.ts';
import { withdrawalsAfter } from './withdrawals.ts';

/** SOL003's tasks on VNF LCM operation occurrences. In the wrong state they are refused with `conflict`. */
export interface OpOccUseCases {
  get(tenant: TenantId, id: string): StoredRecord<'vnf-lcm-op-occ'>;
  list(tenant: TenantId): readonly StoredRecord<'vnf-lcm-op-occ'>[];
  /** Tries on: what has failed is started anew, what has lost its host is placed anew. */
  retry(tenant: TenantId, id: string): void;
  rollback(tenant: TenantId, id: string): void;
  fail(tenant: TenantId, id: string): void;
  cancel(tenant: TenantId, id: string, mode: 'GRACEFUL' | 'FORCEFUL'): void;
  /** Holds an operation that replaces a version, or lets it go on. */
  pause(tenant: TenantId, id: string, isPaused: boolean): void;
}

export function createOpOccUseCases(context: LifecycleContext): OpOccUseCases {
  function get(tenant: TenantId, id: string): StoredRecord<'vnf-lcm-op-occ'> {
    const record = context.state.get('vnf-lcm-op-occ', id);
    if (record === undefined || record.tenant !== tenant)
      throw new IotmanoError('not-found', `there is no VNF LCM operation occurrence ${id}`);
    return record;
  }

  function find(tenant: TenantId, id: string): ActiveOperation {
    const operation = get(tenant, id);
    const active = activeOperation(context, operation.document.vnfInstanceId);
    if (active === undefined || active.operation.id !== id)
      throw new IotmanoError('conflict', `operation ${id} is ${operation.document.state} and over`);
    return active;
  }

  return {
    get,
    list: (tenant) => [...context.state.list('vnf-lcm-op-occ')].filter((record) => record.tenant === tenant),
    retry: (tenant, id) => retryOperation(context, find(tenant, id)),
    rollback: (tenant, id) => rollBackOperation(context, find(tenant, id)),
    fail: (tenant, id) => context.commit(failOperation(context, find(tenant, id))),
    cancel: (tenant, id, mode) => context.commit(cancelOperation(context, find(tenant, id), mode)),
    pause: (tenant, id, isPaused) => pauseRollout(context, find(tenant, id), isPaused),
  };
}

/** FAILED_TEMP → PROCESSING, with a plan made anew. */
export function retryOperation(context: LifecycleContext, active: ActiveOperation): void {
  const { vnfInstanceId, instance, operation } = active;
  const { configChange } = operation.document;
  if (configChange !== undefined) {
    const document = { ...instance.document, config: configChange.after };
    context.commit([moveOperation(context, operation, 'retry'), ...configWrites(context, active, document)]);
    return;
  }
  if (operation.document.rollout !== undefined) {
    retryRollout(context, active, operation.document.rollout);
    return;
  }
  const moved = moveOperation(context, operation, 'retry');
  const record = { vnfInstanceId, tenant: instance.tenant, instance: instance.document };
  const plan = planOperation(context, record, operation.document, { planner: planOrRelax });
  if (plan.wanted === undefined)
    throw new IotmanoError('no-host-fits', describeRefusal(plan.problem, plan.result));
  commitWanted(context, active, instance.document, plan, moved);
}

/** Whether the state machine lets the event happen now. */
export function isAllowed(state: LcmOperationState, event: LcmOperationEvent): boolean {
  return canTransition<LcmOperationState, LcmOperationEvent>(VNF_LCM_OPERATION, state, event);
}

/** Whether what an operation has done can be undone: a heal and a termination cannot. */
export function canRollBack({ operation, state }: Pick<VnfLcmOpOccDocument, 'operation' | 'state'>): boolean {
  return operation !== 'HEAL' && operation !== 'TERMINATE' && isAllowed(state, 'rollback');
}

/**
 * FAILED_TEMP → ROLLING_BACK: what was wanted before is wanted again.
 * @param alongside writes for the same commit
 * @throws IotmanoError `no-host-fits` where others have taken the places of before
 */
export function rollBackOperation(
  context: LifecycleContext,
  active: ActiveOperation,
  ...alongside: readonly Write[]
): void {
  const { instance, operation } = active;
  const moved = moveOperation(context, operation, 'rollback');
  if (!canRollBack(operation.document))
    // SOL003: the task does not exist for such an operation.
    throw new IotmanoError(
      'not-found',
      `a ${operation.document.operation} cannot be rolled back; retry operation ${operation.id}, or fail it`,
    );
  const { rollout, configChange, before = [] } = operation.document;
  if (rollout !== undefined) rollBackRollout(context, active, rollout, ...alongside);
  else if (configChange === undefined)
    commitWanted(context, active, instance.document, { wanted: before }, moved, ...alongside);
  else
    context.commit([
      moved,
      ...alongside,
      ...configWrites(context, active, { ...instance.document, config: configChange.before }),
    ]);
}

/** FAILED_TEMP → FAILED: the function is left as it is, and may be terminated or healed. */
export function failOperation(
  context: LifecycleContext,
  { instance, operation }: Pick<ActiveOperation, 'instance' | 'operation'>,
): readonly Write[] {
  const { document } = instance;
  const isNothing = document.wanted.length === 0 && operation.document.operation === 'INSTANTIATE';
  if (isNothing)
    return [moveOperation(context, operation, 'fail'), updateInstance(instance, asCreated(document))];
  const { rollout } = operation.document;
  const wanted = withoutSuccessors(document, rollout?.moves);
  const left = {
    ...withoutOperation(settledVersions(document, rollout)),
    instantiationState: 'INSTANTIATED' as const,
    wanted,
    withdrawn: withdrawalsAfter(context.state, document, wanted),
  };
  return [
    moveOperation(context, operation, 'fail'),
    updateInstance(instance, left),
    ...computeAssignmentWrites(context, instance.id as VnfInstanceId, instance.tenant, left),
  ];
}

/** At once in STARTING; else the engine stops at its next step, before anything new is begun. */
export function cancelOperation(
  context: LifecycleContext,
  { instance, operation }: Pick<ActiveOperation, 'instance' | 'operation'>,
  mode: 'GRACEFUL' | 'FORCEFUL',
): readonly Write[] {
  const moved = moveOperation(context, operation, 'cancel');
  if (operation.document.state === 'STARTING') {
    const { document } = instance;
    const isNew = operation.document.operation === 'INSTANTIATE';
    return [moved, updateInstance(instance, isNew ? asCreated(document) : withoutOperation(document))];
  }
  return [{ ...moved, document: { ...operation.document, isCancelPending: true, cancelMode: mode } }];
}

export function operationsOf(
  context: LifecycleContext,
  vnfInstanceId: VnfInstanceId,
): readonly StoredRecord<'vnf-lcm-op-occ'>[] {
  return context.index
    .operationsOf(vnfInstanceId)
    .flatMap((id) => context.state.get('vnf-lcm-op-occ', id) ?? []);
}
