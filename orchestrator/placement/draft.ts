import type { VnfInstanceId } from '../../kernel/index.ts';
import { isRelated } from './candidate-cache.ts';
import { compileRequest, type CompiledRequest, type CompileOptions } from './compile-request.ts';
import type { Booking, HostIndex } from './host-index.ts';
import { PlanRating } from './rate-plan.ts';
import { relativesOf, type Relatives } from './relatives.ts';
import type { PlacementProblem, PlacementRequest } from './types.ts';
import type { Item, Seat } from './seats.ts';
import { freeUplink } from './uplinks.ts';

/**
 * A plan in the making. What was placed before it, and what it does for coverage or takes away, stays as it is; the seats of everything else
 * come and go. They are booked in the index, from the mark on at which it was made.
 */
export class Draft {
  readonly index: HostIndex;
  readonly items: readonly Item[];
  readonly relatives: Relatives;
  readonly #problem: PlacementProblem;
  readonly #base: number;
  readonly #rating: PlanRating;
  /** Of items that do not ask where others are. */
  readonly #lasting = new Map<string, CompiledRequest>();
  #seats: Seat[] = [];
  /** Seats by item. */
  readonly #taken: number[];

  /** @param requests in the order in which they are placed @param fixed is booked for good */
  constructor(
    index: HostIndex,
    problem: PlacementProblem,
    requests: readonly PlacementRequest[],
    fixed: readonly Booking[],
  ) {
    this.index = index;
    this.#problem = problem;
    for (const { functionId, demand, row, sign } of fixed) index.book(functionId, demand, row, sign);
    this.#base = index.mark();
    this.#rating = new PlanRating(index, problem);
    this.items = requests
      .filter(({ coverage }) => coverage === undefined)
      .flatMap((request) => request.units.map((demand) => ({ request, demand })))
      .map(({ request, demand }) => ({
        request,
        demand,
        count: demand.instances - index.occupancy.countOf(request.functionId, demand.unit),
      }))
      .filter(({ count }) => count > 0)
      .map((item, at) => ({ ...item, at }));
    this.#taken = this.items.map(() => 0);
    this.relatives = relativesOf(this.items, problem.rules);
  }

  get seats(): readonly Seat[] {
    return this.#seats;
  }

  /** Puts these seats in the place of all others, in order. */
  load(seats: readonly Seat[]): void {
    this.index.rollback(this.#base);
    this.#seats = [];
    this.#taken.fill(0);
    for (const { item, row } of seats) this.take(item, row);
  }

  take(item: Item, row: number): void {
    const { request, demand } = item;
    this.#seats.push({ item, row });
    this.#taken[item.at] = (this.#taken[item.at] ?? 0) + 1;
    this.index.book(request.functionId, demand, row, 1);
  }

  /** Gives the seat back that was taken last. */
  giveBack(): void {
    const at = this.#seats.pop()?.item.at ?? 0;
    this.#taken[at] = (this.#taken[at] ?? 0) - 1;
    this.index.rollback(this.index.mark() - 1);
  }

  /** An item made ready for the seats as they are now; true until others take or leave seats. */
  compile({ at, request, demand }: Item, how: CompileOptions = {}): CompiledRequest {
    const key = `${at} ${how.isPacking === true} ${how.isSkewLate === true}`;
    const known = this.#lasting.get(key);
    known?.limits.recount(this.index.occupancy.rowsOf(request.functionId));
    if (known !== undefined) return known;
    const { rules } = this.#problem;
    const awaited = (request.affinities ?? []).length === 0 ? [] : this.#awaited();
    const compiled = compileRequest(this.index, request, demand, rules, { ...how, awaited });
    if (!isRelated(request, rules)) this.#lasting.set(key, compiled);
    return compiled;
  }

  /** How many instances of an item have no seat. */
  missing({ at, count }: Item): number {
    return count - (this.#taken[at] ?? 0);
  }

  /** Whether there is nothing to better. */
  get isFlat(): boolean {
    return this.#rating.isFlat;
  }

  rate(): number {
    return this.#rating.of(this.#rows());
  }

  /** The first item that is not where the hard rules allow it with all the others in place; undefined: each is. */
  misplaced(): Item | undefined {
    const rows = this.#rows();
    return this.items.find((item) => !this.#holdsUp(item, rows.get(item.request.functionId) ?? []));
  }

  /** Lets one look at an item as if its function had no seats, with all the others in place. */
  without<T>(item: Item, look: (compiled: CompiledRequest) => T): T {
    const { functionId } = item.request;
    const seats = this.#seats;
    this.load(seats.filter((seat) => seat.item.request.functionId !== functionId));
    const result = look(this.compile(item));
    this.load(seats);
    return result;
  }

  #holdsUp(item: Item, rows: readonly number[]): boolean {
    const { request } = item;
    const { functionId, spread = [], flows = [] } = request;
    const isFree =
      !isRelated(request, this.#problem.rules) && spread.every(({ maxSkew }) => maxSkew === undefined);
    if (isFree || rows.length === 0) return true;
    const ends = flows.flatMap(({ to }) => [...this.index.occupancy.rowsOf(to).keys()]);
    if (flows.length > 0 && [...rows, ...ends].some((row) => freeUplink(this.index, row) < 0)) return false;
    const own = this.#seats.filter((seat) => seat.item === item);
    const { eligible, limits } = this.without(item, (compiled) => compiled);
    if (own.some(({ row }) => !eligible.has(row))) return false;
    limits.recount(this.index.occupancy.rowsOf(functionId));
    return !own.some(({ row }) => limits.isSkewed(row));
  }

  #rows(): ReadonlyMap<VnfInstanceId, readonly number[]> {
    const rows = new Map<VnfInstanceId, number[]>();
    for (const { item, row } of this.#seats) {
      const known = rows.get(item.request.functionId);
      if (known === undefined) rows.set(item.request.functionId, [row]);
      else known.push(row);
    }
    return rows;
  }

  #awaited(): readonly PlacementRequest[] {
    const waiting = this.items.map(({ request }) => request);
    return waiting.filter(({ functionId }) => this.index.occupancy.rowsOf(functionId).size === 0);
  }
}

/** A draft of what is booked: what it adds to counted requests has seats, and the rest is fixed. The index is as it was before. */
export function draftOf(
  index: HostIndex,
  problem: PlacementProblem,
  requests: readonly PlacementRequest[],
  bookings: readonly Booking[],
): Draft {
  const counted = new Set(
    requests.filter(({ coverage }) => coverage === undefined).map(({ functionId }) => functionId),
  );
  const isSeat = ({ functionId, sign }: Booking): boolean => sign === 1 && counted.has(functionId);
  const draft = new Draft(
    index,
    problem,
    requests,
    bookings.filter((booking) => !isSeat(booking)),
  );
  const seats = bookings.filter(isSeat).flatMap(({ functionId, demand, row }) => {
    const item = draft.items.find(
      (each) => each.request.functionId === functionId && each.demand.unit === demand.unit,
    );
    return item === undefined ? [] : [{ item, row }];
  });
  draft.load(seats);
  return draft;
}
