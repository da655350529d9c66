import type { HostId } from '../../kernel/index.ts';
import { isInJurisdiction } from './jurisdiction.ts';
import type { Ledger } from './ledger.ts';
import { matchesText } from './match-labels.ts';
import type { Rejection } from './rejection.ts';
import { checkRules } from './rules.ts';
import type { HostSnapshot, PlacementRequest, PlacementRule, Resources, UnitDemand } from './types.ts';

/** What a host is or offers at all, apart from what is used of it. Undefined: it fits. */
export function checkHost(
  host: HostSnapshot,
  request: PlacementRequest,
  demand: UnitDemand,
): Rejection | undefined {
  if (host.isDisputed) return { text: 'are disputed' };
  if (host.isDraining) return { text: 'are being drained' };
  if (host.state !== 'READY') return { text: `are ${host.state}` };
  if (host.tenants.length > 0 && !host.tenants.includes(request.tenant))
    return { text: `do not serve tenant ${request.tenant}` };
  if (request.hosts !== undefined && !request.hosts.includes(host.hostId))
    return { text: `are not among ${listed(request.hosts)}` };
  if (request.avoidHosts.includes(host.hostId)) return { text: 'have just been given up for it' };
  return checkFacts(host, request, demand) ?? checkLabels(host, request);
}

function checkFacts(
  host: HostSnapshot,
  request: PlacementRequest,
  demand: UnitDemand,
): Rejection | undefined {
  if (request.tiers.length > 0 && !request.tiers.includes(host.tier))
    return { text: `lack tier=${request.tiers.join('|')}` };
  if (request.architectures.length > 0 && !request.architectures.includes(host.architecture))
    return { text: `lack arch=${request.architectures.join('|')}` };
  if (!demand.artifactTypes.some((type) => host.artifactTypes.includes(type)))
    return { text: `have no driver for artifacts of type ${demand.artifactTypes.join(' or ')}` };
  if (request.jurisdictions.length > 0 && !isInJurisdiction(host.jurisdiction, request.jurisdictions))
    return { text: `are not in jurisdiction ${request.jurisdictions.join('|')}` };
  return undefined;
}

function checkLabels(host: HostSnapshot, request: PlacementRequest): Rejection | undefined {
  for (const expression of request.require) {
    if (!matchesText(expression, host.labels)) return { text: `do not match "${expression}"` };
  }
  return undefined;
}

/** What depends on what is placed already: rules, reachability, ports, room. Undefined: it fits now. */
export function checkRoom(
  ledger: Ledger,
  host: HostSnapshot,
  request: PlacementRequest,
  demand: UnitDemand,
  rules: readonly PlacementRule[],
): Rejection | undefined {
  return (
    checkRules(ledger, host, request.functionId, rules) ??
    checkReachability(ledger, host, request) ??
    checkPorts(ledger, host, demand) ??
    checkResources(ledger.free(host), demand.resources)
  );
}

function checkReachability(
  ledger: Ledger,
  host: HostSnapshot,
  request: PlacementRequest,
): Rejection | undefined {
  for (const provider of request.providers) {
    const holders = ledger.hostsOf(provider).filter(({ state }) => state !== 'LOST');
    if (holders.length > 0 && !holders.some((holder) => reaches(host, holder)))
      return { text: 'cannot reach what it requires' };
  }
  for (const dependent of request.dependents) {
    const holders = ledger.hostsOf(dependent).filter(({ state }) => state !== 'LOST');
    if (!holders.every((holder) => reaches(holder, host)))
      return { text: 'cannot be reached by what requires it' };
  }
  return undefined;
}

function reaches(from: HostSnapshot, to: HostSnapshot): boolean {
  if (from.hostId === to.hostId || to.reachableFrom === undefined) return true;
  return to.reachableFrom.some((entry) => entry === from.hostId || matchesText(entry, from.labels));
}

function checkPorts(ledger: Ledger, host: HostSnapshot, demand: UnitDemand): Rejection | undefined {
  const taken = demand.fixedPorts.find((port) => ledger.isPortTaken(host, port));
  return taken === undefined ? undefined : { text: `have port ${taken} in use` };
}

const RESOURCE_NAMES = { memoryBytes: 'memory', cpuMillis: 'CPU', storageBytes: 'storage' } as const;

function checkResources(free: Resources, needed: Resources): Rejection | undefined {
  for (const resource of ['memoryBytes', 'cpuMillis', 'storageBytes'] as const) {
    if (needed[resource] > 0 && free[resource] < needed[resource])
      return {
        text: `lack ${RESOURCE_NAMES[resource]}`,
        short: { resource, needed: needed[resource], free: Math.max(0, free[resource]) },
      };
  }
  return undefined;
}

function listed(hosts: readonly HostId[]): string {
  const shown = hosts.slice(0, 3).join(', ');
  return hosts.length > 3 ? `${shown} and ${hosts.length - 3} more` : shown || 'the hosts allowed (none)';
}
