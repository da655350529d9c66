import type { HostIndex } from './host-index.ts';
import { besides } from './relations.ts';
import type { PlacementRequest } from './types.ts';

/** Bits per second that an instance there sends out of its zone. */
export function uplinkNeed(index: HostIndex, { flows = [] }: PlacementRequest, row: number): number {
  let total = 0;
  for (const { to, bitsPerSecond } of flows) {
    const holders = [...index.occupancy.rowsOf(to).keys()];
    if (holders.length > 0 && !besides(index, holders).has(row)) total += bitsPerSecond;
  }
  return total;
}
