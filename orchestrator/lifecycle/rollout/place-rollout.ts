import type { HostId, VnfInstanceId } from '../../../kernel/index.ts';
import {
  copyName,
  generationOf,
  instanceAt,
  toWantedUnits,
  wantedVnfcs,
  type RolloutRecord,
  type WantedVnfc,
} from '../../domain/index.ts';
import type { Planner } from '../../placement/index.ts';
import type { FunctionRecord } from '../abandoned.ts';
import type { LifecycleContext } from '../context.ts';
import { packageOf } from '../function-catalog.ts';
import type { UnitCounts } from '../levels.ts';
import { judgeHost } from '../liveness.ts';
import { planWanted, type WantedPlan } from '../plan-wanted.ts';
import { FUNCTION_EFFORT, searchEffort } from '../search-effort.ts';
import { rulesOfService } from '../service-rules.ts';
import { overrideOf } from '../snapshot-inventory.ts';
import { keepsVolume } from '../why-fixed.ts';

/** What is to be placed of the new version, and what of both versions stays meanwhile. */
export interface RolloutPlaces {
  /** Copies of the old version that stay for now. */
  readonly old: readonly WantedVnfc[];
  /** Copies of the new version that stay. */
  readonly fresh: readonly WantedVnfc[];
  /** Copies that are gone, and in whose place a new one starts. */
  readonly gone: readonly WantedVnfc[];
  /** Copies that end and may still be where they are. With coverage nothing new comes to their hosts until they are gone. */
  readonly ending?: readonly WantedVnfc[];
  readonly counts: UnitCounts;
  /** The old copies are of the same version: those that take their places go elsewhere, to the hosts that were chosen for them. */
  readonly moves?: RolloutRecord['moves'];
  /** With coverage: the only hosts with copies of the old version that may get the new one. */
  readonly hosts?: readonly HostId[];
  /** With coverage: those of them that are not heard from. Placement asks nothing of them; they keep their place. */
  readonly silentHosts?: readonly HostId[];
}

/**
 * Places the new version. What stays of the old one is to placement a function of its own, which takes its room and its ports and counts for no rule
 * of the new version: that looks as it will when the old one is gone.
 */
export function placeRollout(
  context: LifecycleContext,
  record: FunctionRecord,
  places: RolloutPlaces,
  planner?: Planner,
): WantedPlan {
  const { moves } = places;
  if (moves !== undefined) return placeMoves(context, record, places, moves, planner);
  const inPlace = new Map(places.gone.map((copy) => [copyName(copy), copy.hostId]));
  const plan = placeWith(context, record, places, inPlace, planner);
  const pkg = packageOf(context.catalog, record.instance.vnfPkgId);
  const isPortable =
    record.instance.coverage === undefined &&
    pkg.descriptor.offline.relocate === 'allowed' &&
    places.gone.length > 0 &&
    places.gone.every(({ unit }) => !keepsVolume(pkg, unit));
  return plan.wanted !== undefined || !isPortable
    ? plan
    : placeWith(context, record, places, new Map(), planner);
}

/** Each copy that leaves gets a successor in its slot on another host: on the one that was chosen for it, where that still has a place for it. */
function placeMoves(
  context: LifecycleContext,
  record: FunctionRecord,
  places: RolloutPlaces,
  { targets }: NonNullable<RolloutRecord['moves']>,
  planner: Planner | undefined,
): WantedPlan {
  const isFollowed = (copy: WantedVnfc): boolean =>
    places.fresh.some(({ unit, slot }) => unit === copy.unit && slot === copy.slot);
  const gone = places.old.filter((copy) => !isFollowed(copy));
  const chosen = new Map(Object.entries(targets));
  const plan = placeWith(context, record, { ...places, gone }, chosen, planner);
  return plan.wanted !== undefined || chosen.size === 0
    ? plan
    : placeWith(context, record, { ...places, gone }, new Map(), planner);
}

function placeWith(
  context: LifecycleContext,
  record: FunctionRecord,
  places: RolloutPlaces,
  targets: ReadonlyMap<string, HostId>,
  planner: Planner | undefined,
): WantedPlan {
  const { old, fresh, gone, counts, moves, hosts = [], silentHosts = [] } = places;
  const { vnfInstanceId, tenant, instance } = record;
  const pkg = packageOf(context.catalog, instance.vnfPkgId);
  const isCoverage = instance.coverage !== undefined;
  const plan = planWanted({
    vnfInstanceId,
    tenant,
    instance,
    function: pkg,
    counts,
    avoidHosts: moves === undefined && !isCoverage ? [] : hostsToAvoid(context, places, isCoverage),
    toleratesCordon: isCoverage,
    dependents: context.index.dependentsOf(vnfInstanceId),
    isHealing: moves !== undefined,
    current: toWantedUnits(fresh),
    moved: gone,
    targets: isCoverage ? new Map() : targets,
    replaced: [],
    generation: generationOf(instance),
    isRenewed: true,
    others: old,
    rules: rulesOfService(context.state, instance.nsInstanceId),
    ...(planner === undefined ? {} : { planner }),
    companions: [],
    companionSeats: [],
    effort: searchEffort(context, FUNCTION_EFFORT),
    look: (kept, use) => {
      const { replaced } = instance;
      const before = replaced === undefined ? instance : instanceAt(instance, replaced.generation);
      return context.inventory.look(
        use,
        [
          overrideOf(vnfInstanceId, { vnfPkgId: instance.vnfPkgId }, kept),
          overrideOf(
            `${vnfInstanceId}-replaced` as VnfInstanceId,
            { vnfPkgId: before.vnfPkgId },
            toWantedUnits(old),
          ),
        ],
        (hostId) => judgeHost(context.state, context.liveness, pkg.descriptor, hostId).isLost,
      );
    },
  });
  if (plan.wanted === undefined) return plan;
  const silent = new Set(silentHosts);
  const freshHosts = new Set(fresh.map(({ hostId }) => hostId));
  const awaited = hosts.filter((id) => silent.has(id) && !freshHosts.has(id));
  const ready = awaited.flatMap((hostId) =>
    pkg.descriptor.units.map(({ name }) => ({
      unit: name,
      generation: generationOf(instance),
      hostId,
      slot: 0,
      epoch: 1,
    })),
  );
  return { ...plan, wanted: toWantedUnits([...old, ...wantedVnfcs(plan.wanted), ...ready]) };
}

/** Where the old version is, the new one comes when it is the host's turn, and never beside a copy that has to end first. */
function hostsToAvoid(
  { state }: LifecycleContext,
  { old, fresh, gone, hosts = [], ending = [] }: RolloutPlaces,
  isCoverage: boolean,
): readonly HostId[] {
  const open = new Set(hosts);
  const closed = old.map(({ hostId }) => hostId).filter((id) => !open.has(id));
  if (!isCoverage) return closed;
  const covered = new Set([...hosts, ...[...old, ...fresh, ...gone].map(({ hostId }) => hostId)]);
  const cordoned = [...state.list('host')]
    .filter(({ id, document }) => document.cordoned === true && !covered.has(id as HostId))
    .map(({ id }) => id as HostId);
  return [...closed, ...ending.map(({ hostId }) => hostId), ...cordoned];
}
