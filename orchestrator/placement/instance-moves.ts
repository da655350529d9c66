import type { PlacedFunction } from './relocation-types.ts';
import type { UnitDemand } from './types.ts';

/** One instance that may have to move. */
export interface Departure {
  readonly placed: PlacedFunction;
  readonly demand: UnitDemand;
  readonly row: number;
}

/** One instance that moves. */
export interface InstanceMove extends Departure {
  readonly to: number;
  readonly gain: number;
}
