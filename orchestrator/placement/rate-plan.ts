import type { VnfInstanceId } from '../../kernel/index.ts';
import { isRelated } from './candidate-cache.ts';
import { domainOf, instancesByDomain } from './domains.ts';
import { HostIndex } from './host-index.ts';
import { scoreParts, SPREAD_WEIGHT, spreadsOf, type ScorePart } from './score.ts';
import type { Placement } from './plan-types.ts';
import type { PlacementProblem, PlacementRequest, PlacementRule, PlacementSnapshot } from './types.ts';

/** Rows of the instances that a plan adds, one entry for each instance. */
export type AddedRows = ReadonlyMap<VnfInstanceId, readonly number[]>;

/**
 * What a plan is worth once it is carried out: for each instance that it adds, what the engine's score says of its host with all the others in place, and
 * what spreading costs for each instance that a domain held before. Room and evenness, which only decide between equals, do not count.
 */
export class PlanRating {
  readonly #index: HostIndex;
  readonly #problem: PlacementProblem;
  /** Of requests that do not ask where others are: the same for every plan. */
  readonly #lasting = new Map<VnfInstanceId, readonly ScorePart[]>();

  constructor(index: HostIndex, problem: PlacementProblem) {
    this.#index = index;
    this.#problem = problem;
  }

  /** Whether all plans are worth the same: no request says of any host that it is better. */
  get isFlat(): boolean {
    const { requests, rules } = this.#problem;
    return requests.every(
      (request) =>
        this.#parts(request).length === 0 &&
        spreadsOf(request, rules).every(({ weight = SPREAD_WEIGHT }) => weight === 0),
    );
  }

  /** Of what is booked in the index. */
  of(added: AddedRows): number {
    let total = 0;
    for (const request of this.#problem.requests) {
      const rows = added.get(request.functionId) ?? [];
      if (rows.length === 0) continue;
      for (const part of this.#parts(request)) for (const row of rows) total += part.of(row);
      total += spreadScore(this.#index, request, this.#problem.rules, rows);
    }
    return total;
  }

  #parts(request: PlacementRequest): readonly ScorePart[] {
    const { rules } = this.#problem;
    const known = this.#lasting.get(request.functionId);
    if (known !== undefined) return known;
    const parts = scoreParts(this.#index, request, rules);
    if (!isRelated(request, rules)) this.#lasting.set(request.functionId, parts);
    return parts;
  }
}

/** Each instance costs its weight for each that its domain held when it came: whatever their order, the sum is the same. */
function spreadScore(
  index: HostIndex,
  request: PlacementRequest,
  rules: readonly PlacementRule[],
  rows: readonly number[],
): number {
  let total = 0;
  for (const { by, weight = SPREAD_WEIGHT } of spreadsOf(request, rules)) {
    if (weight === 0) continue;
    const held = instancesByDomain(index, request.functionId, by);
    for (const row of rows) {
      const domain = domainOf(index, row, by);
      const others = (held.get(domain) ?? 0) - 1;
      held.set(domain, others);
      total -= weight * others;
    }
  }
  return total;
}

/** What additions to a snapshot are worth, as {@link PlanRating} rates them; a better plan has more. */
export function ratePlan(
  snapshot: PlacementSnapshot,
  problem: PlacementProblem,
  additions: readonly Placement[],
): number {
  const index = HostIndex.of(snapshot);
  const added = new Map<VnfInstanceId, number[]>();
  for (const { functionId, unit, hostId, instances } of additions) {
    const request = problem.requests.find((each) => each.functionId === functionId);
    const demand = request?.units.find((each) => each.unit === unit);
    const row = index.rowOf(hostId);
    if (request === undefined || demand === undefined || row === undefined) continue;
    index.occupancy.introduce(functionId, request);
    const rows = added.get(functionId) ?? [];
    added.set(functionId, rows);
    for (let count = 0; count < instances; count += 1) {
      index.book(functionId, demand, row, 1);
      rows.push(row);
    }
  }
  return new PlanRating(index, problem).of(added);
}
