import { createRandom } from '../../kernel/index.ts';
import { bestRows } from './best-rows.ts';
import { isRelated } from './candidate-cache.ts';
import type { Draft } from './draft.ts';
import type { Item } from './seats.ts';
import { createBudget, type SearchBudget } from './search-budget.ts';
import { searchEveryPlace, type Finding } from './search-every-place.ts';
import { LEAST_GAIN, searchNeighbours } from './search-neighbours.ts';
import type { PlanningOptions } from './plan-types.ts';
import type { PlacementProblem } from './types.ts';

/** So many items, at most, are tried in every order. */
const MOST_PERMUTED = 5;

/**
 * Mends a draft that is not whole or breaks a hard rule, and betters one that is: by trying every place where that ends soon, and by
 * large-neighbourhood search. Seats of the draft alone are moved. The same draft, steps and seed give the same plan, unless `isOver` ends the search.
 * @returns whether the draft is whole and keeps every hard rule; a whole one is never rated lower than before, and the same where it is not rated higher
 */
export function searchPlan(
  draft: Draft,
  problem: PlacementProblem,
  { searchSteps = 0, improvementSteps = searchSteps, seed = 0, isOver }: PlanningOptions,
): boolean {
  const random = createRandom(seed);
  const budget = createBudget(searchSteps, isOver);
  if (!isRight(draft) && !mend(draft, problem, random, budget)) return false;
  if (improvementSteps <= 0 || draft.isFlat) return true;
  const mended = draft.seats;
  const rating = draft.rate();
  searchNeighbours(
    draft,
    random,
    budget.part(Math.min(1, improvementSteps / Math.max(1, searchSteps))),
    'best',
  );
  if (draft.rate() <= rating + LEAST_GAIN) draft.load(mended);
  return true;
}

function isRight(draft: Draft): boolean {
  return draft.items.every((item) => draft.missing(item) === 0) && draft.misplaced() === undefined;
}

/** First all places, as far as a small part of the budget goes; then from where the draft is; then all places again. */
function mend(draft: Draft, problem: PlacementProblem, random: () => number, budget: SearchBudget): boolean {
  const { seats } = draft;
  const early = tryOrders(draft, problem, budget.part(0.2));
  if (early !== 'cut') return early === 'found';
  draft.load(seats);
  const misplaced = draft.misplaced();
  if (misplaced !== undefined) draft.load(seats.filter(({ item }) => item !== misplaced));
  searchNeighbours(draft, random, budget.part(0.6), 'whole');
  if (isRight(draft)) return true;
  return tryOrders(draft, problem, budget) === 'found';
}

/**
 * Every place: what is hardest to place first, then in the order of the plan. Where a skew depends on others, it is looked at last; where somebody wants to be
 * with its own kind, whoever comes first decides for the others, and every order counts.
 */
function tryOrders(draft: Draft, problem: PlacementProblem, budget: SearchBudget): Finding {
  const isSkewLate = hasRelatedSkew(problem);
  const isJoining = problem.requests.some(({ affinities = [] }) =>
    affinities.some(({ type, weight }) => type === 'together' && weight === undefined),
  );
  for (const order of [hardestFirst(draft), draft.items]) {
    const finding = searchEveryPlace(draft, order, budget.part(0.4));
    if (finding === 'found' || (finding === 'none' && !isSkewLate && !isJoining)) return finding;
  }
  if (isJoining && draft.items.length > MOST_PERMUTED) return 'cut';
  for (const order of isJoining ? permutations(draft.items) : [draft.items]) {
    const finding = searchEveryPlace(draft, order, budget, { isSkewLate });
    if (finding !== 'none') return finding;
  }
  return 'none';
}

/** What has fewest hosts to choose from, then what is large: where it has none, all is said. */
function hardestFirst(draft: Draft): readonly Item[] {
  draft.load([]);
  const places = new Map(
    draft.items.map((item) => [item, bestRows(draft.index, draft.compile(item)).length]),
  );
  return draft.items.toSorted(
    (a, b) =>
      (places.get(a) ?? 0) - (places.get(b) ?? 0) ||
      b.demand.resources.memoryBytes - a.demand.resources.memoryBytes,
  );
}

function* permutations(items: readonly Item[]): Generator<readonly Item[]> {
  if (items.length === 0) yield [];
  for (const first of items)
    for (const rest of permutations(items.filter((item) => item !== first))) yield [first, ...rest];
}

/** Whether the domains that a hard skew compares depend on where others of the plan are. */
function hasRelatedSkew({ requests, rules }: PlacementProblem): boolean {
  return requests.some(
    (request) =>
      (request.spread ?? []).some(({ maxSkew }) => maxSkew !== undefined) && isRelated(request, rules),
  );
}
