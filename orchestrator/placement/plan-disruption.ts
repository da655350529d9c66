import { costOf, DisruptionAccount, type Disturbance } from './disruption.ts';
import type { HostIndex } from './host-index.ts';
import type { Departure, InstanceMove } from './instance-moves.ts';
import type { BudgetLimit, DisruptionBudget, PlacedFunction } from './relocation-types.ts';

/** A move that the plan makes, with what it adds to what the plan disturbs. */
export interface ChargedMove {
  readonly move: InstanceMove;
  readonly disturbance: Disturbance;
}

/** What a plan in the making disturbs, and may still disturb: nothing more where it moves on what it has moved before, as that can go where it ends at once. */
export class PlanDisruption {
  readonly #account: DisruptionAccount;
  readonly #isOver: () => boolean;
  /** Instances of each function and unit. */
  readonly #totals = new Map<string, number>();
  /** Instances that the plan itself has put there, by function, unit and row. */
  readonly #arrived = new Map<string, number>();

  /** @param isOver whether no time is left */
  constructor(
    index: HostIndex,
    functions: readonly PlacedFunction[],
    budget: DisruptionBudget,
    isOver: () => boolean,
  ) {
    this.#account = new DisruptionAccount(budget);
    this.#isOver = isOver;
    for (const { request } of functions)
      for (const { unit } of request.units)
        this.#totals.set(`${request.functionId} ${unit}`, index.occupancy.countOf(request.functionId, unit));
  }

  /** Whether not even one more instance is within the budget, or no time is left. */
  get isSpent(): boolean {
    return this.#account.isSpent || this.#isOver();
  }

  /** The limit that forbids these to move; undefined: they may. */
  refusal(departures: readonly Departure[]): BudgetLimit | undefined {
    return this.#isOver() ? 'time' : this.#account.refusal(this.#disturbances(departures));
  }

  /** Of a move by itself, whatever the plan has moved before. */
  costOf({ placed, demand }: Departure): number {
    return costOf(this.#totalOf(placed, demand.unit), placed.isSingleWriter);
  }

  /** The plan makes these moves at once. */
  charge(moves: readonly InstanceMove[]): readonly ChargedMove[] {
    const disturbances = this.#disturbances(moves);
    this.#account.charge(disturbances);
    return moves.flatMap((move, at) => {
      const disturbance = disturbances[at];
      if (disturbance === undefined) return [];
      this.#count({ move, disturbance }, 1);
      return [{ move, disturbance }];
    });
  }

  /** A move that was charged is not made after all: the last of those that are left. */
  refund(charged: ChargedMove): void {
    this.#account.refund([charged.disturbance]);
    this.#count(charged, -1);
  }

  #disturbances(departures: readonly Departure[]): readonly Disturbance[] {
    const arrived = new Map<string, number>();
    return departures.map((departure) => {
      const { functionId, units } = departure.placed.request;
      const place = placeOf(departure);
      const left = arrived.get(place) ?? this.#arrived.get(place) ?? 0;
      arrived.set(place, left - 1);
      const isOnward = left > 0;
      return {
        functionId,
        total: units.reduce((sum, { unit }) => sum + this.#totalOf(departure.placed, unit), 0),
        instances: isOnward ? 0 : 1,
        cost: isOnward ? 0 : this.costOf(departure),
      };
    });
  }

  #totalOf({ request }: PlacedFunction, unit: string): number {
    return this.#totals.get(`${request.functionId} ${unit}`) ?? 0;
  }

  #count({ move, disturbance }: ChargedMove, sign: 1 | -1): void {
    if (disturbance.instances === 0) this.#arrive(move, -sign);
    this.#arrive({ ...move, row: move.to }, sign);
  }

  #arrive(arrival: Departure, change: number): void {
    const place = placeOf(arrival);
    this.#arrived.set(place, (this.#arrived.get(place) ?? 0) + change);
  }
}

function placeOf({ placed, demand, row }: Departure): string {
  return `${placed.request.functionId} ${demand.unit} ${row}`;
}
