import type { VnfInstanceId } from '../../kernel/index.ts';
import { vnfcInstanceId, wantedVnfcs, type WantedVnfc } from '../domain/index.ts';
import { describePlan } from '../placement/index.ts';
import type { StoredRecord } from '../store/index.ts';
import { abandonedBy } from './abandoned.ts';
import { convergenceOf } from './advance-operation.ts';
import type { FailedCopy } from './assess-convergence.ts';
import { LIFECYCLE_ALARMS, RUN_ALARM, type LifecycleContext } from './context.ts';
import type { HostFollower } from './follow-hosts.ts';
import type { HealPace } from './heal-pace.ts';
import { startOperation } from './operation-records.ts';
import { planOperation } from './plan-operation.ts';
import { tellFailedRuns } from './run-alarm.ts';
import type { RefusalPace } from './refusal-pace.ts';
import { gentleMoves } from './rollout/gentle-moves.ts';
import { moveWaitsUntil } from './rollout/move-pace.ts';
import { sortDisplaced } from './withdrawals.ts';

/** What healing found, and did. */
export interface HealingOutcome {
  readonly hasCommitted: boolean;
  /** Something is not well: look again soon, even if nothing is heard. */
  readonly isTroubled: boolean;
}

/** What healing knows besides what is in the store: a new leader begins without it. */
export interface HealingMemory {
  readonly pace: HealPace;
  readonly refusals: RefusalPace;
  readonly follower: HostFollower;
}

const WELL: HealingOutcome = { hasCommitted: false, isTroubled: false };

/**
 * Looks after a function that is instantiated and not busy: copies whose host has fallen away are placed elsewhere, copies that their
 * host has given up are started anew (elsewhere where that is allowed and possible), as an automatic HEAL operation with its
 * cause; coverage follows the hosts.
 */
export function healAutomatically(
  context: LifecycleContext,
  memory: HealingMemory,
  vnfInstanceId: VnfInstanceId,
): HealingOutcome {
  const { pace, refusals, follower } = memory;
  const record = context.state.get('vnf-instance', vnfInstanceId);
  if (record === undefined || record.document.instantiationState !== 'INSTANTIATED') {
    refusals.forget(vnfInstanceId);
    context.alarms.clear(vnfInstanceId, [...LIFECYCLE_ALARMS, RUN_ALARM]);
    return WELL;
  }
  tellFailedRuns(context, vnfInstanceId, record.document);
  if (record.document.activeOpOcc !== undefined) return WELL;
  const { document, tenant } = record;
  const { failed } = convergenceOf(context, vnfInstanceId, document);
  const self = { vnfInstanceId, tenant, instance: document };
  const displaced = sortDisplaced(context, self);
  const abandoned =
    document.coverage === undefined
      ? [...wantedVnfcs(document.wanted).filter(abandonedBy(context, self)), ...displaced.gone]
      : [];
  if (failed.length > 0) raiseFailed(context, vnfInstanceId, failed);
  if (failed.length === 0 && abandoned.length === 0) {
    refusals.forget(vnfInstanceId);
    const isLeaving = displaced.leaving.length > 0;
    if (isLeaving && document.coverage === undefined) return { hasCommitted: false, isTroubled: true };
    pace.rest(vnfInstanceId);
    context.alarms.clear(vnfInstanceId, LIFECYCLE_ALARMS);
    if (document.coverage === undefined) return WELL;
    return { hasCommitted: follower.follow(context, vnfInstanceId, record), isTroubled: isLeaving };
  }
  if (abandoned.length === 0 && !pace.mayTry(vnfInstanceId)) return { hasCommitted: false, isTroubled: true };
  return heal(
    context,
    memory,
    { vnfInstanceId, record },
    [...new Set([...abandoned, ...failed.map(({ copy }) => copy)])],
    [
      ...abandoned.map((copy) =>
        displaced.gone.includes(copy)
          ? `${copy.unit}-${copy.slot} has left host ${copy.hostId}`
          : `${copy.unit}-${copy.slot}: host ${copy.hostId} is not heard from or is being drained`,
      ),
      ...failed.map(
        ({ copy, reason }) => `${copy.unit}-${copy.slot} was given up by ${copy.hostId}: ${reason}`,
      ),
    ],
  );
}

function heal(
  context: LifecycleContext,
  { pace, refusals }: HealingMemory,
  {
    vnfInstanceId,
    record,
  }: { readonly vnfInstanceId: VnfInstanceId; readonly record: StoredRecord<'vnf-instance'> },
  copies: readonly WantedVnfc[],
  causes: readonly string[],
): HealingOutcome {
  const effort = refusals.effortFor(vnfInstanceId);
  if (effort === undefined) return { hasCommitted: false, isTroubled: true };
  const { document, tenant } = record;
  const operationParams = {
    cause: causes.join('; '),
    additionalParams: {
      vnfcInstanceIds: copies.map((copy) =>
        vnfcInstanceId(copy.hostId, { tenant, vnfInstanceId, ...copy }, copy.slot),
      ),
      elsewhere: true,
    },
  };
  const self = { vnfInstanceId, tenant, instance: document };
  const operation = {
    operation: 'HEAL',
    state: 'STARTING',
    operationParams,
    isAutomaticInvocation: true,
  } as const;
  if (moveWaitsUntil(context, vnfInstanceId) !== undefined && gentleMoves(context, self, operation))
    return { hasCommitted: false, isTroubled: true };
  const begin = context.clock.monotonic();
  const plan = planOperation(context, self, operation, { effort });
  if (plan.wanted === undefined) {
    refusals.refused(vnfInstanceId, context.clock.monotonic() - begin);
    const text = describePlan(plan.problem, plan.result).join('; ');
    context.alarms.raise({ vnfInstanceId, name: 'no-host-for-healing', text });
    return { hasCommitted: false, isTroubled: true };
  }
  refusals.forget(vnfInstanceId);
  pace.tried(vnfInstanceId);
  const { writes } = startOperation(context, vnfInstanceId, tenant, record, operation);
  context.commit(writes);
  context.logger.warn({ tenant, vnfInstanceId, cause: operationParams.cause }, 'healing automatically');
  return { hasCommitted: true, isTroubled: true };
}

/** One alarm for all copies: what stands is not changed by raising it again. */
function raiseFailed(
  { alarms }: LifecycleContext,
  vnfInstanceId: VnfInstanceId,
  failed: readonly FailedCopy[],
): void {
  const text = failed.map(
    ({ copy, reason }) => `${copy.unit}-${copy.slot} was given up by ${copy.hostId}: ${reason}`,
  );
  const hosts = new Set(failed.map(({ copy }) => copy.hostId));
  const [hostId] = hosts;
  alarms.raise({
    vnfInstanceId,
    ...(hosts.size > 1 || hostId === undefined ? {} : { hostId }),
    name: 'instance-failed',
    text: text.join('; '),
  });
}
