import { checkHost, checkRoom } from './filter-host.ts';
import type { Rejection } from './rejection.ts';
import type { Ledger } from './ledger.ts';
import { matchesText } from './match-labels.ts';
import { summarise } from './reasons.ts';
import type { HostSnapshot, PlacementRequest, PlacementRule, Shortfall } from './types.ts';

/**
 * One of each unit on every host that matches; none on those that no longer do or are being drained. A silent host keeps what
 * it has: coverage cannot go elsewhere. Hosts that match and cannot run it are reported, and are no reason to refuse.
 */
export function planCoverage(
  ledger: Ledger,
  request: PlacementRequest,
  rules: readonly PlacementRule[],
): readonly Shortfall[] {
  const rejections: Rejection[] = [];
  for (const host of ledger.hosts) {
    if (!isCovered(host, request)) removeFrom(ledger, request, host);
    else rejections.push(...cover(ledger, request, rules, host));
  }
  if (rejections.length === 0) return [];
  return [
    {
      functionId: request.functionId,
      name: request.name,
      unit: request.units.map(({ unit }) => unit).join(', '),
      missing: rejections.length,
      consideredHosts: ledger.hosts.filter((host) => isCovered(host, request)).length,
      reasons: summarise(rejections),
    },
  ];
}

function isCovered(host: HostSnapshot, { coverage, tenant }: PlacementRequest): boolean {
  return (
    !host.isDraining &&
    (host.tenants.length === 0 || host.tenants.includes(tenant)) &&
    coverage !== undefined &&
    matchesText(coverage, host.labels)
  );
}

/** All units on the host, or none of those that are missing there. */
function cover(
  ledger: Ledger,
  request: PlacementRequest,
  rules: readonly PlacementRule[],
  host: HostSnapshot,
): readonly Rejection[] {
  const begin = ledger.mark();
  for (const demand of request.units) {
    if (ledger.countOn(request.functionId, host.hostId, demand.unit) > 0) continue;
    const rejection = checkHost(host, request, demand) ?? checkRoom(ledger, host, request, demand, rules);
    if (rejection !== undefined) {
      ledger.rollback(begin);
      return [rejection];
    }
    ledger.add(request.functionId, demand, host);
  }
  return [];
}

function removeFrom(ledger: Ledger, request: PlacementRequest, host: HostSnapshot): void {
  for (const demand of request.units) {
    if (ledger.countOn(request.functionId, host.hostId, demand.unit) > 0)
      ledger.remove(request.functionId, demand, host);
  }
}
