import { toTimestamp } from '../../../kernel/index.ts';
import type { RolloutRecord } from '../../domain/index.ts';
import type { ActiveOperation } from '../active-operation.ts';
import type { LifecycleContext } from '../context.ts';
import { failGate, holdPatience } from './fail-rollout.ts';
import type { HeldFor } from './held-for.ts';
import { valuesOf } from './rollout-figures.ts';
import { noteRollout } from './rollout-record.ts';
import type { RolloutInput } from './rollout-types.ts';
import { compareVersions, describeComparison, isUndecided } from './rollout-waves.ts';

/** The part that has the new version first is watched for a while; then both versions are compared, and the next part begins. */
export function watchPart(
  context: LifecycleContext,
  heldFor: HeldFor,
  active: ActiveOperation,
  rollout: RolloutRecord,
  { copies }: Pick<RolloutInput, 'copies'>,
): boolean {
  const { vnfInstanceId, instance, operation } = active;
  const { bakingSince, policy, wavesDone = 0, ...rest } = rollout;
  const now = context.clock.now();
  const note = (next: RolloutRecord): boolean => {
    context.commit([noteRollout(operation, next)]);
    return true;
  };
  if (bakingSince === undefined) return note({ ...rollout, bakingSince: toTimestamp(now) });
  const bakedMilliseconds = now - Date.parse(bakingSince) - (policy.bakeSeconds ?? 0) * 1000;
  if (bakedMilliseconds < 0) return holdPatience(heldFor, active, 'watched');
  const record = { vnfInstanceId, tenant: instance.tenant, instance: instance.document };
  // Of a part that is all there is, nothing of the old version is left to compare with.
  const isOldThere = copies.some(({ isOld, health }) => isOld && health !== 'silent' && health !== 'gone');
  const limits = isOldThere ? (policy.compare ?? []) : [];
  const comparison = compareVersions(limits, (name) => valuesOf(context, record, name));
  const worse = comparison.filter(({ isWorse }) => isWorse);
  const unknown = comparison.filter(isUndecided);
  if (worse.length === 0 && unknown.length === 0)
    return note({ ...rest, policy, wavesDone: wavesDone + 1, ...(isOldThere ? { comparison } : {}) });
  if (worse.length === 0 && bakedMilliseconds < context.limits.stallMilliseconds)
    return holdPatience(heldFor, active, 'watched');
  const gate = (worse.length > 0 ? worse : unknown).map(describeComparison).join('; ');
  failGate(context, active, { ...rollout, comparison }, gate);
  return true;
}
