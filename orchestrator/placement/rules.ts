import type { VnfInstanceId } from '../../kernel/index.ts';
import type { PlacementRule } from './types.ts';

/** Functions that a hard `together` rule ties to each other, directly or over others: these are placed as one. */
export function togetherClusters(
  functionIds: readonly VnfInstanceId[],
  rules: readonly PlacementRule[],
): readonly (readonly VnfInstanceId[])[] {
  const clusterOf = new Map(functionIds.map((id) => [id, id]));
  for (const { type, functionIds: members, weight } of rules) {
    const present = members.filter((id) => clusterOf.has(id));
    const [first] = present;
    if (type !== 'together' || weight !== undefined || first === undefined) continue;
    const merged = new Set(present.map((id) => clusterOf.get(id)));
    const target = clusterOf.get(first) ?? first;
    for (const [id, cluster] of clusterOf) if (merged.has(cluster)) clusterOf.set(id, target);
  }
  return [...Map.groupBy(functionIds, (id) => clusterOf.get(id)).values()];
}
