import {
  copyName,
  isSameJson,
  type RolloutPolicy,
  type RolloutRecord,
  type VnfInstanceDocument,
  type WantedVnfc,
} from '../../domain/index.ts';
import { describePlan } from '../../placement/index.ts';
import { convergenceOf, type ActiveOperation } from '../active-operation.ts';
import { affectedVnfcs } from '../affected-vnfcs.ts';
import { commitWanted } from '../commit-wanted.ts';
import type { LifecycleContext } from '../context.ts';
import { newestOfHosts } from '../follow-hosts.ts';
import { moveOperation, problemRecord, updateInstance, withoutOperation } from '../operation-records.ts';
import { rememberingSecrets } from '../secret-names.ts';
import { intendedOf, openWithdrawals } from '../withdrawals.ts';
import { describeWaiting } from './describe-waiting.ts';
import { failGate, failTemporarily, holdPatience, waitOrFail } from './fail-rollout.ts';
import { findRoom, placeAsMany } from './find-room.ts';
import type { HeldFor } from './held-for.ts';
import { observeRollout } from './observe-rollout.ts';
import type { RolloutPlaces } from './place-rollout.ts';
import { planCoverageRollout } from './plan-coverage-rollout.ts';
import { failedGate, freshCounts, isPartDone, isRolledOut, planRollout } from './plan-rollout.ts';
import { countsOfRollout } from './rollout-counts.ts';
import type { RolloutChange, RolloutInput } from './rollout-types.ts';
import { towardsTarget } from './rollout-versions.ts';
import { watchPart } from './watch-part.ts';

/** Does the next step of an operation that replaces one version by another. Whether anything was committed. */
export function advanceRollout(
  context: LifecycleContext,
  heldFor: HeldFor,
  active: ActiveOperation,
  rollout: RolloutRecord,
): boolean {
  switch (active.operation.document.state) {
    case 'STARTING':
      grantRollout(context, heldFor, active, rollout);
      return true;
    case 'PROCESSING':
    case 'ROLLING_BACK':
      return proceed(context, heldFor, active, rollout);
    default:
      return false;
  }
}

/** STARTING → PROCESSING with the first step; or ROLLED_BACK, with the reasons, and nothing was touched. */
function grantRollout(
  context: LifecycleContext,
  heldFor: HeldFor,
  active: ActiveOperation,
  rollout: RolloutRecord,
): void {
  const { vnfInstanceId, instance, operation } = active;
  const { document, tenant } = instance;
  const changed = rememberingSecrets(context.catalog, towardsTarget(document, rollout));
  const input = look(context, heldFor, active, rollout, changed);
  const { policy, refusal } =
    rollout.moves === undefined
      ? findRoom(context, { vnfInstanceId, tenant, instance: changed }, input)
      : // Looked for when the moves were chosen.
        { policy: rollout.policy };
  if (refusal !== undefined) {
    context.commit([
      moveOperation(context, operation, 'refuse', { error: problemRecord('no-host-fits', refusal) }),
      updateInstance(instance, withoutOperation(document)),
    ]);
    return;
  }
  const moved = moveOperation(context, operation, 'grant', {
    before: intendedOf(document),
    rollout: { ...rollout, policy },
  });
  commitWanted(
    context,
    active,
    changed,
    { wanted: document.wanted, displaced: document.displaced ?? [] },
    moved,
  );
}

function proceed(
  context: LifecycleContext,
  heldFor: HeldFor,
  active: ActiveOperation,
  rollout: RolloutRecord,
): boolean {
  const { instance, operation } = active;
  const { document } = instance;
  if (operation.document.isCancelPending) {
    failTemporarily(context, active, `cancelled (${operation.document.cancelMode ?? 'GRACEFUL'})`);
    return true;
  }
  const input = look(context, heldFor, active, rollout, document);
  const gate = failedGate(input);
  if (gate !== undefined) {
    failGate(context, active, rollout, gate);
    return true;
  }
  if (rollout.isPaused === true && operation.document.state === 'PROCESSING')
    return holdPatience(heldFor, active, 'paused');
  const change = planFor(document, input);
  const hosts = String(newestOfHosts(context.state));
  const isNewsOfHosts =
    document.coverage !== undefined && heldFor.milliseconds(operation.id, 'hosts', hosts) === 0;
  if (isNewsOfHosts || changesSomething(document, input, change)) {
    const failure = carryOut(context, active, document, input, change);
    if (failure === undefined) return true;
    if (!isNewsOfHosts) return waitOrFail(context, heldFor, active, input, failure);
  }
  if (isPartDone(input)) return watchPart(context, heldFor, active, rollout, input);
  const { leftovers } = convergenceOf(context, active.vnfInstanceId, document);
  // Done is said only when everything has stopped.
  if (isRolledOut(input) && leftovers === 0) {
    finish(context, active);
    return true;
  }
  // Hosts whose time has not come are waited for, however long that is.
  if ((input.closedHosts?.size ?? 0) > 0) return holdPatience(heldFor, active, 'closed');
  return waitOrFail(context, heldFor, active, input, describeWaiting(context, document, input));
}

function look(
  context: LifecycleContext,
  heldFor: HeldFor,
  { vnfInstanceId, instance, operation }: ActiveOperation,
  rollout: RolloutRecord,
  document: VnfInstanceDocument,
): RolloutInput {
  const isBack = operation.document.state === 'ROLLING_BACK';
  const record = { vnfInstanceId, tenant: instance.tenant, instance: document };
  return observeRollout(
    {
      context,
      heldFor,
      operationId: operation.id,
      record,
      rollout: isBack ? { ...rollout, policy: wayBack(rollout.policy) } : rollout,
    },
    countsOfRollout(context, document, operation.document.before ?? intendedOf(document)),
  );
}

/** What ran before is known to be well, and nothing keeps it waiting. */
function wayBack({ strategy, maxUnavailable, maxSurge, autoRollback }: RolloutPolicy): RolloutPolicy {
  return { strategy, maxUnavailable, maxSurge, autoRollback, healthyForSeconds: 0 };
}

function planFor(document: VnfInstanceDocument, input: RolloutInput): RolloutChange {
  return document.coverage === undefined ? planRollout(input) : planCoverageRollout(input);
}

function changesSomething(
  { withheld = [], coverage }: VnfInstanceDocument,
  input: RolloutInput,
  { stop, displace, withheld: next, counts, hosts = [] }: RolloutChange,
): boolean {
  const fresh = freshCounts(input.copies);
  const freshHosts = new Set(input.copies.flatMap(({ isOld, copy }) => (isOld ? [] : [copy.hostId])));
  const leavingHosts = new Set(input.leaving.map(({ hostId }) => hostId));
  const adds =
    coverage === undefined
      ? Object.entries(counts).some(([unit, count]) => count > (fresh[unit] ?? 0))
      : hosts.some((hostId) => !freshHosts.has(hostId) && !leavingHosts.has(hostId));
  // Until it is committed that they have gone, their hosts count as under way, and no other one begins.
  const frees = coverage !== undefined && input.gone.length > 0;
  return stop.length > 0 || displace.length > 0 || adds || frees || namesOf(withheld) !== namesOf(next);
}

function namesOf(copies: readonly WantedVnfc[]): string {
  return copies.map(copyName).toSorted().join(' ');
}

/** Commits one step. @returns why it cannot be, where there is no place for what it adds */
function carryOut(
  context: LifecycleContext,
  active: ActiveOperation,
  document: VnfInstanceDocument,
  input: RolloutInput,
  change: RolloutChange,
): string | undefined {
  const { vnfInstanceId, instance, operation } = active;
  const ending = new Set([...change.stop, ...change.displace].map(copyName));
  const staying = input.copies.filter(({ copy }) => !ending.has(copyName(copy)));
  const gone = new Set(input.gone.map(copyName));
  const displaced = [
    ...(document.displaced ?? []).filter((copy) => !gone.has(copyName(copy))),
    ...change.displace,
  ];
  const places: RolloutPlaces = {
    old: staying.filter(({ isOld }) => isOld).map(({ copy }) => copy),
    fresh: staying.filter(({ isOld }) => !isOld).map(({ copy }) => copy),
    gone: input.gone,
    ending: displaced,
    counts: { ...freshCounts(staying), ...change.counts },
    silentHosts: input.copies.filter(({ health }) => health === 'silent').map(({ copy }) => copy.hostId),
    ...(change.hosts === undefined ? {} : { hosts: change.hosts }),
  };
  const record = { vnfInstanceId, tenant: instance.tenant, instance: document };
  const { moves } = operation.document.rollout ?? {};
  const plan = placeAsMany(
    context,
    record,
    moves === undefined ? places : { ...places, moves },
    input.policy,
  );
  if (plan.wanted === undefined) return describePlan(plan.problem, plan.result).join('; ');
  const changed = { ...document, withheld: change.withheld };
  const isSame =
    isSameJson(plan.wanted, document.wanted) &&
    isSameJson(displaced, document.displaced ?? []) &&
    namesOf(document.withheld ?? []) === namesOf(change.withheld);
  if (isSame) return describePlan(plan.problem, plan.result).join('; ') || 'nothing can be added now';
  commitWanted(context, active, changed, { ...plan, displaced });
  return undefined;
}

function finish(context: LifecycleContext, { instance, operation }: ActiveOperation): void {
  const { replaced: _replaced, withheld: _withheld, ...rest } = instance.document;
  const isBack = operation.document.state === 'ROLLING_BACK';
  context.commit([
    moveOperation(context, operation, isBack ? 'rolledBack' : 'complete', {
      affectedVnfcs: affectedVnfcs(operation.document.before ?? [], rest.wanted),
    }),
    // What is confirmed need not be remembered.
    updateInstance(instance, withoutOperation({ ...rest, withdrawn: openWithdrawals(context.state, rest) })),
  ]);
}
