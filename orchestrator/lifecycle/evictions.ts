import type { VnfInstanceId } from '../../kernel/index.ts';
import { toWantedUnits, wantedVnfcs } from '../domain/index.ts';
import type { Placement, PlacementResult } from '../placement/index.ts';
import type { Write } from '../store/index.ts';
import { computeAssignmentWrites } from './compute-assignments.ts';
import type { LifecycleContext } from './context.ts';
import { updateInstance } from './operation-records.ts';
import { copiesToRemove } from './plan-wanted.ts';
import { overrideOf } from './snapshot-inventory.ts';
import type { Claim } from './verify-capacity.ts';
import { withdrawalsAfter } from './withdrawals.ts';

/** What a commit has to hold so that functions of lower priority make room for what it wants. */
export interface Evictions {
  readonly writes: readonly Write[];
  readonly claims: readonly Claim[];
}

/**
 * The instances that make room are no longer wanted where they are; what runs there is stopped, and is placed elsewhere by healing once it is gone,
 * or waits with an alarm until there is room.
 */
export function evictionsOf(context: LifecycleContext, result: PlacementResult): Evictions {
  const evictions = result.fits ? result.evictions : [];
  const victims = [...Map.groupBy(evictions, ({ functionId }) => functionId)];
  const each = victims.map(([functionId, places]) => evict(context, functionId, places));
  return { writes: each.flatMap(({ writes }) => writes), claims: each.flatMap(({ claims }) => claims) };
}

function evict(context: LifecycleContext, id: VnfInstanceId, places: readonly Placement[]): Evictions {
  const record = context.state.get('vnf-instance', id);
  if (record === undefined) return { writes: [], claims: [] };
  const { document, tenant } = record;
  const copies = wantedVnfcs(document.wanted);
  const gone = new Set(places.flatMap((place) => copiesToRemove(copies, place)));
  const wanted = toWantedUnits(copies.filter((copy) => !gone.has(copy)));
  const changed = {
    ...document,
    wanted,
    displaced: [...(document.displaced ?? []), ...gone],
    withdrawn: withdrawalsAfter(context.state, document, wanted),
  };
  context.logger.warn(
    { tenant, vnfInstanceId: id, instances: gone.size },
    'makes room for a higher priority',
  );
  return {
    writes: [updateInstance(record, changed), ...computeAssignmentWrites(context, id, tenant, changed)],
    claims: [overrideOf(id, document, wanted)],
  };
}
