import type { VnfInstanceId } from '../../../kernel/index.ts';
import { isReplacedAt, wantedVnfcs, type RolloutRecord } from '../../domain/index.ts';
import { planWithReasons } from '../../placement/index.ts';
import type { StoredRecord } from '../../store/index.ts';
import type { LifecycleContext } from '../context.ts';
import { reportPlan, type PlanReport } from '../plan-report.ts';
import { intendedOf } from '../withdrawals.ts';
import { placeRollout } from './place-rollout.ts';
import { countsOfRollout } from './rollout-counts.ts';
import { towardsTarget } from './rollout-versions.ts';

/** Where all of the new version would be once the old one is gone. */
export function reportRollout(
  context: LifecycleContext,
  { id, tenant, document }: StoredRecord<'vnf-instance'>,
  rollout: RolloutRecord,
): PlanReport {
  const vnfInstanceId = id as VnfInstanceId;
  const instance = towardsTarget(document, rollout);
  const copies = wantedVnfcs(document.wanted);
  const fresh = copies.filter(({ generation }) => !isReplacedAt(instance, generation));
  const old = copies.filter((copy) => !fresh.includes(copy));
  const isInPlace = rollout.policy.strategy === 'recreate' || instance.coverage !== undefined;
  const plan = placeRollout(
    context,
    { vnfInstanceId, tenant, instance },
    {
      old: [],
      fresh,
      gone: isInPlace ? old : [],
      counts: countsOfRollout(context, instance, intendedOf(document)),
      hosts: old.map(({ hostId }) => hostId),
    },
    planWithReasons,
  );
  return reportPlan({ vnfInstanceId, name: document.name }, document.wanted, plan);
}
