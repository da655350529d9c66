import type { VnfInstanceId } from '../../kernel/index.ts';
import type { CompiledRequest } from './compile-request.ts';
import type { HostIndex } from './host-index.ts';
import type { PlacementRequest, UnitDemand } from './types.ts';

/** How much may still be disturbed. */
export interface Disruption {
  left: number;
  /** Functions of the plan itself: they make no room for each other. */
  readonly own: ReadonlySet<VnfInstanceId>;
  /** Absent: everybody may. */
  readonly mayMakeRoom?: ((functionId: VnfInstanceId) => boolean) | undefined;
}

/** Whose instances may have to make room for whom: those of lower priority of the same tenant. */
type Rank = Pick<PlacementRequest, 'tenant' | 'priority'>;

interface Victim {
  readonly functionId: VnfInstanceId;
  readonly demand: UnitDemand;
  readonly priority: number;
}

/**
 * Makes room on the host where fewest instances of lower priority have to go, the least important first, and books their removal.
 * @returns the row; undefined where no such host is, or more would have to go than may
 */
export function preempt(
  index: HostIndex,
  compiled: CompiledRequest,
  disruption: Disruption,
): number | undefined {
  if (disruption.left <= 0) return undefined;
  let best: { readonly row: number; readonly victims: readonly Victim[] } | undefined;
  compiled.eligible.forEach((row) => {
    const victims = victimsOn(index, compiled, row, disruption);
    if (victims === undefined) return;
    const isBetter =
      best === undefined ||
      weightOf(victims) < weightOf(best.victims) ||
      (weightOf(victims) === weightOf(best.victims) && index.compareRows(row, best.row) < 0);
    if (isBetter) best = { row, victims };
  });
  if (best === undefined) return undefined;
  const { row, victims } = best;
  for (const { functionId, demand } of victims) index.evict(functionId, demand, row);
  disruption.left -= victims.length;
  return row;
}

/** Who has to go for one instance to fit: as few as a walk from the least important upwards finds, then without those who need not. */
function victimsOn(
  index: HostIndex,
  compiled: CompiledRequest,
  row: number,
  { left, own, mayMakeRoom }: Disruption,
): readonly Victim[] | undefined {
  const removable = removableFrom(index, row, compiled.request, own).filter(
    ({ functionId }) => mayMakeRoom?.(functionId) ?? true,
  );
  if (removable.length === 0) return undefined;
  const begin = index.mark();
  const gone: Victim[] = [];
  for (const victim of removable) {
    if (compiled.fits(row)) break;
    index.evict(victim.functionId, victim.demand, row);
    gone.push(victim);
  }
  const isEnough = compiled.fits(row);
  index.rollback(begin);
  if (!isEnough) return undefined;
  const needed = spare(index, compiled, row, gone);
  return needed.length <= left ? needed : undefined;
}

/** Leaves out, the most important first, those without whom it fits as well. */
function spare(
  index: HostIndex,
  compiled: CompiledRequest,
  row: number,
  gone: readonly Victim[],
): readonly Victim[] {
  let needed = gone;
  for (const victim of gone.toReversed()) {
    const fewer = needed.filter((other) => other !== victim);
    const begin = index.mark();
    for (const { functionId, demand } of fewer) index.evict(functionId, demand, row);
    if (compiled.fits(row)) needed = fewer;
    index.rollback(begin);
  }
  return needed;
}

function removableFrom(
  index: HostIndex,
  row: number,
  { tenant, priority = 0 }: Rank,
  own: ReadonlySet<VnfInstanceId>,
): readonly Victim[] {
  const victims: Victim[] = [];
  for (const functionId of index.occupancy.functionsOn(row)) {
    const occupants = index.occupancy.functions.get(functionId);
    if (occupants === undefined || own.has(functionId) || occupants.priority >= priority) continue;
    if ((occupants.labels['tenant'] ?? tenant) !== tenant) continue;
    for (const { rows, demand } of occupants.units.values()) {
      if (demand === undefined) continue;
      const victim = { functionId, demand, priority: occupants.priority };
      for (let count = rows.get(row) ?? 0; count > 0; count -= 1) victims.push({ ...victim });
    }
  }
  return victims.toSorted(
    (a, b) =>
      a.priority - b.priority ||
      b.demand.resources.memoryBytes - a.demand.resources.memoryBytes ||
      (a.functionId < b.functionId ? -1 : 1),
  );
}

/** Many small ones weigh more than one large one; between equals the less important ones go. */
function weightOf(victims: readonly Victim[]): number {
  return victims.length * 1e6 + victims.reduce((total, { priority }) => total + priority, 0);
}
