import { costOf } from './disruption.ts';
import { domainOf } from './domains.ts';
import { loadOf, meanLoad, readyRows } from './host-load.ts';
import { MISPLACED, scoreAt } from './placed-score.ts';
import { byImportance, departuresFrom } from './departures.ts';
import type { Departure } from './instance-moves.ts';
import type { Relocation } from './relocation.ts';
import type { PlacedFunction, SparedInstances } from './relocation-types.ts';
import type { UnitDemand } from './types.ts';

/** An instance moves for a better place only if that is better by so much: what placement calls equals, or nearly, is not worth a move. */
const LEAST_GAIN = 0.1;
/** A host gives load away only if it is loaded above the mean by so much, and only to one that stays below it by so much. */
const LEAST_LOAD_GAP = 0.1;
/** Of what is free on a host, and of how many of a function are there already, in a score. */
const ROUNDING = 1e-6;
const SLACK = 0.02;
const MOST_ROUNDS = 50;

/**
 * Moves instances to better places, those that gain most for their cost first; then from loaded hosts to others that are as good for them. Each move raises
 * the score of all by no less than `LEAST_GAIN`, or keeps it and makes the fuller of two hosts less full than it was: so it ends, and what it leaves gives no further move.
 * @returns as spared what the budget keeps from better places; what it keeps on loaded hosts is not looked for
 */
export function rebalance(relocation: Relocation): Rebalanced {
  relocation.isExplaining = false;
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const { moved, spared, isCutShort } = improvePlaces(relocation);
    const isOver = relocation.disruption.isSpent || (moved === 0 && !evenOut(relocation));
    if (isOver && moved === 0) return { spared, isCutShort };
  }
  return { spared: [], isCutShort: false };
}

interface Rebalanced {
  readonly spared: readonly SparedInstances[];
  /** Not everything was looked at in time. */
  readonly isCutShort: boolean;
}

interface Proposal extends Departure {
  /** For each unit of cost. */
  readonly worth: number;
}

function improvePlaces(relocation: Relocation): Rebalanced & { readonly moved: number } {
  const { index, problem, pace } = relocation;
  const first = Math.floor(problem.functions.length * pace.startAt);
  const functions = [...problem.functions.slice(first), ...problem.functions.slice(0, first)];
  // The other half is for the moves.
  const enough = pace.timeLeft() / 2;
  let hasTime = true;
  const proposals = functions
    .flatMap((placed) => {
      hasTime &&= pace.timeLeft() > enough;
      return hasTime ? proposalsOf(relocation, placed) : [];
    })
    .toSorted((a, b) => b.worth - a.worth || byImportance(index)(a, b));
  const spared: SparedInstances[] = [];
  let moved = 0;
  for (const { placed, demand, row } of proposals) {
    const outcome = relocation.moveOne({ placed, demand, row }, ({ gain }) => gain >= LEAST_GAIN);
    if (outcome.type === 'moved') moved += 1;
    if (outcome.type === 'spared')
      spared.push({
        functionId: placed.request.functionId,
        name: placed.request.name,
        unit: demand.unit,
        hostId: index.idOf(row),
        instances: 1,
        limit: outcome.limit,
      });
  }
  return { moved, spared, isCutShort: !hasTime };
}

function proposalsOf(relocation: Relocation, placed: PlacedFunction): readonly Proposal[] {
  return placed.request.units.flatMap((demand) => proposalsFor(relocation, placed, demand));
}

/** Instances of a unit that could gain by a move, one for each host; those that cannot by any are left out without a closer look. */
function proposalsFor(
  relocation: Relocation,
  placed: PlacedFunction,
  demand: UnitDemand,
): readonly Proposal[] {
  const { index, places } = relocation;
  const { functionId } = placed.request;
  const rows = [...index.occupancy.rowsOfUnit(functionId, demand.unit).keys()].filter(
    (row) => relocation.pinOf({ placed, demand, row }) === undefined && index.isReady(row),
  );
  if (rows.length === 0) return [];
  const { compiled, candidates } = places.of(placed, demand);
  const best = candidates.best();
  const most = best === undefined ? -Infinity : scoreAt(index, compiled, best);
  const { isHardByHost, isHardByDomain, mostTogether } = compiled.limits;
  // Where its own instances shut hosts for each other, one that leaves opens some.
  const isAnyLooked = isHardByHost || isHardByDomain || relocation.watchers.of(placed).soft.length > 0;
  const cost = costOf(index.occupancy.countOf(functionId, demand.unit), placed.isSingleWriter);
  // Each closer look counts anew what the others hold: scores of one moment are compared.
  const scored = rows.map((row) => ({ row, score: scoreAt(index, compiled, row) }));
  return scored.flatMap(({ row, score }) => {
    const bound = most + mostTogether + SLACK - score;
    if (!isAnyLooked && compiled.eligible.has(row) && bound < LEAST_GAIN) return [];
    const gain = gainFrom(relocation, { placed, demand, row });
    return gain < LEAST_GAIN ? [] : [{ placed, demand, row, worth: gain / cost }];
  });
}

/** What the instance itself would gain in the best place. */
function gainFrom(relocation: Relocation, departure: Departure): number {
  const { index, places } = relocation;
  const { placed, demand, row } = departure;
  relocation.lift(departure);
  const { compiled, candidates } = places.of(placed, demand);
  const to = candidates.best();
  const isSame = to === undefined || to === row;
  const gain = isSame ? 0 : scoreAt(index, compiled, to) - scoreAt(index, compiled, row);
  relocation.put(departure);
  if (isSame) return 0;
  return compiled.eligible.has(row) ? gain : gain + MISPLACED;
}

/** @returns whether anything moved */
function evenOut(relocation: Relocation): boolean {
  const { index } = relocation;
  const rows = readyRows(index);
  const limit = meanLoad(index, rows) + LEAST_LOAD_GAP;
  const loaded = rows
    .filter((row) => loadOf(index, row) > limit)
    .map((row) => ({ row, load: loadOf(index, row) }))
    .toSorted((a, b) => b.load - a.load || index.compareRows(a.row, b.row));
  /** Whatever is less loaded has no host to give these to either. */
  const futile = new Set<string>();
  let hasMoved = false;
  for (const { row } of loaded) {
    const departures = departuresFrom(relocation, row).toSorted(
      (a, b) => sizeOf(relocation, b) - sizeOf(relocation, a) || byImportance(index)(a, b),
    );
    for (const departure of departures) {
      if (relocation.disruption.isSpent) return hasMoved;
      const load = loadOf(index, row);
      if (load <= limit) break;
      if (giveAway(relocation, departure, load, futile)) hasMoved = true;
    }
  }
  return hasMoved;
}

function giveAway(relocation: Relocation, departure: Departure, load: number, futile: Set<string>): boolean {
  const { index, places } = relocation;
  const { placed, demand, row } = departure;
  if (relocation.pinOf(departure) !== undefined) return false;
  const { groupedBy } = places.of(placed, demand).compiled.limits;
  const domains = groupedBy.map((by) => domainOf(index, row, by)).join(' ');
  const kind = `${placed.request.functionId} ${demand.unit} ${domains}`;
  if (futile.has(kind)) return false;
  const outcome = relocation.moveOne(
    departure,
    // The instance is booked on its new host already.
    ({ to, gain }) => gain >= -ROUNDING && load - loadOf(index, to) > LEAST_LOAD_GAP,
  );
  if (outcome.type !== 'moved') futile.add(kind);
  return outcome.type === 'moved';
}

/** Share of its host that an instance takes. */
function sizeOf({ index }: Relocation, { demand, row }: Departure): number {
  const { cpuMillis, memoryBytes } = demand.resources;
  return Math.max(
    cpuMillis / Math.max(1, index.cpu.allocatable[row] ?? 0),
    memoryBytes / Math.max(1, index.memory.allocatable[row] ?? 0),
  );
}
