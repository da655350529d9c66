import type { RolloutPolicy } from '../../domain/index.ts';
import { describePlan, describeRefusal, planOrRelax } from '../../placement/index.ts';
import type { FunctionRecord } from '../abandoned.ts';
import type { LifecycleContext } from '../context.ts';
import type { UnitCounts } from '../levels.ts';
import type { WantedPlan } from '../plan-wanted.ts';
import { placeRollout, type RolloutPlaces } from './place-rollout.ts';
import { countCopies } from './rollout-counts.ts';
import type { RolloutInput } from './rollout-types.ts';

export interface FoundRoom {
  /** As it can be carried out here. */
  readonly policy: RolloutPolicy;
  /** Why it cannot be at all. */
  readonly refusal?: string;
}

/** Whether the whole new version fits when the old one is gone, and a first step fits now: what is refused here has touched nothing. */
export function findRoom(
  context: LifecycleContext,
  record: FunctionRecord,
  { policy, copies, gone, counts }: RolloutInput,
): FoundRoom {
  const old = copies.filter(({ isOld }) => isOld).map(({ copy }) => copy);
  const fresh = copies.filter(({ isOld }) => !isOld).map(({ copy }) => copy);
  if (record.instance.coverage !== undefined) {
    const heard = copies.filter(({ isOld, health }) => isOld && health !== 'silent' && health !== 'gone');
    const hosts = heard.map(({ copy }) => copy.hostId);
    return roomOnHosts(context, record, policy, { old, fresh, gone, counts, hosts });
  }
  const isInPlace = policy.strategy === 'recreate';
  const whole = placeRollout(
    context,
    record,
    { old: [], fresh, gone: isInPlace ? [...old, ...gone] : gone, counts },
    planOrRelax,
  );
  if (whole.wanted === undefined) return { policy, refusal: describeRefusal(whole.problem, whole.result) };
  if (isInPlace || policy.maxUnavailable > 0 || old.length === 0) return { policy };
  const first = placeRollout(
    context,
    record,
    { old, fresh, gone, counts: oneMore(counts, fresh) },
    planOrRelax,
  );
  if (first.wanted !== undefined) return { policy };
  return {
    policy,
    refusal: `beside the version that runs: ${describeRefusal(first.problem, first.result)}; or let one be missing meanwhile (maxUnavailable 1)`,
  };
}

/** With coverage the host is given: the new version starts beside the old one where all hosts have room, else after it where it may be missing. */
function roomOnHosts(
  context: LifecycleContext,
  record: FunctionRecord,
  policy: RolloutPolicy,
  { old, fresh, gone, counts, hosts = [] }: RolloutPlaces,
): FoundRoom {
  const isBeside = policy.strategy !== 'recreate' && policy.maxSurge > 0;
  const skippedOf = (stays: boolean) =>
    shortOf(placeRollout(context, record, { old: stays ? old : [], fresh, gone, counts, hosts }), hosts);
  if (isBeside) {
    const beside = skippedOf(true);
    if (beside === undefined) return { policy };
    if (policy.maxUnavailable === 0)
      return {
        policy,
        refusal: `beside the version that runs: ${beside}; let one be missing meanwhile (maxUnavailable 1), or use recreate`,
      };
  }
  const instead = skippedOf(false);
  return { policy: { ...policy, maxSurge: 0 }, ...(instead === undefined ? {} : { refusal: instead }) };
}

/** What stands against some of the hosts, in words; nothing where all that have the old version get the new one. */
function shortOf(plan: WantedPlan, hosts: readonly string[]): string | undefined {
  if (plan.wanted === undefined) return describePlan(plan.problem, plan.result).join('; ');
  if (!plan.result.fits) return undefined;
  const reached = new Set(plan.result.additions.map(({ hostId }) => String(hostId)));
  const missing = [...new Set(hosts)].filter((hostId) => !reached.has(hostId));
  if (missing.length === 0) return undefined;
  const reasons = describePlan(plan.problem, plan.result).join('; ');
  return `no place on ${missing.slice(0, 5).join(', ')}${missing.length > 5 ? ` and ${missing.length - 5} more` : ''}${reasons === '' ? '' : `: ${reasons}`}`;
}

/** As many of what is to be added as find a place: at least one, or none where some of the old version may be missing. */
export function placeAsMany(
  context: LifecycleContext,
  record: FunctionRecord,
  places: RolloutPlaces,
  policy: RolloutPolicy,
): WantedPlan {
  const whole = placeRollout(context, record, places);
  if (whole.wanted !== undefined || policy.strategy === 'recreate' || record.instance.coverage !== undefined)
    return whole;
  const have = countCopies(places.fresh);
  const most = Math.max(
    0,
    ...Object.keys(places.counts).map((unit) => (places.counts[unit] ?? 0) - (have[unit] ?? 0)),
  );
  for (let added = most - 1; added >= (policy.maxUnavailable > 0 ? 0 : 1); added -= 1) {
    const plan = placeRollout(context, record, {
      ...places,
      counts: addedAtMost(places.counts, have, added),
    });
    if (plan.wanted !== undefined) return plan;
  }
  return whole;
}

function addedAtMost(counts: UnitCounts, have: UnitCounts, most: number): UnitCounts {
  return Object.fromEntries(
    Object.entries(counts).map(([unit, count]) => [unit, Math.min(count, (have[unit] ?? 0) + most)]),
  );
}

function oneMore(counts: UnitCounts, fresh: RolloutPlaces['fresh']): UnitCounts {
  return addedAtMost(counts, countCopies(fresh), 1);
}
