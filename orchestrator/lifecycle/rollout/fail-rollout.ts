import type { RolloutRecord } from '../../domain/index.ts';
import type { ActiveOperation } from '../active-operation.ts';
import { commitWanted } from '../commit-wanted.ts';
import type { LifecycleContext } from '../context.ts';
import { moveOperation, problemRecord, updateInstance, withoutOperation } from '../operation-records.ts';
import type { HeldFor } from './held-for.ts';
import { whyIrreversible } from './rollout-policy.ts';
import type { RolloutInput } from './rollout-types.ts';
import { settledVersions, towardsTarget, withoutSuccessors } from './rollout-versions.ts';

/** A gate has failed: back to the version that was, where the policy says so and that version can read what the new one has written. */
export function failGate(
  context: LifecycleContext,
  active: ActiveOperation,
  rollout: RolloutRecord,
  gate: string,
): void {
  const { instance, operation } = active;
  const detail = `${rollout.to} is not well: ${gate}`;
  const irreversible = whyIrreversible(context, rollout);
  const isBack = operation.document.state === 'ROLLING_BACK';
  if (isBack || !rollout.policy.autoRollback || irreversible !== undefined) {
    failTemporarily(
      context,
      active,
      isBack
        ? `on the way back: ${gate}`
        : [detail, ...(irreversible === undefined ? [] : [irreversible])].join('; '),
    );
    return;
  }
  const error = problemRecord('driver-failed', `${detail}; going back to ${rollout.from}`);
  const failed = moveOperation(context, operation, 'failTemporarily', { error, rollout });
  const temporary = { ...operation, document: failed.document };
  context.commit([
    moveOperation(context, temporary, 'rollback'),
    updateInstance(instance, towardsTarget(instance.document, { target: rollout.before })),
  ]);
  context.logger.warn(
    {
      tenant: instance.tenant,
      vnfInstanceId: active.vnfInstanceId,
      vnfLcmOpOccId: operation.id,
      reason: gate,
    },
    'a new version is not well and is rolled back',
  );
}

/** An automatic operation has nobody who would retry it: it ends, and healing goes on. */
export function failTemporarily(context: LifecycleContext, active: ActiveOperation, detail: string): void {
  const { vnfInstanceId, instance, operation } = active;
  const error = problemRecord('driver-failed', detail);
  const failed = moveOperation(context, operation, 'failTemporarily', { error });
  if (!operation.document.isAutomaticInvocation) {
    context.commit([failed]);
    return;
  }
  const temporary = { ...operation, document: failed.document };
  const document = withoutOperation(settledVersions(instance.document, operation.document.rollout));
  const wanted = withoutSuccessors(document, operation.document.rollout?.moves);
  commitWanted(
    context,
    active,
    document,
    { wanted, displaced: document.displaced ?? [] },
    moveOperation(context, temporary, 'fail'),
  );
  context.alarms.raise({ vnfInstanceId, name: 'healing-failed', text: detail });
}

/** What was begun has to have moved within the patience of the lifecycle. */
export function waitOrFail(
  context: LifecycleContext,
  heldFor: HeldFor,
  active: ActiveOperation,
  { policy }: RolloutInput,
  reason: string,
): boolean {
  const { instance, operation } = active;
  const heldMilliseconds = heldFor.milliseconds(operation.id, 'operation', String(instance.revision));
  const patience = context.limits.stallMilliseconds + policy.healthyForSeconds * 1000;
  if (heldMilliseconds <= patience) return false;
  failTemporarily(context, active, `no progress: ${reason}`);
  return true;
}

/** Nothing is expected to move now: patience begins anew. */
export function holdPatience(
  heldFor: HeldFor,
  { operation }: ActiveOperation,
  why: 'paused' | 'closed' | 'watched',
): false {
  heldFor.milliseconds(operation.id, 'operation', why);
  return false;
}
