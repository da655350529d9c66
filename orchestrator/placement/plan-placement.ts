import { compareText } from '../domain/index.ts';
import { anchorsOf } from './anchors.ts';
import { candidatesFor } from './candidate-cache.ts';
import type { Candidates } from './candidates.ts';
import { rejectionsOf, type CompiledRequest } from './compile-request.ts';
import { draftOf } from './draft.ts';
import { explainPlan } from './explain-plan.ts';
import { HostIndex, type Booking } from './host-index.ts';
import { orderRequests } from './order-requests.ts';
import { planCoverage } from './plan-coverage.ts';
import { toPlacements } from './placements.ts';
import { preempt, type Disruption } from './preempt.ts';
import { summarise } from './reasons.ts';
import { removeSurplus } from './remove-surplus.ts';
import { togetherClusters } from './rules.ts';
import { searchPlan } from './search-plan.ts';
import type { PlacementResult, PlanningOptions, Shortfall } from './plan-types.ts';
import type {
  PlacementProblem,
  PlacementRequest,
  PlacementRule,
  PlacementSnapshot,
  UnitDemand,
} from './types.ts';

/** How an attempt goes about it; the first one that places everything counts. */
interface Attempt {
  readonly isPacking: boolean;
  /** It is only asked whether all fits. */
  readonly isTrial: boolean;
  readonly rules: readonly PlacementRule[];
  readonly disruption: Disruption;
  /** Whoever has ranked hosts for this plan. */
  readonly ranked: Set<Candidates>;
}

interface Outcome {
  readonly shortfalls: readonly Shortfall[];
  readonly skipped: readonly Shortfall[];
}

/**
 * Chooses hosts for what is asked for beyond what is placed already, or says by count why there are none: for all of the requests, or for none.
 * Pure and deterministic: neither the order of the hosts nor that of the requests matters; what is placed stays where it is,
 * save what is too many or no longer covered; planning again after the plan was carried out changes nothing.
 * Greedy: higher priorities first, then functions in order of who provides for whom; those that a rule ties together are placed as one. Where that
 * places not everything, hosts are filled one after the other, large units first. With `searchSteps`, a search mends what that leaves, or betters it.
 * @param inventory a snapshot, or an index of one that is kept true and is as it was afterwards
 */
export function planPlacement(
  inventory: PlacementSnapshot | HostIndex,
  problem: PlacementProblem,
  options: PlanningOptions = {},
): PlacementResult {
  const index = inventory instanceof HostIndex ? inventory : HostIndex.of(inventory);
  const begin = index.mark();
  const strangers = problem.requests
    .map(({ functionId }) => functionId)
    .filter((functionId) => !index.occupancy.functions.has(functionId));
  // Relaxations are planned with rules that are not the functions' own: who they are is put back as well.
  const known = problem.requests.flatMap(({ functionId }) => {
    const occupants = index.occupancy.functions.get(functionId);
    return occupants === undefined ? [] : [{ functionId, who: { ...occupants } }];
  });
  const ranked = new Set<Candidates>();
  const restore = (): void => takeBack(index, begin, ranked);
  try {
    const first = attempt(index, problem, options, { isPacking: false, ranked });
    let plan: Attempted = { ...first, isPacking: false };
    if (first.shortfalls.length > 0) {
      restore();
      plan = { ...attempt(index, problem, options, { isPacking: true, ranked }), isPacking: true };
    }
    const { shortfalls } = plan.shortfalls.length > 0 ? first : plan;
    const searched = searchFrom(index, index.bookings(begin), problem, {
      plan,
      shortfalls,
      options,
      restore,
    });
    if (searched.shortfalls.length > 0) return { fits: false, shortfalls: searched.shortfalls };
    explain(index, index.bookings(begin), problem, { plan: searched, options, restore });
    return { fits: true, ...toPlacements(index, index.bookings(begin)), skipped: plan.skipped };
  } finally {
    restore();
    for (const { functionId, who } of known) index.occupancy.introduce(functionId, who);
    index.occupancy.dismiss(strangers);
  }
}

interface Attempted extends Outcome {
  readonly isPacking: boolean;
}

interface Sequel {
  readonly plan: Attempted;
  readonly options: PlanningOptions;
  /** Takes back all that the plan has booked. */
  restore(): void;
}

/** Searches on from what the attempts have booked, where the options ask for it. Others that have made room are no longer asked to move. */
function searchFrom(
  index: HostIndex,
  bookings: readonly Booking[],
  problem: PlacementProblem,
  { plan, shortfalls, options, restore }: Sequel & { readonly shortfalls: readonly Shortfall[] },
): Attempted {
  const { searchSteps = 0, improvementSteps = searchSteps } = options;
  const isSettled = shortfalls.length === 0 && improvementSteps <= 0 && problem.requests.length < 2;
  if (searchSteps <= 0 || isSettled || bookings.some(({ isEviction }) => isEviction))
    return { ...plan, shortfalls };
  const kept = [...bookings];
  restore();
  const draft = draftOf(index, problem, orderRequests(problem.requests), kept);
  const before = draft.seats;
  if (searchPlan(draft, problem, options))
    return { ...plan, shortfalls: [], isPacking: plan.isPacking && draft.seats === before };
  if (shortfalls.length === 0) draft.load(before);
  const misplaced = shortfalls.length > 0 ? undefined : draft.misplaced();
  if (misplaced === undefined) return { ...plan, shortfalls };
  const broken = draft.without(misplaced, (compiled) => shortfall(index, compiled, misplaced.count));
  return { ...plan, shortfalls: [broken] };
}

/** Tells of each decision of the plan as it is in the end. */
function explain(
  index: HostIndex,
  bookings: readonly Booking[],
  problem: PlacementProblem,
  { plan: { isPacking }, options, restore }: Sequel,
): void {
  const tell = options.onDecision;
  if (tell === undefined) return;
  const kept = [...bookings];
  restore();
  explainPlan(index, problem, kept, { isPacking, tell });
}

function takeBack(index: HostIndex, mark: number, ranked: ReadonlySet<Candidates>): void {
  const roomier = index.rollback(mark);
  if (roomier.length > 0) for (const candidates of ranked) candidates.regain(roomier);
}

function attempt(
  index: HostIndex,
  { requests, rules }: PlacementProblem,
  options: PlanningOptions,
  { isPacking, ranked }: Pick<Attempt, 'isPacking' | 'ranked'>,
): Outcome {
  const ordered = orderRequests(requests, isPacking);
  const shortfalls: Shortfall[] = [];
  const skipped: Shortfall[] = [];
  const disruption: Disruption = {
    left: options.maxEvictions ?? 0,
    own: new Set(requests.map(({ functionId }) => functionId)),
    mayMakeRoom: options.mayMakeRoom,
  };
  const how: Attempt = { isPacking, rules, disruption, ranked, isTrial: options.isTrial === true };
  for (const request of ordered) index.occupancy.introduce(request.functionId, request);
  const clusters = togetherClusters(
    ordered.map(({ functionId }) => functionId),
    rules,
  );
  for (const cluster of clusters) {
    const members = ordered.filter(({ functionId }) => cluster.includes(functionId));
    for (const request of members.filter(isCoverage)) skipped.push(...planCoverage(index, request, rules));
    const counted = members.filter((request) => !isCoverage(request));
    removeSurplus(index, counted, rules);
    shortfalls.push(...placeCluster(index, counted, how));
  }
  return { shortfalls, skipped };
}

function isCoverage(request: PlacementRequest): boolean {
  return request.coverage !== undefined;
}

/** Places all of the requests or none of them. */
function placeCluster(
  index: HostIndex,
  requests: readonly PlacementRequest[],
  how: Attempt,
): readonly Shortfall[] {
  const begin = index.mark();
  const firstTry = placeAll(index, requests, how);
  if (firstTry.length === 0) return [];
  takeBack(index, begin, how.ranked);
  for (const anchor of anchorsOf(index, requests, how)) {
    const anchored = placeAll(index, requests, how, anchor);
    if (anchored.length === 0) return [];
    takeBack(index, begin, how.ranked);
  }
  return firstTry;
}

function placeAll(
  index: HostIndex,
  requests: readonly PlacementRequest[],
  how: Attempt,
  anchor?: number,
): readonly Shortfall[] {
  let first = anchor;
  return requests.flatMap((request) =>
    unitsBySize(request).flatMap((demand) => {
      const placed = placeUnit(index, request, demand, how, first);
      first = undefined;
      return placed;
    }),
  );
}

function placeUnit(
  index: HostIndex,
  request: PlacementRequest,
  demand: UnitDemand,
  { isPacking, isTrial, rules, disruption, ranked }: Attempt,
  anchor: number | undefined,
): readonly Shortfall[] {
  const { functionId } = request;
  const missing = demand.instances - index.occupancy.countOf(functionId, demand.unit);
  if (missing <= 0) return [];
  const { compiled, candidates, ...entry } = candidatesFor(index, request, demand, rules, {
    isPacking,
    expected: missing,
  });
  for (const each of entry.ranked) ranked.add(each);
  for (let left = missing; left > 0; left -= 1) {
    const isAnchored =
      left === missing && anchor !== undefined && compiled.eligible.has(anchor) && compiled.fits(anchor);
    const row = isAnchored ? anchor : (candidates.best() ?? preempt(index, compiled, disruption));
    if (row === undefined) return [shortfall(index, compiled, left, isTrial)];
    index.book(functionId, demand, row, 1);
    candidates.took(row);
  }
  return [];
}

/** Large units first: small ones fit into what is left. */
function unitsBySize(request: PlacementRequest): readonly UnitDemand[] {
  if (request.units.length < 2) return request.units;
  return request.units.toSorted(
    (a, b) => b.resources.memoryBytes - a.resources.memoryBytes || compareText(a.unit, b.unit),
  );
}

function shortfall(index: HostIndex, compiled: CompiledRequest, missing: number, isTrial = false): Shortfall {
  const { request, demand } = compiled;
  return {
    functionId: request.functionId,
    name: request.name,
    unit: demand.unit,
    missing,
    consideredHosts: index.size,
    reasons: isTrial ? [] : summarise(rejectionsOf(index, compiled)),
  };
}
