import type { HostId, VnfInstanceId } from '../../kernel/index.ts';
import { matchesFunction } from './function-matcher.ts';
import { planPlacement } from './plan-placement.ts';
import { describeShortfall } from './reasons.ts';
import type { Departure, InstanceMove } from './instance-moves.ts';
import type { Outcome, Relocation } from './relocation.ts';
import type { PlacedFunction } from './relocation-types.ts';
import { togetherClusters } from './rules.ts';
import type { Placement } from './plan-types.ts';
import type { PlacementRequest } from './types.ts';

/** The functions that must be where a function is, and the function itself; undefined: its instances may be anywhere, each by itself. */
export function companionsIn(
  { problem, index }: Relocation,
  { request }: PlacedFunction,
): readonly PlacedFunction[] | undefined {
  const { functionId, affinities = [], labels = {} } = request;
  const rules = problem.rules.filter(({ type, weight }) => type === 'together' && weight === undefined);
  const ids = [...new Set([functionId, ...rules.flatMap(({ functionIds }) => functionIds)])];
  const cluster = togetherClusters(ids, rules).find((each) => each.includes(functionId)) ?? [functionId];
  const isTied =
    rules.some(({ functionIds }) => functionIds.includes(functionId)) ||
    affinities.some(
      (each) => each.type === 'together' && each.weight === undefined && matchesFunction(each.with, labels),
    );
  if (!isTied) return undefined;
  const known = problem.functions.filter((each) => cluster.includes(each.request.functionId));
  const isUnknown = (id: VnfInstanceId): boolean =>
    known.every((each) => each.request.functionId !== id) && index.occupancy.rowsOf(id).size > 0;
  return cluster.some(isUnknown) ? [] : known;
}

/**
 * Moves all instances of functions that belong together, as one step, to where there is room for all of them. Nothing has changed where they are not moved.
 * @param allowed the hosts that they may go to; undefined: any
 */
export function moveTogether(
  relocation: Relocation,
  group: readonly PlacedFunction[],
  allowed: readonly HostId[] | undefined,
): Outcome {
  const { index, problem } = relocation;
  const departures = group.flatMap((placed) => departuresOf(relocation, placed));
  if (group.length === 0) return { type: 'stuck', reason: 'it belongs together with what is not known here' };
  for (const each of departures) {
    const pin = relocation.pinOf(each);
    if (pin !== undefined)
      return {
        type: 'stuck',
        reason: `it belongs together with ${each.placed.request.name}: ${pin}`,
        isPassing: each.placed.isPinnedForNow === true,
      };
  }
  const ids = new Set(group.map(({ request }) => request.functionId));
  const standing = relocation.standingOf(group);
  const scored = new Set([...group, ...group.flatMap((each) => relocation.watchers.of(each).soft)]);
  const before = relocation.scoreOf(scored);
  for (const each of departures) relocation.lift(each);
  const giveUp = (outcome: Outcome): Outcome => {
    for (const each of departures) relocation.put(each);
    return outcome;
  };
  const requests = group.map(({ request }) => narrowed(request, allowed));
  const result = planPlacement(index, { requests, rules: problem.rules });
  const [shortfall] = result.fits ? [] : result.shortfalls;
  if (!result.fits)
    return giveUp({
      type: 'stuck',
      reason: `no room for all that belongs together: ${shortfall === undefined ? '' : describeShortfall(shortfall)}`,
    });
  const moves = pairUp(relocation, departures, result.additions);
  const moved = moves.filter(({ row, to }) => row !== to);
  if (moved.length === 0) return giveUp({ type: 'stays' });
  const limit = relocation.disruption.refusal(moved);
  if (limit !== undefined) return giveUp({ type: 'spared', limit });
  if (!relocation.placeStep(moves, ids, standing))
    return giveUp({
      type: 'stuck',
      reason: 'a rule of others would be broken if what belongs together moved',
    });
  const gain = (relocation.scoreOf(scored) - before) / moved.length;
  relocation.regard(moved.length, gain);
  return { type: 'moved' };
}

function departuresOf({ index }: Relocation, placed: PlacedFunction): readonly Departure[] {
  const { functionId, units } = placed.request;
  return units.flatMap((demand) =>
    [...index.occupancy.rowsOfUnit(functionId, demand.unit)]
      .toSorted(([a], [b]) => index.compareRows(a, b))
      .flatMap(([row, instances]) =>
        Array.from({ length: instances }, (): Departure => ({ placed, demand, row })),
      ),
  );
}

function narrowed(request: PlacementRequest, allowed: readonly HostId[] | undefined): PlacementRequest {
  if (allowed === undefined) return request;
  const own = request.hosts === undefined ? undefined : new Set(request.hosts);
  return { ...request, hosts: own === undefined ? allowed : allowed.filter((id) => own.has(id)) };
}

/** Which instance goes where: as many as can stay where they are. */
function pairUp(
  { index }: Relocation,
  departures: readonly Departure[],
  additions: readonly Placement[],
): readonly InstanceMove[] {
  const targets = additions.flatMap(({ functionId, unit, hostId, instances }) =>
    Array.from({ length: instances }, () => ({ functionId, unit, row: index.rowOf(hostId) ?? -1 })),
  );
  const take = ({ placed, demand }: Departure, isWanted: (row: number) => boolean): number | undefined => {
    const at = targets.findIndex(
      ({ functionId, unit, row }) =>
        functionId === placed.request.functionId && unit === demand.unit && isWanted(row),
    );
    return at < 0 ? undefined : targets.splice(at, 1)[0]?.row;
  };
  const staying = departures.map((each) => take(each, (row) => row === each.row));
  return departures.flatMap((each, at) => {
    const to = staying[at] ?? take(each, () => true);
    return to === undefined ? [] : [{ ...each, to, gain: 0 }];
  });
}
