import type { HostId } from '../../kernel/index.ts';
import {
  copyName,
  compareText,
  toWantedUnits,
  vnfcInstanceId,
  wantedVnfcs,
  type DisplacedVnfc,
  type WantedUnit,
  type WantedVnfc,
} from '../domain/index.ts';
import {
  planPlacement,
  type HostIndex,
  type Placement,
  type PlacementProblem,
  type PlacementResult,
  type PlacementRule,
  type Planner,
  type PlanningOptions,
} from '../placement/index.ts';
import { toPlacementRequest, type RequestInput } from './placement-request.ts';
import { planSeated, seatsOf, type Seat } from './target-hosts.ts';

export interface WantedPlanInput extends RequestInput {
  /** What is wanted now. */
  readonly current: readonly WantedUnit[];
  /** Copies that are given up where they are and placed anew. */
  readonly moved: readonly WantedVnfc[];
  /** Where those of them go for which that is decided, by `copyName`. */
  readonly targets: ReadonlyMap<string, HostId>;
  /** Copies that are replaced where they are. */
  readonly replaced: readonly WantedVnfc[];
  /** Generation of copies that are added. */
  readonly generation: number;
  /** Copies that are moved become of that generation, too; absent: each stays what it is. */
  readonly isRenewed?: boolean;
  /** Copies of another version, whose slots are taken. */
  readonly others?: readonly WantedVnfc[];
  /** Of the service that it belongs to. */
  readonly rules: readonly PlacementRule[];
  /** Functions that have to find places as well, or nothing moves. */
  readonly companions: readonly RequestInput[];
  /** What makes the plan: `planPlacement`, or one that says more of it; default `planPlacement`. */
  readonly planner?: Planner;
  /** Where the companions' copies go for which that is decided. */
  readonly companionSeats: readonly Seat[];
  /** How much to search where no plan is found at once; absent: not at all. */
  readonly effort?: PlanningOptions;
  /** Lets placement look at the inventory as it is when this function has `kept` and nothing else, and its companions what they keep. */
  look(kept: readonly WantedUnit[], plan: (index: HostIndex) => PlacementResult): PlacementResult;
}

export interface WantedPlan {
  readonly problem: PlacementProblem;
  readonly result: PlacementResult;
  /** Undefined when nothing fits. */
  readonly wanted?: readonly WantedUnit[];
  /** Copies that have to be gone from where they are before they are placed. */
  readonly displaced?: readonly DisplacedVnfc[];
}

/**
 * What is to be wanted of one function: copies stay where they are unless they are moved or too many; what is missing is placed.
 * A copy that is replaced or moved keeps its slot and gets the next epoch. Pure, and idempotent: of its own result it makes the same.
 */
export function planWanted(input: WantedPlanInput): WantedPlan {
  const isMoved = membershipOf(input.moved);
  const isReplaced = membershipOf(input.replaced);
  const kept = wantedVnfcs(input.current)
    .filter((copy) => !isMoved(copy))
    .map((copy) => (isReplaced(copy) ? { ...copy, epoch: copy.epoch + 1 } : copy));
  const requests = [input, ...input.companions].map(toPlacementRequest);
  const problem = { requests, rules: input.rules };
  const { planner = planPlacement, effort = {} } = input;
  const seats = [...seatsOf(input.vnfInstanceId, input.moved, input.targets), ...input.companionSeats];
  const result = input.look(toWantedUnits(kept), (index) =>
    planSeated(index, problem, seats, (...args) => planner(...args, effort)),
  );
  if (!result.fits) return { problem, result };
  const isOwn = ({ functionId }: Placement) => functionId === input.vnfInstanceId;
  return {
    problem,
    result,
    wanted: applyPlacement(kept, input.moved, result.additions.filter(isOwn), result.removals.filter(isOwn), {
      generation: input.generation,
      isRenewed: input.isRenewed === true,
      others: input.others ?? [],
      isCoverage: input.instance.coverage !== undefined,
    }),
  };
}

function membershipOf(copies: readonly WantedVnfc[]): (copy: WantedVnfc) => boolean {
  const names = new Set(copies.map(copyName));
  return (copy) => names.has(copyName(copy));
}

/** Gives each added instance a slot: one that is being moved, else the lowest that is free; with coverage the first of its host. */
export function applyPlacement(
  kept: readonly WantedVnfc[],
  moved: readonly WantedVnfc[],
  additions: readonly Placement[],
  removals: readonly Placement[],
  options: {
    readonly generation: number;
    readonly isCoverage: boolean;
    readonly isRenewed?: boolean;
    readonly others?: readonly WantedVnfc[];
  },
): readonly WantedUnit[] {
  const copies = removals.reduce(removeCopies, kept).slice();
  const waiting = moved.toSorted((a, b) => a.slot - b.slot);
  const freeSlot = slotFinder([...copies, ...moved, ...(options.others ?? [])]);
  for (const { unit, hostId, instances } of additions.toSorted(byPlace)) {
    for (let count = 0; count < instances; count += 1) {
      const place = { unit, hostId, generation: options.generation };
      const index = waiting.findIndex((copy) => copy.unit === unit);
      const [reused] = index === -1 ? [] : waiting.splice(index, 1);
      if (options.isCoverage) copies.push({ ...place, slot: 0, epoch: 1 });
      else if (reused !== undefined) copies.push(reusedAt(place, reused, options.isRenewed === true));
      else copies.push({ ...place, slot: freeSlot(unit), epoch: 1 });
    }
  }
  return toWantedUnits(copies);
}

function reusedAt(
  place: Pick<WantedVnfc, 'unit' | 'hostId' | 'generation'>,
  { slot, epoch, generation }: WantedVnfc,
  isRenewed: boolean,
): WantedVnfc {
  return { ...place, slot, epoch: epoch + 1, generation: isRenewed ? place.generation : generation };
}

function byPlace(a: Placement, b: Placement): number {
  return compareText(a.unit, b.unit) || compareText(a.hostId, b.hostId);
}

function removeCopies(copies: readonly WantedVnfc[], removal: Placement): readonly WantedVnfc[] {
  const gone = new Set(copiesToRemove(copies, removal));
  return copies.filter((copy) => !gone.has(copy));
}

/** The highest slots go first. */
export function copiesToRemove(
  copies: readonly WantedVnfc[],
  { unit, hostId, instances }: Placement,
): readonly WantedVnfc[] {
  return copies
    .filter((copy) => copy.unit === unit && copy.hostId === hostId)
    .toSorted((a, b) => b.slot - a.slot)
    .slice(0, instances);
}

/** Gives the lowest slot of a unit that none of the copies has, and each once. */
function slotFinder(copies: readonly WantedVnfc[]): (unit: string) => number {
  const taken = Map.groupBy(copies, ({ unit }) => unit);
  const units = new Map<string, { readonly slots: ReadonlySet<number>; next: number }>();
  return (unit) => {
    const known = units.get(unit) ?? { slots: new Set(taken.get(unit)?.map(({ slot }) => slot)), next: 0 };
    units.set(unit, known);
    while (known.slots.has(known.next)) known.next += 1;
    known.next += 1;
    return known.next - 1;
  };
}

/** The copies that ids name: VNFC instance ids, or names like `processor-0`. */
export function selectCopies(
  wanted: readonly WantedUnit[],
  key: Pick<RequestInput, 'tenant' | 'vnfInstanceId'>,
  names: readonly string[],
): { readonly copies: readonly WantedVnfc[]; readonly unknown: readonly string[] } {
  const byName = new Map<string, WantedVnfc[]>();
  for (const copy of wantedVnfcs(wanted)) {
    const id = vnfcInstanceId(copy.hostId, { ...key, ...copy }, copy.slot);
    for (const name of [id, `${copy.unit}-${copy.slot}`])
      byName.set(name, [...(byName.get(name) ?? []), copy]);
  }
  return {
    copies: [...new Set(names.flatMap((name) => byName.get(name) ?? []))],
    unknown: names.filter((name) => !byName.has(name)),
  };
}

/** Hosts on which something is wanted. */
export function hostsOfWanted(wanted: readonly WantedUnit[]): readonly HostId[] {
  return [...new Set(wantedVnfcs(wanted).map(({ hostId }) => hostId))];
}
