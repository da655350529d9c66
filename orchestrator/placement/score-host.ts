import { compareText } from '../domain/index.ts';
import type { Ledger } from './ledger.ts';
import { matchesText } from './match-labels.ts';
import { domainOf } from './rules.ts';
import type { HostSnapshot, PlacementRequest, UnitDemand } from './types.ts';

/**
 * How well a host suits one more instance. Compared member by member, in this order: the descriptor's spread, its preferences,
 * an even load of the function, room left; the id of the host decides the rest, so that the order never depends on chance.
 */
export interface HostScore {
  /** Instances of the function in the host's spread domain: fewer is better. */
  readonly inDomain: number;
  /** Sum of the weights of the preferences that hold: more is better. */
  readonly preference: number;
  /** Instances of the function on the host: fewer is better. */
  readonly onHost: number;
  /** Share of the scarcer of CPU and memory that stays free: more is better. */
  readonly freeShare: number;
  readonly host: HostSnapshot;
}

export function scoreHost(
  ledger: Ledger,
  host: HostSnapshot,
  request: PlacementRequest,
  demand: UnitDemand,
): HostScore {
  const free = ledger.free(host);
  return {
    inDomain: request.spreadBy === undefined ? 0 : countInDomain(ledger, host, request, request.spreadBy),
    preference: request.prefer
      .filter(({ expression }) => matchesText(expression, host.labels))
      .reduce((total, { weight }) => total + weight, 0),
    onHost: ledger.countOn(request.functionId, host.hostId),
    freeShare: Math.min(
      share(free.cpuMillis - demand.resources.cpuMillis, host.allocatable.cpuMillis),
      share(free.memoryBytes - demand.resources.memoryBytes, host.allocatable.memoryBytes),
    ),
    host,
  };
}

/** Negative: `a` is the better host. */
export function compareScores(a: HostScore, b: HostScore): number {
  return (
    a.inDomain - b.inDomain ||
    b.preference - a.preference ||
    a.onHost - b.onHost ||
    b.freeShare - a.freeShare ||
    compareText(a.host.hostId, b.host.hostId)
  );
}

function countInDomain(ledger: Ledger, host: HostSnapshot, request: PlacementRequest, scope: string): number {
  const domain = domainOf(host, scope);
  return ledger
    .hostsOf(request.functionId)
    .filter((holder) => domainOf(holder, scope) === domain)
    .reduce((total, holder) => total + ledger.countOn(request.functionId, holder.hostId), 0);
}

function share(part: number, whole: number): number {
  return whole <= 0 ? 0 : part / whole;
}
