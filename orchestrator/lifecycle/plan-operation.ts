import type { HostId } from '../../kernel/index.ts';
import {
  copyName,
  generationOf,
  toWantedUnits,
  wantedVnfcs,
  type VnfInstanceDocument,
  type VnfLcmOpOccDocument,
  type WantedVnfc,
} from '../domain/index.ts';
import { planPlacement, type Planner } from '../placement/index.ts';
import { abandonedBy, type FunctionRecord } from './abandoned.ts';
import { findCopy, isFailed } from './assess-convergence.ts';
import { companionsOf } from './companions.ts';
import type { LifecycleContext } from './context.ts';
import type { FunctionPackage } from './function-catalog.ts';
import {
  countsAfterScaling,
  countsOfLevel,
  countsOfWanted,
  type ScaleRequest,
  type UnitCounts,
} from './levels.ts';
import { isSingleWriter, judgeHost } from './liveness.ts';
import { planMixedCoverage } from './plan-mixed-coverage.ts';
import { planWanted, selectCopies, type WantedPlan } from './plan-wanted.ts';
import { FUNCTION_EFFORT, searchEffort, type SearchEffort } from './search-effort.ts';
import { rulesOfService } from './service-rules.ts';
import { claimOf, overrideOf, type WantedOverride } from './snapshot-inventory.ts';
import { surplusOf } from './surplus-copies.ts';
import { targetsIn } from './target-hosts.ts';
import type { HealParams } from './vnf-requests.ts';
import { placedPackageOf } from './version-descriptor.ts';
import { isWellState } from './well-state.ts';
import { keepsVolume, whyFixed } from './why-fixed.ts';
import { intendedOf, sortDisplaced } from './withdrawals.ts';

/** How places are looked for. */
interface Planning {
  /** Default `planPlacement`; a report or a refusal wants to hear more of it. */
  readonly planner?: Planner;
  /** Default `FUNCTION_EFFORT`. */
  readonly effort?: SearchEffort;
  /** Other functions as they would be, not as they are: those that are planned together with it. */
  readonly besides?: readonly WantedOverride[];
}

/** An operation as far as its plan depends on it. */
export type PlannedOperation = Pick<
  VnfLcmOpOccDocument,
  'operation' | 'operationParams' | 'before' | 'state'
> &
  Partial<Pick<VnfLcmOpOccDocument, 'isAutomaticInvocation'>>;

/**
 * What an operation wants, from what is wanted now and what is observed. The same code plans at the grant, after a retry,
 * after a host fell away, and for a dry run.
 */
export function planOperation(
  context: LifecycleContext,
  record: FunctionRecord,
  operation: PlannedOperation,
  how: Planning = {},
): WantedPlan {
  if (operation.operation === 'TERMINATE') return NOTHING_WANTED;
  const pkg = placedPackageOf(context.catalog, record.instance);
  const changes = changesOf(context, record, pkg, operation);
  const plan = planChange(context, record, pkg, operation, changes, how);
  // What has left its host already may start on any other, where the one that was chosen for it has no place for it any more.
  if (plan.wanted === undefined && changes.targets.size > 0 && operation.state !== 'STARTING')
    return planChange(context, record, pkg, operation, { ...changes, targets: new Map() }, how);
  if (plan.wanted !== undefined || changes.failed.length === 0) return plan;
  // No other host for what failed where it is: try again in place.
  const inPlace = {
    ...changes,
    moved: changes.moved.filter((copy) => !changes.failed.includes(copy)),
    replaced: [...changes.replaced, ...changes.failed],
  };
  return planChange(context, record, pkg, operation, inPlace, how);
}

/**
 * A single writer, or a schedule, whose times would else come on two hosts, is stopped where its host is heard, before it is started where it has found a place: what would be added for it is
 * left out until then, and its place is kept.
 */
function vacateFirst(
  context: LifecycleContext,
  { descriptor }: FunctionPackage,
  plan: WantedPlan,
  { moved, displaced }: Pick<Changes, 'moved' | 'displaced'>,
): WantedPlan {
  if (plan.wanted === undefined) return plan;
  if (!isSingleWriter(descriptor) && descriptor.run.mode !== 'schedule')
    return { ...plan, displaced: displaced.leaving };
  const { state, liveness } = context;
  const vacated = moved.filter(
    (copy) =>
      !displaced.gone.includes(copy) && !judgeHost(state, liveness, descriptor, copy.hostId).isAbandoned,
  );
  const wanted = wantedVnfcs(plan.wanted);
  const waiting = vacated.map((copy) => ({
    copy,
    place: wanted.find(({ unit, slot }) => copy.unit === unit && copy.slot === slot),
  }));
  const places = new Set(waiting.map(({ place }) => place));
  return {
    ...plan,
    wanted: toWantedUnits(wanted.filter((copy) => !places.has(copy))),
    displaced: [
      ...displaced.leaving,
      ...waiting.map(({ copy, place }) => ({
        ...copy,
        ...(place === undefined ? {} : { heldOn: place.hostId }),
      })),
    ],
  };
}

const NOTHING_WANTED: WantedPlan = {
  problem: { requests: [], rules: [] },
  result: { fits: true, additions: [], removals: [], evictions: [], skipped: [] },
  wanted: [],
};

interface Changes {
  readonly displaced: ReturnType<typeof sortDisplaced>;
  readonly moved: readonly WantedVnfc[];
  readonly replaced: readonly WantedVnfc[];
  /** Those that their host has given up. */
  readonly givenUp: readonly WantedVnfc[];
  /** Those of `moved` whose host is well, and has given the copy up. */
  readonly failed: readonly WantedVnfc[];
  /** Hosts that were chosen for those of `moved` that they were chosen for, by `copyName`. */
  readonly targets: ReadonlyMap<string, HostId>;
}

function planChange(
  context: LifecycleContext,
  record: FunctionRecord,
  pkg: FunctionPackage,
  operation: Pick<VnfLcmOpOccDocument, 'operation' | 'operationParams' | 'before'>,
  { moved, replaced, givenUp, displaced: sorted, targets }: Changes,
  { planner = planPlacement, effort = FUNCTION_EFFORT, besides = [] }: Planning,
): WantedPlan {
  const { vnfInstanceId, tenant, instance } = record;
  const isHealing = operation.operation === 'HEAL';
  const rules = rulesOfService(context.state, instance.nsInstanceId);
  const wished = countsFor(pkg, instance, operation);
  const displaced = { ...sorted, leaving: stillNeeded(wished, instance, sorted) };
  // Where a copy has left its place already, that says nothing against the place.
  const avoidHosts = hostsToAvoid(instance, moved, displaced);
  if (instance.coverage !== undefined && instance.replaced !== undefined) {
    const changes = { moved, replaced, avoidHosts, isHealing, planner };
    const plan = planMixedCoverage(context, record, instance.replaced, changes);
    return vacateFirst(context, pkg, plan, { moved, displaced });
  }
  const counts = countsWithout(wished, displaced.leaving);
  const copies = wantedVnfcs(claimOf(instance));
  const surplus = new Set(
    instance.coverage === undefined ? surplusOf(copies, counts, { moved, givenUp }) : [],
  );
  const companions = moved.length === 0 ? [] : companionsOf(context, vnfInstanceId, rules);
  const plan = planWanted({
    vnfInstanceId,
    tenant,
    instance,
    function: pkg,
    counts,
    avoidHosts,
    dependents: context.index.dependentsOf(vnfInstanceId),
    isHealing,
    current:
      surplus.size === 0
        ? claimOf(instance)
        : toWantedUnits(copies.filter((copy) => !surplus.has(copyName(copy)))),
    moved,
    targets,
    replaced,
    generation: generationOf(instance),
    rules,
    planner,
    companions: companions.map(({ request }) => request),
    companionSeats: companions.flatMap(({ seats }) => seats),
    effort: searchEffort(context, effort),
    look: (kept, plan) =>
      context.inventory.look(
        plan,
        [
          overrideOf(vnfInstanceId, instance, kept),
          ...companions.map((companion) => companion.kept),
          ...besides,
        ],
        (hostId) => judgeHost(context.state, context.liveness, pkg.descriptor, hostId).isLost,
      ),
  });
  return vacateFirst(context, pkg, plan, { moved, displaced });
}

/** With coverage nothing starts on a host either before what leaves it is gone. */
function hostsToAvoid(
  { coverage }: VnfInstanceDocument,
  moved: readonly WantedVnfc[],
  { gone, leaving }: Changes['displaced'],
): readonly HostId[] {
  const left = moved.filter((copy) => !gone.includes(copy));
  return [...new Set([...left, ...(coverage === undefined ? [] : leaving)].map(({ hostId }) => hostId))];
}

function countsFor(
  { descriptor }: FunctionPackage,
  instance: VnfInstanceDocument,
  {
    operation,
    operationParams,
    before,
  }: Pick<VnfLcmOpOccDocument, 'operation' | 'operationParams' | 'before'>,
): UnitCounts {
  switch (operation) {
    case 'INSTANTIATE':
      return countsOfLevel(descriptor, instance.flavour, instance.level).counts;
    case 'SCALE':
      return countsAfterScaling(
        descriptor,
        countsOfWanted(before ?? intendedOf(instance)),
        operationParams as unknown as ScaleRequest,
      );
    case 'HEAL':
    case 'CHANGE_VNFPKG':
    case 'MODIFY_INFO':
      return countsOfWanted(before ?? intendedOf(instance));
    case 'TERMINATE':
      return {};
  }
}

/**
 * What is still leaving its host is placed once it is gone, as far as so many are wanted: of fewer, those that run stay. With coverage no number
 * is wanted: all of it is waited for.
 */
function stillNeeded(
  wished: UnitCounts,
  instance: VnfInstanceDocument,
  { gone, leaving }: Changes['displaced'],
): readonly WantedVnfc[] {
  if (instance.coverage !== undefined) return leaving;
  const left = { ...wished };
  for (const { unit } of [...wantedVnfcs(claimOf(instance)), ...gone]) left[unit] = (left[unit] ?? 0) - 1;
  return leaving.filter(({ unit }) => {
    left[unit] = (left[unit] ?? 0) - 1;
    return left[unit] >= 0;
  });
}

function countsWithout(counts: UnitCounts, copies: readonly WantedVnfc[]): UnitCounts {
  const fewer = { ...counts };
  for (const { unit } of copies) fewer[unit] = (fewer[unit] ?? 0) - 1;
  return fewer;
}

/**
 * Which copies are to be replaced or moved, besides those that a host's loss moves anyway: those that a heal names, and in a retry
 * those that were given up or came up without getting well.
 */
function changesOf(
  context: LifecycleContext,
  record: FunctionRecord,
  pkg: FunctionPackage,
  operation: PlannedOperation,
): Changes {
  const { instance } = record;
  const copies = wantedVnfcs(claimOf(instance));
  const observed = context.index.observedOf(record.vnfInstanceId).map(({ document }) => document);
  const hasFailed = (copy: WantedVnfc) => isFailed(findCopy(observed, copy)?.instance, copy);
  const isAbandoned = abandonedBy(context, record);
  const isHealing = operation.operation === 'HEAL' && operation.state === 'STARTING';
  const params = (operation.operationParams['additionalParams'] ?? {}) as HealParams;
  const isWell = (copy: WantedVnfc) =>
    isWellState(pkg.descriptor.run.mode, findCopy(observed, copy)?.instance);
  const isStuck = (copy: WantedVnfc) =>
    operation.state === 'FAILED_TEMP' && findCopy(observed, copy)?.instance?.state === 'UNHEALTHY';
  const targets = targetsIn(record, operation);
  const isSent = (copy: WantedVnfc): boolean =>
    targets.has(copyName(copy)) && whyFixed(pkg, instance, copy.unit) === undefined;
  // What has got well before the healing of it by itself began is left alone.
  const isOver = (copy: WantedVnfc): boolean => operation.isAutomaticInvocation === true && isWell(copy);
  const targeted = isHealing
    ? targetsOf(record, params, copies, isWell).filter((copy) => !isOver(copy))
    : copies.filter((copy) => hasFailed(copy) || isStuck(copy));
  // Without what it left behind, which for a job is the beginning anyway.
  const isPortable = ({ unit }: WantedVnfc): boolean =>
    instance.coverage === undefined &&
    pkg.descriptor.offline.relocate === 'allowed' &&
    !keepsVolume(pkg, unit);
  const failed = targeted.filter(
    (copy) => params.elsewhere === true && hasFailed(copy) && !isAbandoned(copy) && isPortable(copy),
  );
  const displaced = sortDisplaced(context, record);
  return {
    displaced,
    givenUp: copies.filter(hasFailed),
    moved: [
      ...copies.filter((copy) => isAbandoned(copy) || isSent(copy)),
      ...failed.filter((copy) => !isSent(copy)),
      ...displaced.gone,
    ],
    replaced: targeted.filter((copy) => !isAbandoned(copy) && !isSent(copy) && !failed.includes(copy)),
    failed: failed.filter((copy) => !isSent(copy)),
    targets,
  };
}

function targetsOf(
  record: FunctionRecord,
  { vnfcInstanceIds: names, targetHosts }: HealParams,
  copies: readonly WantedVnfc[],
  isWell: (copy: WantedVnfc) => boolean,
): readonly WantedVnfc[] {
  if (names !== undefined) return selectCopies(record.instance.wanted, record, names).copies;
  if (targetHosts !== undefined) return [];
  const unwell = copies.filter((copy) => !isWell(copy));
  return unwell.length > 0 ? unwell : copies;
}
