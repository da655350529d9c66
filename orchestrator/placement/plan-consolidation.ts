import type { HostId } from '../../kernel/index.ts';
import { instancesByRow, readyRows } from './host-load.ts';
import { moveAnyhow, strangersOn, type Remainder } from './plan-vacating.ts';
import { byImportance, departuresFrom, instancesAt } from './departures.ts';
import type { Departure } from './instance-moves.ts';
import type { Relocation } from './relocation.ts';
import type { BudgetLimit, SparedInstances, StuckInstances } from './relocation-types.ts';

/** Why a host is not emptied is looked for on so many, those that matter most. */
const MOST_EXPLAINED = 20;

/**
 * Empties hosts one after the other, the dearest and among equals those with least on them first, each as a whole or not at all. Only hosts that hold
 * something, and are not emptied themselves, take what leaves; so no more hosts are in use after any step of it than before.
 */
export function consolidate(relocation: Relocation): Remainder {
  let remainder = passOver(relocation);
  // What was in the way of one may have made room for another.
  while (remainder.freed > 0 && !relocation.disruption.isSpent) remainder = passOver(relocation);
  return remainder;
}

function passOver(relocation: Relocation): Remainder & { readonly freed: number } {
  const { index, places } = relocation;
  const stuck: StuckInstances[] = [];
  const spared: SparedInstances[] = [];
  let freed = 0;
  relocation.isExplaining = true;
  for (const row of readyRows(index)) if (index.occupancy.functionsOn(row).length === 0) places.close(row);
  for (const row of byCost(relocation)) {
    if (relocation.disruption.isSpent) break;
    places.close(row);
    const obstacle = empty(relocation, row);
    if (obstacle === undefined) freed += 1;
    else {
      places.open(row);
      if ('limit' in obstacle) spared.push(obstacle);
      else if (stuck.length < MOST_EXPLAINED) stuck.push(obstacle);
      relocation.isExplaining = stuck.length < MOST_EXPLAINED;
    }
  }
  return { stuck, spared, freed };
}

function byCost({ index }: Relocation): readonly number[] {
  const instances = instancesByRow(index);
  return readyRows(index)
    .filter((row) => instances.has(row))
    .toSorted(
      (a, b) =>
        index.costPerHour(b) - index.costPerHour(a) ||
        (instances.get(a) ?? 0) - (instances.get(b) ?? 0) ||
        index.compareRows(a, b),
    );
}

/** All or nothing. @returns what stands against it */
function empty(relocation: Relocation, row: number): StuckInstances | SparedInstances | undefined {
  const { index } = relocation;
  const [stranger] = strangersOn(relocation, row);
  if (stranger !== undefined) return stranger;
  const departures = departuresFrom(relocation, row).toSorted(byImportance(index));
  const pinned = departures.find((each) => relocation.pinOf(each) !== undefined);
  if (pinned !== undefined) return obstacle(relocation, pinned, relocation.pinOf(pinned) ?? '');
  const [first] = departures;
  const limit = relocation.disruption.refusal(departures);
  if (first !== undefined && limit !== undefined) return beyond(relocation, first, departures.length, limit);
  const before = relocation.moves.length;
  for (const departure of departures) {
    if (instancesAt(relocation, departure) === 0) continue; // gone with what it belongs to
    const outcome = moveAnyhow(relocation, departure, () => openHosts(relocation));
    if (outcome.type === 'moved') continue;
    relocation.undo(before);
    if (outcome.type === 'spared')
      return beyond(relocation, departure, instancesAt(relocation, departure), outcome.limit);
    return obstacle(
      relocation,
      departure,
      outcome.type === 'stuck' ? outcome.reason : 'it fits nowhere else',
    );
  }
  return undefined;
}

function openHosts({ index, places }: Relocation): readonly HostId[] {
  return readyRows(index)
    .filter((row) => !places.isClosed(row))
    .map((row) => index.idOf(row));
}

function obstacle(relocation: Relocation, departure: Departure, reason: string): StuckInstances {
  const { placed, demand, row } = departure;
  const { functionId, name } = placed.request;
  const hostId = relocation.index.idOf(row);
  return {
    functionId,
    name,
    unit: demand.unit,
    hostId,
    instances: instancesAt(relocation, departure),
    reason,
    isPassing: placed.isPinnedForNow === true,
  };
}

function beyond(
  relocation: Relocation,
  departure: Departure,
  instances: number,
  limit: BudgetLimit,
): SparedInstances {
  const { reason: _reason, isPassing: _isPassing, ...what } = obstacle(relocation, departure, '');
  return { ...what, instances, limit };
}
