import { compareText } from '../domain/index.ts';
import type { Booking, HostIndex } from './host-index.ts';
import type { Placement } from './plan-types.ts';

/** What a plan adds and takes away, place by place, in order: what comes and goes at one place is neither. */
export function toPlacements(
  index: HostIndex,
  bookings: readonly Booking[],
): Readonly<Record<'additions' | 'removals' | 'evictions', readonly Placement[]>> {
  const net = new Map<string, { readonly place: Placement; readonly isEviction: boolean; change: number }>();
  for (const { functionId, demand, row, sign, isEviction } of bookings) {
    const hostId = index.idOf(row);
    const key = `${functionId} ${demand.unit} ${hostId}`;
    const known = net.get(key);
    if (known === undefined)
      net.set(key, {
        place: { functionId, unit: demand.unit, hostId, instances: 0 },
        isEviction,
        change: sign,
      });
    else known.change += sign;
  }
  const sorted = [...net].toSorted(([a], [b]) => compareText(a, b)).map(([, entry]) => entry);
  const pick = (wanted: (entry: (typeof sorted)[number]) => boolean): readonly Placement[] =>
    sorted.filter(wanted).map(({ place, change }) => ({ ...place, instances: Math.abs(change) }));
  return {
    additions: pick(({ change }) => change > 0),
    removals: pick(({ change, isEviction }) => change < 0 && !isEviction),
    evictions: pick(({ change, isEviction }) => change < 0 && isEviction),
  };
}
