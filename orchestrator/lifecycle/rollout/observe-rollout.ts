import type { HostId, VnfInstanceId } from '../../../kernel/index.ts';
import {
  copyName,
  hostLabels,
  isReplacedAt,
  vnfcInstanceId,
  wantedVnfcs,
  type ObservedDocument,
  type RolloutPolicy,
  type RolloutRecord,
  type VnfInstanceDocument,
  type WantedVnfc,
} from '../../domain/index.ts';
import type { FunctionRecord } from '../abandoned.ts';
import { findCopy, isFailed, type FoundCopy } from '../assess-convergence.ts';
import type { LifecycleContext } from '../context.ts';
import { packageOf, type FunctionPackage } from '../function-catalog.ts';
import { judgeHost } from '../liveness.ts';
import { isWellState } from '../well-state.ts';
import { openWithdrawals, sortDisplaced } from '../withdrawals.ts';
import type { HeldFor } from './held-for.ts';
import { isOpen, partOf, type WaveHost } from './rollout-waves.ts';
import type { RolloutCopy, RolloutInput } from './rollout-types.ts';
import { descriptorAt } from '../version-descriptor.ts';
import { appliedRevisionOf } from '../../store/index.ts';

interface Observer {
  readonly context: LifecycleContext;
  readonly heldFor: HeldFor;
  readonly operationId: string;
  readonly record: FunctionRecord;
  readonly rollout: RolloutRecord;
}

/** Of the whole function, for each of its copies to be looked up in. */
interface Seen {
  readonly observed: readonly ObservedDocument[];
  /** Of the copies that nobody is told of, by `copyName`. */
  readonly withheld: ReadonlySet<string>;
}

/** What the planner sees of one function that goes from one version to another. */
export function observeRollout(observer: Observer, counts: RolloutInput['counts']): RolloutInput {
  const { context, record, rollout } = observer;
  const { instance } = record;
  const pkg = packageOf(context.catalog, instance.vnfPkgId);
  const { gone, leaving } = sortDisplaced(context, record);
  const seen = {
    observed: context.index.observedOf(record.vnfInstanceId).map(({ document }) => document),
    withheld: new Set(instance.withheld?.map(copyName)),
  };
  const copies = wantedVnfcs(instance.wanted).map((copy) => observeCopy(observer, seen, copy));
  const ids = new Set([
    ...copies.map(({ copy }) => copy.hostId),
    ...[...leaving, ...gone].map(({ hostId }) => hostId),
  ]);
  const hosts = instance.coverage === undefined ? undefined : hostsAt(context, ids);
  const isQuiet = ({ hostId }: WantedVnfc): boolean => isSilent(context, pkg, hostId);
  const part = partOf(rollout, counts, hosts);
  return {
    policy: rollout.policy,
    counts,
    copies: tolerated(rollout.policy, copies),
    leaving: hosts === undefined ? leaving : leaving.filter((copy) => !isQuiet(copy)),
    ...(hosts === undefined ? {} : { silentlyLeaving: leaving.filter(isQuiet) }),
    gone,
    ...(part === undefined ? {} : { part }),
    ...(hosts === undefined ? {} : { closedHosts: closedAmong(context, rollout.policy, hosts) }),
  };
}

function isSilent(context: LifecycleContext, { descriptor }: FunctionPackage, hostId: HostId): boolean {
  return judgeHost(context.state, context.liveness, descriptor, hostId).isLost;
}

function hostsAt({ state }: LifecycleContext, ids: ReadonlySet<HostId>): readonly WaveHost[] {
  return [...ids].toSorted().map((hostId) => {
    const facts = state.get('host-facts', hostId)?.document;
    return { hostId, labels: facts === undefined ? {} : hostLabels(hostId, facts) };
  });
}

function closedAmong(
  { clock }: LifecycleContext,
  { window }: RolloutPolicy,
  hosts: readonly WaveHost[],
): ReadonlySet<HostId> {
  if (window === undefined) return new Set();
  const now = clock.now();
  const closed = hosts.filter(({ labels }) => !isOpen(window, now, labels['timezone']));
  return new Set(closed.map(({ hostId }) => hostId));
}

/** On a share of the hosts so far the new version may fail: there it is not waited for. */
function tolerated({ stopAt = 0 }: RolloutPolicy, copies: readonly RolloutCopy[]): readonly RolloutCopy[] {
  const fresh = copies.filter(({ isOld }) => !isOld);
  const isBad = ({ health, isOverdue }: RolloutCopy): boolean =>
    health === 'failed' || (isOverdue && health !== 'well' && health !== 'silent');
  const bad = new Set(fresh.filter(isBad));
  if (bad.size === 0 || bad.size > stopAt * fresh.length) return copies;
  return copies.map((each) => (bad.has(each) ? { ...each, health: 'silent', isOverdue: false } : each));
}

function observeCopy(observer: Observer, { observed, withheld }: Seen, copy: WantedVnfc): RolloutCopy {
  const { context, record } = observer;
  const { moves } = observer.rollout;
  const { instance } = record;
  const found = findCopy(observed, copy);
  const health = healthOf(observer, copy, found);
  const isWithheld = withheld.has(copyName(copy));
  const reason = found?.instance?.reason ?? found?.document.workload.problem;
  return {
    copy,
    isOld:
      moves === undefined ? isReplacedAt(instance, copy.generation) : moves.copies.includes(copyName(copy)),
    health,
    isOverdue: isOverdue(observer, copy, health),
    isWithheld,
    isForgotten: isWithheld && isForgotten(observer, copy),
    isOnDraining: context.state.get('host', copy.hostId)?.document.draining === true,
    ...(reason === undefined ? {} : { reason }),
  };
}

function healthOf(
  { context, heldFor, operationId, record, rollout: { policy } }: Observer,
  copy: WantedVnfc,
  found: FoundCopy | undefined,
): RolloutCopy['health'] {
  const { instance } = record;
  const descriptor = descriptorAt(context.catalog, instance, copy.generation);
  const isCoverage = instance.coverage !== undefined;
  const verdict = judgeHost(context.state, context.liveness, descriptor, copy.hostId);
  if (isCoverage && context.state.get('host', copy.hostId) === undefined) return 'gone';
  if (isCoverage && verdict.isLost) return 'silent';
  if (verdict.isAbandoned) return 'gone';
  if (isFailed(found?.instance, copy)) return 'failed';
  const isRunning =
    isWellState(descriptor.run.mode, found?.instance) &&
    (found?.instance?.epoch ?? -1) >= copy.epoch &&
    !verdict.isLost;
  const run = `${isRunning} ${found?.instance?.epoch} ${found?.instance?.restarts}`;
  const forMilliseconds = heldFor.milliseconds(operationId, `run ${copyName(copy)}`, run);
  if (!isRunning) return 'waiting';
  return forMilliseconds >= policy.healthyForSeconds * 1000 ? 'well' : 'running';
}

/** Counted from when it was last well: a copy that comes and goes does not begin anew each time. */
function isOverdue(
  { context, heldFor, operationId, rollout: { policy } }: Observer,
  copy: WantedVnfc,
  health: RolloutCopy['health'],
): boolean {
  const key = `well ${copyName(copy)}@${copy.epoch}`;
  const forMilliseconds = heldFor.milliseconds(operationId, key, String(health === 'well'));
  const { healthyForSeconds, healthyWithinSeconds } = policy;
  const patienceSeconds =
    healthyForSeconds + (healthyWithinSeconds ?? context.limits.stallMilliseconds / 1000);
  return health !== 'well' && forMilliseconds > patienceSeconds * 1000;
}

/** Every host of a function that is bound to this one has taken over bindings without the copy, and had a moment to act on them. */
function isForgotten({ context, heldFor, operationId, record }: Observer, copy: WantedVnfc): boolean {
  const { tenant, vnfInstanceId } = record;
  const id = vnfcInstanceId(copy.hostId, { tenant, vnfInstanceId, ...copy }, copy.slot);
  const isKnown = context.index
    .dependentsOf(vnfInstanceId)
    .some((dependent) => isKnownTo(context, dependent, id));
  const forMilliseconds = heldFor.milliseconds(operationId, `known ${copyName(copy)}`, String(isKnown));
  return !isKnown && forMilliseconds >= context.limits.retireMilliseconds;
}

/** Whether a function is told of a VNFC instance, or may be acting still on having been told. */
function isKnownTo(context: LifecycleContext, dependent: VnfInstanceId, vnfcId: string): boolean {
  const { state, liveness, catalog, index } = context;
  const client = state.get('vnf-instance', dependent)?.document;
  if (client === undefined) return false;
  const { descriptor } = packageOf(catalog, client.vnfPkgId);
  return index.assignmentsOf(dependent).some(({ document, revision }) => {
    if (judgeHost(state, liveness, descriptor, document.hostId).isLost) return false;
    const isTold = Object.values(document.workload.bindings.requires).some(({ endpoints }) =>
      endpoints.some(({ instance }) => instance === vnfcId),
    );
    const applied = appliedRevisionOf(state, document.hostId);
    return isTold || applied < revision;
  });
}

/** Hosts that may still run copies of it that are wanted no longer, and are heard. */
export function unconfirmedHosts(
  context: LifecycleContext,
  instance: VnfInstanceDocument,
): readonly HostId[] {
  const { descriptor } = packageOf(context.catalog, instance.vnfPkgId);
  return openWithdrawals(context.state, instance)
    .map(({ hostId }) => hostId)
    .filter((hostId) => !judgeHost(context.state, context.liveness, descriptor, hostId).isLost);
}
