import type { VnfInstanceId } from '../../kernel/index.ts';
import {
  NS_LCM_OPERATION,
  wantedVnfcs,
  type RolloutRecord,
  type VnfInstanceDocument,
  type WantedVnfc,
} from '../domain/index.ts';
import { describePlan, describeRefusal, planOrRelax, planPlacement } from '../placement/index.ts';
import { abandonedBy, type FunctionRecord } from './abandoned.ts';
import { activeOperation, convergenceOf, type ActiveOperation } from './active-operation.ts';
import { affectedVnfcs } from './affected-vnfcs.ts';
import { advanceModification } from './advance-modification.ts';
import { commitWanted } from './commit-wanted.ts';
import type { LifecycleContext } from './context.ts';
import {
  asCreated,
  moveOperation,
  problemRecord,
  updateInstance,
  withoutOperation,
} from './operation-records.ts';
import { planNextStep } from './plan-next-step.ts';
import { planOperation } from './plan-operation.ts';
import type { ProgressWatch } from './progress-watch.ts';
import { advanceRollout } from './rollout/advance-rollout.ts';
import { gentleMoves } from './rollout/gentle-moves.ts';
import type { HeldFor } from './rollout/held-for.ts';
import { noteRollout } from './rollout/rollout-record.ts';
import { intendedOf, sortDisplaced } from './withdrawals.ts';

export { convergenceOf } from './active-operation.ts';

/** What the engine remembers of operations beside what is in the store: a new one begins without it. */
export interface OperationMemory {
  readonly progress: ProgressWatch;
  readonly heldFor: HeldFor;
}

/** Does the next step of the operation that a function is busy with. Whether anything was committed. */
export function advanceOperation(
  context: LifecycleContext,
  { progress, heldFor }: OperationMemory,
  vnfInstanceId: VnfInstanceId,
): boolean {
  const active = activeOperation(context, vnfInstanceId);
  if (active === undefined) return false;
  const { rollout } = active.operation.document;
  if (rollout !== undefined) return advanceRollout(context, heldFor, active, rollout);
  const moves = startOfMoves(context, active);
  if (moves !== undefined) {
    context.commit([noteRollout(active.operation, moves)]);
    return true;
  }
  if (active.operation.document.operation === 'MODIFY_INFO')
    return advanceModification(context, progress, active);
  const convergence = convergenceOf(context, vnfInstanceId, active.instance.document);
  const step = planNextStep({
    operation: active.operation.document,
    convergence,
    abandoned: abandonedCopies(context, active),
    isStalled: progress.isStalled(active.operation, convergence),
  });
  switch (step.type) {
    case 'grant':
      grant(context, active);
      return true;
    case 'replan':
      return replan(context, active);
    case 'complete':
    case 'rolledBack':
      finish(context, active, step.type);
      return true;
    case 'failTemporarily':
      failTemporarily(context, active, step.detail);
      return true;
    case 'wait':
      return false;
  }
}

function abandonedCopies(context: LifecycleContext, active: ActiveOperation) {
  const instance = active.instance.document;
  const record = { vnfInstanceId: active.vnfInstanceId, tenant: active.instance.tenant, instance };
  return [...abandonedOf(context, record), ...sortDisplaced(context, record).gone];
}

/** With coverage, a copy goes nowhere but with its host: of all hosts only those that have left for good are looked at. */
function abandonedOf(context: LifecycleContext, record: FunctionRecord): readonly WantedVnfc[] {
  const { vnfInstanceId, instance } = record;
  if (instance.coverage === undefined)
    return wantedVnfcs(instance.wanted).filter(abandonedBy(context, record));
  const gone = context.coverage.hostsGone(vnfInstanceId, instance);
  return gone.size === 0 ? [] : wantedVnfcs(instance.wanted).filter(({ hostId }) => gone.has(hostId));
}

function startOfMoves(
  context: LifecycleContext,
  { vnfInstanceId, instance, operation: { document } }: ActiveOperation,
): RolloutRecord | undefined {
  const record = { vnfInstanceId, tenant: instance.tenant, instance: instance.document };
  return document.operation === 'HEAL' && document.state === 'STARTING'
    ? gentleMoves(context, record, document)
    : undefined;
}

/** STARTING → PROCESSING with what is wanted and what hosts are assigned in one commit; or ROLLED_BACK, with the reasons. */
function grant(context: LifecycleContext, { vnfInstanceId, instance, operation }: ActiveOperation): void {
  const { document, tenant } = instance;
  // Nobody reads at length why healing has found no place, and many functions may have to be healed at once.
  const planner = operation.document.isAutomaticInvocation ? planPlacement : planOrRelax;
  const record = { vnfInstanceId, tenant, instance: document };
  const plan = planOperation(context, record, operation.document, { planner });
  if (plan.wanted === undefined) {
    const detail = describeRefusal(plan.problem, plan.result);
    const isNew = operation.document.operation === 'INSTANTIATE';
    context.commit([
      moveOperation(context, operation, 'refuse', { error: problemRecord('no-host-fits', detail) }),
      updateInstance(instance, isNew ? asCreated(document) : withoutOperation(document)),
    ]);
    return;
  }
  const isNew = operation.document.operation === 'INSTANTIATE';
  commitWanted(
    context,
    { vnfInstanceId, instance },
    isNew ? prepared(context, document) : document,
    plan,
    moveOperation(context, operation, 'grant', { before: intendedOf(document) }),
  );
}

/** What an instance gets when its instantiation is granted: a key for each binding, and its reservation as what is wanted. */
function prepared(context: LifecycleContext, instance: VnfInstanceDocument): VnfInstanceDocument {
  const { reservation: _reservation, ...rest } = instance;
  const credentials = Object.fromEntries(
    Object.keys(instance.bind).map((requirement) => [
      requirement,
      (Object.hasOwn(instance.credentials, requirement) ? instance.credentials[requirement] : undefined) ?? {
        id: context.ids.uuid(),
        ...context.keys.ed25519(),
      },
    ]),
  );
  return { ...rest, credentials };
}

function replan(context: LifecycleContext, active: ActiveOperation): boolean {
  const { vnfInstanceId, instance, operation } = active;
  const record = { vnfInstanceId, tenant: instance.tenant, instance: instance.document };
  const plan = planOperation(context, record, operation.document);
  if (plan.wanted === undefined) {
    const detail = describePlan(plan.problem, plan.result).join('; ');
    failTemporarily(context, active, `a host was lost meanwhile and nothing else fits: ${detail}`);
    return true;
  }
  commitWanted(context, active, instance.document, plan);
  return true;
}

function finish(
  context: LifecycleContext,
  { instance, operation }: ActiveOperation,
  event: 'complete' | 'rolledBack',
): void {
  const { document } = instance;
  const isGone = document.wanted.length === 0 && endsInNothing(operation.document.operation, event);
  context.commit([
    moveOperation(context, operation, event, {
      affectedVnfcs: affectedVnfcs(operation.document.before ?? [], document.wanted),
    }),
    updateInstance(
      instance,
      isGone ? asCreated(document) : { ...withoutOperation(document), instantiationState: 'INSTANTIATED' },
    ),
  ]);
}

function endsInNothing(operation: string, event: 'complete' | 'rolledBack'): boolean {
  return operation === (event === 'complete' ? 'TERMINATE' : 'INSTANTIATE');
}

/** An automatic operation has nobody who would retry it: it ends, and the next one follows when it is time. For one of a service the service decides, as long as its own is open. */
function failTemporarily(
  context: LifecycleContext,
  { vnfInstanceId, instance, operation }: ActiveOperation,
  detail: string,
): void {
  const error = problemRecord('driver-failed', detail);
  const failed = moveOperation(context, operation, 'failTemporarily', { error });
  if (!operation.document.isAutomaticInvocation || isDecidedByService(context, operation.document)) {
    context.commit([failed]);
    return;
  }
  const temporary = { ...operation, document: failed.document };
  context.commit([
    moveOperation(context, temporary, 'fail'),
    updateInstance(instance, withoutOperation(instance.document)),
  ]);
  const name = operation.document.operation === 'SCALE' ? 'scaling-failed' : 'healing-failed';
  context.alarms.raise({ vnfInstanceId, name, text: detail });
}

/** Once the operation of the service is over, nobody looks at those of its functions any more. */
function isDecidedByService(
  { state }: LifecycleContext,
  { nsLcmOpOccId }: ActiveOperation['operation']['document'],
): boolean {
  const parent = nsLcmOpOccId === undefined ? undefined : state.get('ns-lcm-op-occ', nsLcmOpOccId);
  return parent !== undefined && Object.keys(NS_LCM_OPERATION[parent.document.state]).length > 0;
}
