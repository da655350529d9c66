import { IotmanoError } from '../../../kernel/index.ts';
import {
  isReplacedAt,
  toWantedUnits,
  wantedVnfcs,
  type RolloutRecord,
  type VnfInstanceDocument,
  type WantedUnit,
} from '../../domain/index.ts';
import type { Write } from '../../store/index.ts';
import type { ActiveOperation } from '../active-operation.ts';
import { descriptorAt } from '../version-descriptor.ts';
import { isWellState } from '../well-state.ts';
import { findCopy } from '../assess-convergence.ts';
import { commitWanted } from '../commit-wanted.ts';
import type { LifecycleContext } from '../context.ts';
import { moveOperation, updateInstance } from '../operation-records.ts';
import { whyIrreversible } from './rollout-policy.ts';
import { noteRollout } from './rollout-record.ts';
import { towardsTarget } from './rollout-versions.ts';

/** FAILED_TEMP → PROCESSING, towards the new version again; what of it does not run is started anew. */
export function retryRollout(
  context: LifecycleContext,
  active: ActiveOperation,
  rollout: RolloutRecord,
): void {
  const { instance, operation } = active;
  const { bakingSince: _bakingSince, isPaused: _isPaused, ...rest } = rollout;
  const moved = moveOperation(context, operation, 'retry', { rollout: rest });
  const document = towardsTarget(instance.document, rollout);
  const wanted = startedAnew(context, active, document);
  commitWanted(context, active, document, { wanted, displaced: document.displaced ?? [] }, moved);
}

function startedAnew(
  context: LifecycleContext,
  { vnfInstanceId }: ActiveOperation,
  instance: VnfInstanceDocument,
): readonly WantedUnit[] {
  const observed = context.index.observedOf(vnfInstanceId).map(({ document }) => document);
  return toWantedUnits(
    wantedVnfcs(instance.wanted).map((copy) => {
      const { run } = descriptorAt(context.catalog, instance, copy.generation);
      const isStuck = !isWellState(run.mode, findCopy(observed, copy)?.instance);
      const isFresh = !isReplacedAt(instance, copy.generation);
      return isStuck && isFresh ? { ...copy, epoch: copy.epoch + 1 } : copy;
    }),
  );
}

/**
 * FAILED_TEMP → ROLLING_BACK: from here on the way back is planned as the way there was, with the versions changed over.
 * @throws IotmanoError `conflict` where the old version cannot read what the new one has written
 */
export function rollBackRollout(
  context: LifecycleContext,
  { instance, operation }: ActiveOperation,
  rollout: RolloutRecord,
  ...alongside: readonly Write[]
): void {
  const moved = moveOperation(context, operation, 'rollback');
  const irreversible = whyIrreversible(context, rollout);
  if (irreversible !== undefined) throw new IotmanoError('conflict', irreversible);
  context.commit([
    moved,
    ...alongside,
    updateInstance(instance, towardsTarget(instance.document, { target: rollout.before })),
  ]);
}

/**
 * Begins no further step, or goes on. Idempotent; a failed gate still counts, and what has fallen away is not made up for while it is paused.
 * @throws IotmanoError `conflict` for an operation that is not under way, or replaces no version
 */
export function pauseRollout(
  context: LifecycleContext,
  { operation }: ActiveOperation,
  isPaused: boolean,
): void {
  const { rollout, state, operation: type } = operation.document;
  if (rollout === undefined)
    throw new IotmanoError('conflict', `a ${type} replaces no version step by step: it cannot be paused`);
  if (state !== 'STARTING' && state !== 'PROCESSING')
    throw new IotmanoError(
      'conflict',
      `operation ${operation.id} is ${state}: only what goes forward is paused or resumed`,
    );
  if ((rollout.isPaused === true) === isPaused) return;
  const { isPaused: _isPaused, ...rest } = rollout;
  context.commit([noteRollout(operation, isPaused ? { ...rest, isPaused } : rest)]);
}
