import type { HostId, VnfInstanceId } from '../../kernel/index.ts';
import {
  generationOf,
  isReplacedAt,
  toWantedUnits,
  wantedVnfcs,
  withVersion,
  type FunctionVersion,
  type VnfInstanceDocument,
  type WantedUnit,
  type WantedVnfc,
} from '../domain/index.ts';
import type { Placement, PlacementResult, Planner } from '../placement/index.ts';
import type { FunctionRecord } from './abandoned.ts';
import type { LifecycleContext } from './context.ts';
import { packageOf } from './function-catalog.ts';
import { judgeHost } from './liveness.ts';
import type { RequestInput } from './placement-request.ts';
import { hostsOfWanted, planWanted, type WantedPlan } from './plan-wanted.ts';
import { rulesOfService } from './service-rules.ts';
import { overrideOf } from './snapshot-inventory.ts';

/** What an operation does with copies, whichever version they are of. */
export interface CopyChanges {
  readonly moved: readonly WantedVnfc[];
  readonly replaced: readonly WantedVnfc[];
  /** Nothing starts there in either version: something of the function may still be running. */
  readonly avoidHosts: readonly HostId[];
  readonly isHealing: boolean;
  readonly planner: Planner;
}

/** The copies of one version, which to placement are a function of their own. */
interface Side {
  readonly vnfInstanceId: VnfInstanceId;
  readonly instance: VnfInstanceDocument;
  readonly wanted: readonly WantedUnit[];
}

/**
 * What is wanted of a function with coverage that a change which was given up has left in two versions: a host keeps the version that it has for as long
 * as it is covered, and every other host gets the one that the function is to be of.
 */
export function planMixedCoverage(
  context: LifecycleContext,
  record: FunctionRecord,
  before: FunctionVersion,
  changes: CopyChanges,
): WantedPlan {
  const { vnfInstanceId, instance } = record;
  const ofSide = (isOld: boolean): readonly WantedUnit[] =>
    instance.wanted.filter(({ generation }) => isReplacedAt(instance, generation) === isOld);
  const own: Side = { vnfInstanceId, instance, wanted: ofSide(false) };
  const old: Side = {
    vnfInstanceId: `${vnfInstanceId}-replaced` as VnfInstanceId,
    instance: withVersion(instance, before),
    wanted: ofSide(true),
  };
  const plan = sidePlanner(context, record, changes);
  const keeping = plan(old, own, { coverageOn: hostsOfWanted(old.wanted) });
  if (keeping.wanted === undefined) return keeping;
  const oldHosts = hostsOfWanted(keeping.wanted);
  const avoidHosts = [...oldHosts, ...changes.avoidHosts];
  const covering = plan(own, { ...old, wanted: keeping.wanted }, { avoidHosts });
  if (covering.wanted === undefined) return covering;
  return {
    problem: {
      requests: [...keeping.problem.requests, ...covering.problem.requests],
      rules: covering.problem.rules,
    },
    result: merged(vnfInstanceId, keeping.result, covering.result, new Set(oldHosts)),
    wanted: toWantedUnits([...wantedVnfcs(keeping.wanted), ...wantedVnfcs(covering.wanted)]),
  };
}

/** Plans one side while the other has what it wants. */
function sidePlanner(
  context: LifecycleContext,
  { vnfInstanceId, tenant, instance }: FunctionRecord,
  changes: CopyChanges,
) {
  const overrideFor = (side: Side, wanted: readonly WantedUnit[]) =>
    overrideOf(side.vnfInstanceId, { vnfPkgId: side.instance.vnfPkgId }, wanted);
  return (side: Side, other: Side, hosts: Pick<RequestInput, 'coverageOn' | 'avoidHosts'>): WantedPlan => {
    const pkg = packageOf(context.catalog, side.instance.vnfPkgId);
    return planWanted({
      ...changes,
      ...hosts,
      vnfInstanceId: side.vnfInstanceId,
      tenant,
      instance: side.instance,
      function: pkg,
      counts: {},
      dependents: context.index.dependentsOf(vnfInstanceId),
      current: side.wanted,
      targets: new Map(),
      generation: generationOf(side.instance),
      rules: rulesOfService(context.state, instance.nsInstanceId),
      companions: [],
      companionSeats: [],
      look: (kept, use) =>
        context.inventory.look(
          use,
          [overrideFor(side, kept), overrideFor(other, other.wanted)],
          (hostId) => judgeHost(context.state, context.liveness, pkg.descriptor, hostId).isLost,
        ),
    });
  };
}

/** Both as one plan of the function; hosts that have the other version are not left out. */
function merged(
  functionId: VnfInstanceId,
  keeping: PlacementResult,
  covering: PlacementResult,
  oldHosts: ReadonlySet<HostId>,
): PlacementResult {
  if (!keeping.fits) return keeping;
  if (!covering.fits) return covering;
  const asOwn = (places: readonly Placement[]): readonly Placement[] =>
    places.map((place) => ({ ...place, functionId }));
  const skipped = covering.skipped.flatMap((shortfall) => {
    const hosts = (shortfall.hosts ?? []).filter((hostId) => !oldHosts.has(hostId));
    return hosts.length === 0 ? [] : [{ ...shortfall, hosts, missing: hosts.length }];
  });
  return {
    ...covering,
    additions: [...asOwn(keeping.additions), ...covering.additions],
    removals: [...asOwn(keeping.removals), ...covering.removals],
    evictions: [...keeping.evictions, ...covering.evictions],
    skipped: [...keeping.skipped, ...skipped],
  };
}
