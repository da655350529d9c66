import type { ObservedState } from '../../vim-drivers/index.ts';
import {
  toWantedUnits,
  wantedVnfcs,
  type VnfInstanceDocument,
  type VnfLcmOpOccDocument,
  type WantedVnfc,
} from '../domain/index.ts';
import { abandonedBy, type FunctionRecord } from './abandoned.ts';
import { findCopy, isFailed } from './assess-convergence.ts';
import { companionsOf } from './companions.ts';
import type { LifecycleContext } from './context.ts';
import { packageOf, type FunctionPackage } from './function-catalog.ts';
import {
  countsAfterScaling,
  countsOfLevel,
  countsOfWanted,
  type ScaleRequest,
  type UnitCounts,
} from './levels.ts';
import { isSingleWriter, judgeHost } from './liveness.ts';
import { planWanted, selectCopies, type WantedPlan } from './plan-wanted.ts';
import { FUNCTION_EFFORT, searchEffort } from './search-effort.ts';
import { rulesOfService } from './service-rules.ts';
import { claimOf } from './snapshot-inventory.ts';
import { intendedOf, sortDisplaced } from './withdrawals.ts';

/** What a HEAL operation is told beyond SOL003's own parameters, in `additionalParams`. */
export interface HealParams {
  /** VNFC instance ids, or names like `processor-0`; absent: the copies that are not well, and where all are well, all of them. */
  readonly vnfcInstanceIds?: readonly string[];
  /** Place anew what has failed where it is, where that is allowed and possible. */
  readonly elsewhere?: boolean;
}

/**
 * What an operation wants, from what is wanted now and what is observed. The same code plans at the grant, after a retry,
 * after a host fell away, and for a dry run.
 */
export function planOperation(
  context: LifecycleContext,
  record: FunctionRecord,
  operation: Pick<VnfLcmOpOccDocument, 'operation' | 'operationParams' | 'before' | 'state'>,
): WantedPlan {
  if (operation.operation === 'TERMINATE') return NOTHING_WANTED;
  const pkg = packageOf(context.catalog, record.instance.vnfPkgId);
  const changes = changesOf(context, record, pkg, operation);
  const plan = planChange(context, record, pkg, operation, changes);
  if (plan.wanted !== undefined || changes.failed.length === 0) return plan;
  // No other host for what failed where it is: try again in place.
  return planChange(context, record, pkg, operation, {
    ...changes,
    moved: changes.moved.filter((copy) => !changes.failed.includes(copy)),
    replaced: [...changes.replaced, ...changes.failed],
  });
}

/**
 * A single writer is stopped where its host is heard, before it is started where it has found a place: what would be added for it is
 * left out until then.
 */
function vacateFirst(
  context: LifecycleContext,
  { descriptor }: FunctionPackage,
  plan: WantedPlan,
  { moved, displaced }: Pick<Changes, 'moved' | 'displaced'>,
): WantedPlan {
  if (plan.wanted === undefined || !isSingleWriter(descriptor)) return plan;
  const { state, liveness } = context;
  const vacated = moved.filter(
    (copy) =>
      !displaced.gone.includes(copy) && !judgeHost(state, liveness, descriptor, copy.hostId).isAbandoned,
  );
  const isVacated = ({ unit, slot }: WantedVnfc) =>
    vacated.some((copy) => copy.unit === unit && copy.slot === slot);
  return {
    ...plan,
    wanted: toWantedUnits(wantedVnfcs(plan.wanted).filter((copy) => !isVacated(copy))),
    displaced: [...displaced.leaving, ...vacated],
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
  /** Those of `moved` whose host is well, and has given the copy up. */
  readonly failed: readonly WantedVnfc[];
}

function planChange(
  context: LifecycleContext,
  { vnfInstanceId, tenant, instance }: FunctionRecord,
  pkg: FunctionPackage,
  operation: Pick<VnfLcmOpOccDocument, 'operation' | 'operationParams' | 'before'>,
  { moved, replaced, displaced }: Changes,
): WantedPlan {
  const rules = rulesOfService(context.state, instance.nsInstanceId);
  const companions = moved.length === 0 ? [] : companionsOf(context, vnfInstanceId, rules);
  const plan = planWanted({
    vnfInstanceId,
    tenant,
    instance,
    function: pkg,
    counts: countsFor(pkg, instance, operation, displaced.leaving),
    avoidHosts: [...new Set(moved.map(({ hostId }) => hostId))],
    dependents: context.index.dependentsOf(vnfInstanceId),
    current: claimOf(instance),
    moved,
    replaced,
    generation: instance.generations + 1,
    rules,
    companions: companions.map(({ request }) => request),
    effort: searchEffort(context.clock, FUNCTION_EFFORT),
    look: (kept, plan) =>
      context.inventory.look(
        plan,
        [
          { id: vnfInstanceId, vnfPkgId: instance.vnfPkgId, wanted: kept },
          ...companions.map((companion) => companion.kept),
        ],
        (hostId) => judgeHost(context.state, context.liveness, pkg.descriptor, hostId).isLost,
      ),
  });
  return vacateFirst(context, pkg, plan, { moved, displaced });
}

function countsFor(
  { descriptor }: FunctionPackage,
  instance: VnfInstanceDocument,
  {
    operation,
    operationParams,
    before,
  }: Pick<VnfLcmOpOccDocument, 'operation' | 'operationParams' | 'before'>,
  leaving: readonly WantedVnfc[],
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
      return countsWithout(countsOfWanted(before ?? intendedOf(instance)), leaving);
    case 'TERMINATE':
      return {};
  }
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
  operation: Pick<VnfLcmOpOccDocument, 'operation' | 'operationParams' | 'before' | 'state'>,
): Changes {
  const { instance } = record;
  const copies = wantedVnfcs(claimOf(instance));
  const observed = context.index.observedOf(record.vnfInstanceId).map(({ document }) => document);
  const hasFailed = (copy: WantedVnfc) => isFailed(findCopy(observed, copy)?.instance, copy);
  const isAbandoned = abandonedBy(context, record, pkg);
  const isHealing = operation.operation === 'HEAL' && operation.state === 'STARTING';
  const params = (operation.operationParams['additionalParams'] ?? {}) as HealParams;
  const isWell = (copy: WantedVnfc) => findCopy(observed, copy)?.instance?.state === wellState(pkg);
  const isStuck = (copy: WantedVnfc) =>
    operation.state === 'FAILED_TEMP' && findCopy(observed, copy)?.instance?.state === 'UNHEALTHY';
  const targeted = isHealing
    ? targetsOf(record, params, copies, isWell)
    : copies.filter((copy) => hasFailed(copy) || isStuck(copy));
  const failed = targeted.filter(
    (copy) =>
      params.elsewhere === true && hasFailed(copy) && !isAbandoned(copy) && isPortable(pkg, instance, copy),
  );
  const displaced = sortDisplaced(context, record, pkg);
  return {
    displaced,
    moved: [...copies.filter(isAbandoned), ...failed, ...displaced.gone],
    replaced: targeted.filter((copy) => !isAbandoned(copy) && !failed.includes(copy)),
    failed,
  };
}

function wellState({ descriptor }: FunctionPackage): ObservedState {
  return descriptor.run.mode === 'job' ? 'COMPLETED' : 'RUNNING';
}

function targetsOf(
  record: FunctionRecord,
  { vnfcInstanceIds: names }: HealParams,
  copies: readonly WantedVnfc[],
  isWell: (copy: WantedVnfc) => boolean,
): readonly WantedVnfc[] {
  if (names !== undefined) return selectCopies(record.instance.wanted, record, names).copies;
  const unwell = copies.filter((copy) => !isWell(copy));
  return unwell.length > 0 ? unwell : copies;
}

/** Whether a copy that failed may start elsewhere without what it left behind. */
function isPortable(
  { descriptor }: FunctionPackage,
  instance: VnfInstanceDocument,
  { unit }: WantedVnfc,
): boolean {
  return (
    instance.coverage === undefined &&
    descriptor.offline.relocate === 'allowed' &&
    !descriptor.units.some(({ name, volumes }) => name === unit && volumes.some(({ keep }) => keep))
  );
}
