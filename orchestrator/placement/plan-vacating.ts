import type { HostId } from '../../kernel/index.ts';
import type { HostIndex } from './host-index.ts';
import { companionsIn, moveTogether } from './relocate-together.ts';
import { byImportance, instancesAt } from './departures.ts';
import type { Departure } from './instance-moves.ts';
import type { Outcome, Relocation } from './relocation.ts';
import type { SparedInstances, StuckInstances } from './relocation-types.ts';

/** What stays, although the goal names it. */
export interface Remainder {
  readonly stuck: readonly StuckInstances[];
  readonly spared: readonly SparedInstances[];
}

/** The hosts that may take what leaves; undefined: any. */
export type AllowedHosts = () => readonly HostId[] | undefined;

/**
 * Moves what it can of the departures, the important and the large first; what belongs together goes together where it cannot go by itself. What could not go is tried again
 * as long as others move: it may have waited for them.
 */
export function vacate(
  relocation: Relocation,
  departures: readonly Departure[],
  allowed: AllowedHosts,
): Remainder {
  const { index } = relocation;
  let waiting = groupAlike(index, departures);
  for (;;) {
    const before = relocation.moves.length;
    const remainder = openRemainder(index);
    waiting = waiting.filter((same) => !vacateAll(relocation, same, allowed, remainder));
    if (waiting.length === 0 || relocation.moves.length === before) return remainder;
  }
}

/** @returns whether none of them, which are alike, is left */
function vacateAll(
  relocation: Relocation,
  same: readonly Departure[],
  allowed: AllowedHosts,
  remainder: OpenRemainder,
): boolean {
  const [departure] = same;
  if (departure === undefined) return true;
  for (let left = same.length; left > 0; left -= 1) {
    if (instancesAt(relocation, departure) === 0) return true; // gone with what it belongs to
    const outcome = moveAnyhow(relocation, departure, allowed);
    if (outcome.type === 'moved') continue;
    remainder.add(departure, Math.min(left, instancesAt(relocation, departure)), outcome);
    return false;
  }
  return true;
}

/** By itself, or else with all that it belongs to. */
export function moveAnyhow(relocation: Relocation, departure: Departure, allowed: AllowedHosts): Outcome {
  const alone = relocation.moveOne(departure);
  if (alone.type === 'moved' || alone.type === 'spared' || relocation.pinOf(departure) !== undefined)
    return alone;
  const group = companionsIn(relocation, departure.placed);
  if (group === undefined) return alone;
  return moveTogether(relocation, group, allowed());
}

/** On hosts of which nothing is known but that something takes room there. */
export function strangersOn(relocation: Relocation, row: number): readonly StuckInstances[] {
  const { index } = relocation;
  return index.occupancy
    .functionsOn(row)
    .filter((id) => relocation.functionOf(id) === undefined)
    .map((functionId) => ({
      functionId,
      name: functionId,
      unit: [...(index.occupancy.functions.get(functionId)?.units.keys() ?? [])].join(', '),
      hostId: index.idOf(row),
      instances: index.occupancy.rowsOf(functionId).get(row) ?? 0,
      reason: 'nothing is known of it but the room that it takes',
      isPassing: false,
    }));
}

function groupAlike(index: HostIndex, departures: readonly Departure[]): readonly (readonly Departure[])[] {
  const sorted = departures.toSorted(byImportance(index));
  return [
    ...Map.groupBy(
      sorted,
      ({ placed, demand, row }) => `${placed.request.functionId} ${demand.unit} ${row}`,
    ).values(),
  ];
}

interface OpenRemainder extends Remainder {
  add(departure: Departure, instances: number, outcome: Outcome): void;
}

function openRemainder(index: HostIndex): OpenRemainder {
  const stuck: StuckInstances[] = [];
  const spared: SparedInstances[] = [];
  return {
    stuck,
    spared,
    add: ({ placed, demand, row }, instances, outcome) => {
      const { functionId, name } = placed.request;
      const what = { functionId, name, unit: demand.unit, hostId: index.idOf(row), instances };
      if (outcome.type === 'spared') spared.push({ ...what, limit: outcome.limit });
      else if (outcome.type === 'stuck')
        stuck.push({ ...what, reason: outcome.reason, isPassing: outcome.isPassing === true });
      else stuck.push({ ...what, reason: 'it fits nowhere but where it is', isPassing: false });
    },
  };
}
