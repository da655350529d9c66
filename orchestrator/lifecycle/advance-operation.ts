import type { VnfInstanceId } from '../../kernel/index.ts';
import { wantedVnfcs, type VnfInstanceDocument, type WantedVnfc } from '../domain/index.ts';
import { describePlan, describeRefusal, planOrRelax, planPlacement } from '../placement/index.ts';
import type { StoredRecord, Write } from '../store/index.ts';
import { abandonedBy, type FunctionRecord } from './abandoned.ts';
import { affectedVnfcs } from './affected-vnfcs.ts';
import { assessConvergence, type Convergence } from './assess-convergence.ts';
import { computeAssignmentWrites } from './compute-assignments.ts';
import type { LifecycleContext } from './context.ts';
import { evictionsOf, type Evictions } from './evictions.ts';
import { packageOf, type FunctionPackage } from './function-catalog.ts';
import { judgeHost } from './liveness.ts';
import {
  asCreated,
  moveOperation,
  problemRecord,
  updateInstance,
  withoutOperation,
} from './operation-records.ts';
import { planNextStep } from './plan-next-step.ts';
import { planOperation } from './plan-operation.ts';
import { hostsOfWanted, type WantedPlan } from './plan-wanted.ts';
import type { ProgressWatch } from './progress-watch.ts';
import { verifyCapacity } from './verify-capacity.ts';
import { intendedOf, openWithdrawals, sortDisplaced, withdrawalsAfter } from './withdrawals.ts';

const NO_EVICTIONS: Evictions = { writes: [], claims: [] };

export interface ActiveOperation {
  readonly vnfInstanceId: VnfInstanceId;
  readonly instance: StoredRecord<'vnf-instance'>;
  readonly operation: StoredRecord<'vnf-lcm-op-occ'>;
}

/** The operation that a function is busy with, if any. */
export function activeOperation(
  { state }: Pick<LifecycleContext, 'state'>,
  vnfInstanceId: VnfInstanceId,
): ActiveOperation | undefined {
  const instance = state.get('vnf-instance', vnfInstanceId);
  const id = instance?.document.activeOpOcc;
  const operation = id === undefined ? undefined : state.get('vnf-lcm-op-occ', id);
  return instance === undefined || operation === undefined
    ? undefined
    : { vnfInstanceId, instance, operation };
}

/** Does the next step of the operation that a function is busy with. Whether anything was committed. */
export function advanceOperation(
  context: LifecycleContext,
  progress: ProgressWatch,
  vnfInstanceId: VnfInstanceId,
): boolean {
  const active = activeOperation(context, vnfInstanceId);
  if (active === undefined) return false;
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

/** How far a function is from what is wanted of it, by what its hosts report. */
export function convergenceOf(
  context: LifecycleContext,
  vnfInstanceId: VnfInstanceId,
  instance: VnfInstanceDocument,
): Convergence {
  if (instance.coverage !== undefined) return context.coverage.convergenceOf(vnfInstanceId, instance);
  const { descriptor } = packageOf(context.catalog, instance.vnfPkgId);
  const observed = context.index.observedOf(vnfInstanceId).map(({ document }) => document);
  const withdrawnFrom = openWithdrawals(context.state, instance).map(({ hostId }) => hostId);
  const hosts = new Set([
    ...observed.map(({ hostId }) => hostId),
    ...hostsOfWanted(instance.wanted),
    ...withdrawnFrom,
  ]);
  const lostHosts = new Set(
    [...hosts].filter((hostId) => judgeHost(context.state, context.liveness, descriptor, hostId).isLost),
  );
  return assessConvergence({
    wanted: instance.wanted,
    displaced: instance.displaced ?? [],
    observed,
    mode: descriptor.run.mode,
    lostHosts,
    withdrawnFrom,
    isCoverage: false,
  });
}

function abandonedCopies(context: LifecycleContext, active: ActiveOperation) {
  const instance = active.instance.document;
  const record = { vnfInstanceId: active.vnfInstanceId, tenant: active.instance.tenant, instance };
  const pkg = packageOf(context.catalog, instance.vnfPkgId);
  return [...abandonedOf(context, record, pkg), ...sortDisplaced(context, record, pkg).gone];
}

/** With coverage, a copy goes nowhere but with its host: of all hosts only those that have left for good are looked at. */
function abandonedOf(
  context: LifecycleContext,
  record: FunctionRecord,
  pkg: FunctionPackage,
): readonly WantedVnfc[] {
  const { vnfInstanceId, instance } = record;
  if (instance.coverage === undefined)
    return wantedVnfcs(instance.wanted).filter(abandonedBy(context, record, pkg));
  const gone = context.coverage.hostsGone(vnfInstanceId, instance);
  return gone.size === 0 ? [] : wantedVnfcs(instance.wanted).filter(({ hostId }) => gone.has(hostId));
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
      instance.credentials[requirement] ?? { id: context.ids.uuid(), ...context.keys.ed25519() },
    ]),
  );
  return { ...rest, credentials };
}

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
        { id: vnfInstanceId, vnfPkgId: document.vnfPkgId, wanted },
        ...evictions.claims,
      ]),
  );
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

/** An automatic operation has nobody who would retry it: it ends, and the next one follows when it is time. */
function failTemporarily(
  context: LifecycleContext,
  { vnfInstanceId, instance, operation }: ActiveOperation,
  detail: string,
): void {
  const error = problemRecord('driver-failed', detail);
  const failed = moveOperation(context, operation, 'failTemporarily', { error });
  if (!operation.document.isAutomaticInvocation) {
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
