import type { PlacementRequest, UnitDemand } from './types.ts';

/** A unit of a request of which a plan has to add some. */
export interface Item {
  /** Its place among the others, in the order in which they are placed. */
  readonly at: number;
  readonly request: PlacementRequest;
  readonly demand: UnitDemand;
  readonly count: number;
}

/** One instance of an item on a row. */
export interface Seat {
  readonly item: Item;
  readonly row: number;
}

/** Seats in the order in which the plan places its items. */
export function inOrder(seats: readonly Seat[]): readonly Seat[] {
  return seats.toSorted((a, b) => a.item.at - b.item.at);
}
