import type { Draft } from './draft.ts';
import { inOrder, type Item, type Seat } from './seats.ts';
import { bestRows } from './best-rows.ts';
import type { SearchBudget } from './search-budget.ts';

/** Chance that the best place is passed over for the next best: what lets a search leave a plan that no single move betters. */
const BLINK = 0.15;
const MOST_BLINKS = 3;
/** Chance that the first instance of an item goes to any place at all: others that follow it come along. */
const LEAP = 0.2;
/** Seats of so many items, about, are given up together where the items are related. */
const MOST_RELATED = 5;
/** Chance, where items are given up, that all that have to do with each other are: a chain of them may only turn as a whole. */
const RESTART = 0.1;
/** Chance that seats change places, instead of being given up. */
const EXCHANGE = 0.35;
/** How much worse than the best a plan may be to go on from: of the usual difference between two, when the search begins. */
const TOLERANCE = 0.5;
/** Ratings that differ by less are equal. */
export const LEAST_GAIN = 1e-6;

interface State {
  readonly seats: readonly Seat[];
  readonly missing: number;
  readonly rating: number;
}

/**
 * Large-neighbourhood search: takes a few seats away (of hosts, of functions that have to do with each other, or any), finds new ones for them one after
 * the other, and goes on from there where that is better, or not much worse: the less of the budget is left, the less worse. Leaves the best plan in
 * the draft: fewest instances without a seat, then the best rating.
 * @param random decides; the same numbers, the same plan
 * @param goal `whole`: ends as soon as every instance has a seat; `best`: goes on until the budget is spent
 */
export function searchNeighbours(
  draft: Draft,
  random: () => number,
  budget: SearchBudget,
  goal: 'whole' | 'best',
): void {
  let current = stateOf(draft);
  let best = current;
  let steps = 0;
  let differences = 0;
  const isDone = (): boolean => goal === 'whole' && best.missing === 0;
  while (!isDone() && budget.step()) {
    draft.load(current.seats);
    if (random() < EXCHANGE) exchange(draft, random);
    else draft.load(ruin(draft, random));
    recreate(draft, random, current.missing > 0);
    const next = stateOf(draft);
    steps += 1;
    differences += Math.abs(next.rating - current.rating);
    const isNear = next.rating > best.rating - TOLERANCE * budget.left * (differences / steps);
    const isAccepted = next.missing === best.missing ? isNear : !isBetter(current, next);
    if (!isAccepted) continue;
    // What is not whole yet may still be mended; what is whole has to be right.
    if (next.missing === 0 && draft.misplaced() !== undefined) continue;
    current = next;
    if (isBetter(next, best)) best = next;
  }
  draft.load(best.seats);
}

function stateOf(draft: Draft): State {
  const missing = draft.items.reduce((sum, item) => sum + draft.missing(item), 0);
  return { seats: inOrder(draft.seats), missing, rating: draft.rate() };
}

function isBetter(a: State, b: State): boolean {
  return a.missing < b.missing || (a.missing === b.missing && a.rating > b.rating + LEAST_GAIN);
}

/** A seat goes where one or two others are, and these where it was: hosts that are full let nothing else in. */
function exchange(draft: Draft, random: () => number): void {
  const { seats } = draft;
  const one = anyOf(seats, random);
  const other = anyOf(
    seats.filter(({ row, item }) => row !== one?.row && item !== one?.item),
    random,
  );
  if (one === undefined || other === undefined) return;
  const third =
    random() < 0.5
      ? undefined
      : anyOf(
          seats.filter(({ row }) => row === other.row),
          random,
        );
  const given = new Set([one, other, third]);
  draft.load(seats.filter((seat) => !given.has(seat)));
  for (const seat of given) {
    if (seat === undefined) continue;
    const row = seat === one ? other.row : one.row;
    const compiled = draft.compile(seat.item);
    if (compiled.eligible.has(row) && compiled.fits(row)) draft.take(seat.item, row);
  }
}

/** The seats that stay: all but those of a few hosts, of a few functions, or of a share of all. */
function ruin(draft: Draft, random: () => number): readonly Seat[] {
  const { seats, items } = draft;
  const some = <T>(list: readonly T[]): ReadonlySet<T> => {
    const picked = Array.from({ length: 1 + Math.floor(random() * 3) }, () => anyOf(list, random));
    return new Set(picked.filter((each) => each !== undefined));
  };
  const lacking = items.filter((item) => draft.missing(item) > 0);
  const choice = random();
  if (choice < 0.4) {
    const rows = new Set([...some(seats)].map(({ row }) => row));
    const wanted = anyOf(lacking, random);
    const place = wanted === undefined ? undefined : anyOf(rowsFor(draft, wanted), random);
    if (place !== undefined) rows.add(place);
    return seats.filter(({ row }) => !rows.has(row));
  }
  if (choice < 0.8) {
    const given = relatives(draft, random);
    return seats.filter(({ item }) => !given.has(item));
  }
  const share = Math.min(0.6, 2 / Math.max(1, seats.length) + random() * 0.2);
  return seats.filter(() => random() >= share);
}

/** An item, and some of those that it has to do with, and those of them. */
function relatives(draft: Draft, random: () => number): ReadonlySet<Item> {
  const first = anyOf(draft.items, random);
  const given = new Set(first === undefined ? [] : [first]);
  const most = random() < RESTART ? Infinity : 1 + Math.floor(random() * MOST_RELATED);
  for (const item of given)
    for (const other of draft.relatives.of(item))
      if (given.size < most || draft.relatives.areTied(item, other)) given.add(other);
  const stranger = anyOf(draft.items, random);
  if (stranger !== undefined && given.size < most) given.add(stranger);
  return given;
}

/** Where an item might be if there were room. */
function rowsFor(draft: Draft, item: Item): readonly number[] {
  const rows: number[] = [];
  draft.compile(item).eligible.forEach((row) => rows.push(row));
  return rows.toSorted((a, b) => draft.index.compareRows(a, b));
}

/** Gives what has no seat one, as far as there are any. @param isTight whether some had none before */
function recreate(draft: Draft, random: () => number, isTight: boolean): void {
  const lacking = draft.items.filter((item) => draft.missing(item) > 0);
  const isPacking = isTight && random() < 0.5;
  for (const item of ordered(lacking, random)) {
    const compiled = draft.compile(item, { isPacking });
    let isLeap = random() < LEAP;
    for (let left = draft.missing(item); left > 0; left -= 1) {
      let skipped = 0;
      while (skipped < MOST_BLINKS && random() < BLINK) skipped += 1;
      const row = isLeap
        ? anyOf(bestRows(draft.index, compiled), random)
        : bestRows(draft.index, compiled, skipped + 1).at(-1);
      isLeap = false;
      if (row === undefined) break;
      draft.take(item, row);
      compiled.limits.take(row);
    }
  }
}

/** As they are, large ones first, or in any order. */
function ordered(items: readonly Item[], random: () => number): readonly Item[] {
  const choice = random();
  if (choice < 0.3) return items;
  if (choice < 0.6)
    return items.toSorted((a, b) => b.demand.resources.memoryBytes - a.demand.resources.memoryBytes);
  return items
    .map((item) => ({ item, key: random() }))
    .toSorted((a, b) => a.key - b.key)
    .map(({ item }) => item);
}

function anyOf<T>(list: readonly T[], random: () => number): T | undefined {
  return list[Math.floor(random() * list.length)];
}
