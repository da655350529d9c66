import type { VnfInstanceId } from '../../kernel/index.ts';
import type { Rejection } from './rejection.ts';
import type { Ledger } from './ledger.ts';
import type { HostSnapshot, PlacementRule } from './types.ts';

/** The domain of a host in a scope; undefined where it lacks the label. */
export function domainOf(host: HostSnapshot, scope: string): string | undefined {
  return scope === 'host' ? host.hostId : host.labels[scope];
}

/** Whether one more instance of the function there keeps every rule that names it. */
export function checkRules(
  ledger: Ledger,
  host: HostSnapshot,
  functionId: VnfInstanceId,
  rules: readonly PlacementRule[],
): Rejection | undefined {
  for (const rule of rules) {
    if (!rule.functionIds.includes(functionId)) continue;
    const domain = domainOf(host, rule.scope);
    if (domain === undefined)
      return { text: `lack the label ${rule.scope} that a rule of the service needs` };
    const holders = peersOf(rule, functionId).flatMap((peer) => ledger.hostsOf(peer));
    const isShared = (holder: HostSnapshot) => domainOf(holder, rule.scope) === domain;
    // Also on a host that is LOST: what is still placed there may not leave it, and what belongs to it stays.
    if (rule.type === 'together' && !holders.every(isShared))
      return { text: `are not in the ${rule.scope} where the functions that belong together are` };
    if (rule.type === 'apart' && holders.some((holder) => holder.state !== 'LOST' && isShared(holder)))
      return { text: `are in a ${rule.scope} that holds what must be apart from it` };
  }
  return undefined;
}

function peersOf(rule: PlacementRule, functionId: VnfInstanceId): readonly VnfInstanceId[] {
  if (rule.type === 'together' || rule.functionIds.length === 1) return rule.functionIds;
  return rule.functionIds.filter((id) => id !== functionId);
}

/** Functions that a `together` rule ties to each other, directly or over others: these are placed as one. */
export function togetherClusters(
  functionIds: readonly VnfInstanceId[],
  rules: readonly PlacementRule[],
): readonly (readonly VnfInstanceId[])[] {
  const clusterOf = new Map(functionIds.map((id) => [id, id]));
  for (const { type, functionIds: members } of rules) {
    const present = members.filter((id) => clusterOf.has(id));
    const [first] = present;
    if (type !== 'together' || first === undefined) continue;
    const merged = new Set(present.map((id) => clusterOf.get(id)));
    const target = clusterOf.get(first) ?? first;
    for (const [id, cluster] of clusterOf) if (merged.has(cluster)) clusterOf.set(id, target);
  }
  return [...Map.groupBy(functionIds, (id) => clusterOf.get(id)).values()];
}
