import { toTimestamp } from '../../../kernel/index.ts';
import {
  copyName,
  isSameJson,
  toWantedUnits,
  wantedVnfcs,
  type RolloutPolicy,
  type RolloutRecord,
  type VnfInstanceDocument,
  type WantedUnit,
  type WantedVnfc,
} from '../../domain/index.ts';
import { describePlan } from '../../placement/index.ts';
import { convergenceOf, type ActiveOperation } from '../active-operation.ts';
import { affectedVnfcs } from '../affected-vnfcs.ts';
import { commitWanted } from '../commit-wanted.ts';
import { newestOfHosts } from '../follow-hosts.ts';
import type { LifecycleContext } from '../context.ts';
import { moveOperation, problemRecord, updateInstance, withoutOperation } from '../operation-records.ts';
import { intendedOf } from '../withdrawals.ts';
import { findRoom, placeAsMany } from './find-room.ts';
import type { HeldFor } from './held-for.ts';
import { observeRollout, unconfirmedHosts } from './observe-rollout.ts';
import type { RolloutPlaces } from './place-rollout.ts';
import { planCoverageRollout } from './plan-coverage-rollout.ts';
import { failedGate, freshCounts, isPartDone, isRolledOut, planRollout } from './plan-rollout.ts';
import { countsOfRollout } from './rollout-counts.ts';
import { valuesOf } from './rollout-figures.ts';
import { whyIrreversible } from './rollout-policy.ts';
import { noteRollout } from './rollout-record.ts';
import { compareVersions, describeComparison, isUndecided } from './rollout-waves.ts';
import type { RolloutChange, RolloutInput } from './rollout-types.ts';
import { settledVersions, towardsTarget } from './rollout-versions.ts';

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
  const changed = towardsTarget(document, rollout);
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
  if (rollout.isPaused === true && operation.document.state === 'PROCESSING') return false;
  const change = planFor(document, input);
  const hosts = String(newestOfHosts(context.state));
  const isNewsOfHosts =
    document.coverage !== undefined && heldFor.milliseconds(operation.id, 'hosts', hosts) === 0;
  if (isNewsOfHosts || changesSomething(document, input, change)) {
    const failure = carryOut(context, active, document, input, change);
    if (failure === undefined) return true;
    if (!isNewsOfHosts) return waitOrFail(context, heldFor, active, input, failure);
  }
  if (isPartDone(input)) return watchPart(context, heldFor, active, rollout);
  const { leftovers } = convergenceOf(context, active.vnfInstanceId, document);
  // Done is said only when everything has stopped.
  if (isRolledOut(input) && leftovers === 0) {
    finish(context, active);
    return true;
  }
  // Hosts whose time has not come are waited for, however long that is.
  if ((input.closedHosts?.size ?? 0) > 0) return false;
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
  const adds =
    coverage === undefined
      ? Object.entries(counts).some(([unit, count]) => count > (fresh[unit] ?? 0))
      : hosts.some(
          (hostId) => !freshHosts.has(hostId) && !input.leaving.some((copy) => copy.hostId === hostId),
        );
  return stop.length > 0 || displace.length > 0 || adds || namesOf(withheld) !== namesOf(next);
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
  const places: RolloutPlaces = {
    old: staying.filter(({ isOld }) => isOld).map(({ copy }) => copy),
    fresh: staying.filter(({ isOld }) => !isOld).map(({ copy }) => copy),
    gone: input.gone,
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
  const displaced = [...input.leaving, ...change.displace];
  const isSame =
    isSameJson(plan.wanted, document.wanted) &&
    isSameJson(displaced, document.displaced ?? []) &&
    namesOf(document.withheld ?? []) === namesOf(change.withheld);
  if (isSame) return describePlan(plan.problem, plan.result).join('; ') || 'nothing can be added now';
  commitWanted(context, active, changed, { ...plan, displaced });
  return undefined;
}

/** The part that has the new version first is watched for a while; then both versions are compared, and the next part begins. */
function watchPart(
  context: LifecycleContext,
  heldFor: HeldFor,
  active: ActiveOperation,
  rollout: RolloutRecord,
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
  if (bakedMilliseconds < 0) return false;
  const record = { vnfInstanceId, tenant: instance.tenant, instance: instance.document };
  const comparison = compareVersions(policy.compare ?? [], (name) => valuesOf(context, record, name));
  const worse = comparison.filter(({ isWorse }) => isWorse);
  const unknown = comparison.filter(isUndecided);
  if (worse.length === 0 && unknown.length === 0)
    return note({ ...rest, policy, wavesDone: wavesDone + 1, comparison });
  if (worse.length === 0 && bakedMilliseconds < context.limits.stallMilliseconds) return false;
  const gate = (worse.length > 0 ? worse : unknown).map(describeComparison).join('; ');
  failGate(context, active, { ...rollout, comparison }, gate);
  return true;
}

/** A gate has failed: back to the version that was, where the policy says so and that version can read what the new one has written. */
function failGate(
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
function failTemporarily(context: LifecycleContext, active: ActiveOperation, detail: string): void {
  const { vnfInstanceId, instance, operation } = active;
  const error = problemRecord('driver-failed', detail);
  const failed = moveOperation(context, operation, 'failTemporarily', { error });
  if (!operation.document.isAutomaticInvocation) {
    context.commit([failed]);
    return;
  }
  const temporary = { ...operation, document: failed.document };
  const document = withoutOperation(settledVersions(instance.document));
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

/** Copies that were to move stay where they are: what was to take their places goes. */
function withoutSuccessors(
  { wanted }: VnfInstanceDocument,
  moves: RolloutRecord['moves'],
): readonly WantedUnit[] {
  if (moves === undefined) return wanted;
  const copies = wantedVnfcs(wanted);
  const leaving = copies.filter((copy) => moves.copies.includes(copyName(copy)));
  const isSuccessor = (copy: WantedVnfc): boolean =>
    !leaving.includes(copy) && leaving.some(({ unit, slot }) => unit === copy.unit && slot === copy.slot);
  return toWantedUnits(copies.filter((copy) => !isSuccessor(copy)));
}

/** What was begun has to have moved within the patience of the lifecycle. */
function waitOrFail(
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

function describeWaiting(
  context: LifecycleContext,
  document: VnfInstanceDocument,
  { copies, leaving }: RolloutInput,
): string {
  const what = [
    ...copies
      .filter(({ isOld, health }) => !isOld && health !== 'well')
      .map(({ copy, health }) => `${copy.unit}-${copy.slot} on ${copy.hostId} is ${health}`),
    ...copies
      .filter(({ isWithheld }) => isWithheld)
      .map(({ copy }) => `those who are bound to it still use ${copy.unit}-${copy.slot} on ${copy.hostId}`),
    ...leaving.map(({ unit, slot, hostId }) => `${unit}-${slot} leaves ${hostId}`),
    ...unconfirmedHosts(context, document).map(
      (hostId) => `${hostId} has not confirmed yet that what is to go there is gone`,
    ),
  ];
  return what.slice(0, 5).join('; ');
}

function finish(context: LifecycleContext, { instance, operation }: ActiveOperation): void {
  const { replaced: _replaced, withheld: _withheld, ...rest } = instance.document;
  const isBack = operation.document.state === 'ROLLING_BACK';
  context.commit([
    moveOperation(context, operation, isBack ? 'rolledBack' : 'complete', {
      affectedVnfcs: affectedVnfcs(operation.document.before ?? [], rest.wanted),
    }),
    updateInstance(instance, withoutOperation(rest)),
  ]);
}
