import { compareText } from '../domain/index.ts';
import { planCoverage } from './plan-coverage.ts';
import { checkHost, checkRoom } from './filter-host.ts';
import type { Rejection } from './rejection.ts';
import { createLedger, type Ledger } from './ledger.ts';
import { orderRequests } from './order-requests.ts';
import { summarise } from './reasons.ts';
import { domainOf, togetherClusters } from './rules.ts';
import { compareScores, scoreHost } from './score-host.ts';
import type {
  HostSnapshot,
  PlacementProblem,
  PlacementRequest,
  PlacementResult,
  PlacementRule,
  PlacementSnapshot,
  Shortfall,
  UnitDemand,
} from './types.ts';

/** A cluster of functions that belong together is tried with at most so many hosts as the first one's. */
const MOST_ANCHORS = 64;

/**
 * Chooses hosts for what is asked for beyond what is placed already, or says by count why there are none.
 * Pure and deterministic: neither the order of the hosts nor that of the requests matters; what is placed stays where it is,
 * save what is too many or no longer covered; planning again after the plan was carried out changes nothing.
 * Greedy: functions in order of who provides for whom; those that a rule ties together are placed as one.
 */
export function planPlacement(snapshot: PlacementSnapshot, problem: PlacementProblem): PlacementResult {
  const ledger = createLedger(snapshot);
  const ordered = orderRequests(problem.requests);
  const shortfalls: Shortfall[] = [];
  const skipped: Shortfall[] = [];
  const clusters = togetherClusters(
    ordered.map(({ functionId }) => functionId),
    problem.rules,
  );
  for (const cluster of clusters) {
    const requests = ordered.filter(({ functionId }) => cluster.includes(functionId));
    for (const request of requests.filter(isCoverage))
      skipped.push(...planCoverage(ledger, request, problem.rules));
    const counted = requests.filter((request) => !isCoverage(request));
    removeSurplus(ledger, counted);
    shortfalls.push(...placeCluster(ledger, counted, problem.rules));
  }
  return shortfalls.length > 0
    ? { fits: false, shortfalls }
    : { fits: true, additions: ledger.additions(), removals: ledger.removals(), skipped };
}

function isCoverage(request: PlacementRequest): boolean {
  return request.coverage !== undefined;
}

/** Places all of the requests or none of them. */
function placeCluster(
  ledger: Ledger,
  requests: readonly PlacementRequest[],
  rules: readonly PlacementRule[],
): readonly Shortfall[] {
  const begin = ledger.mark();
  const firstTry = placeAll(ledger, requests, rules);
  if (firstTry.length === 0) return [];
  ledger.rollback(begin);
  for (const anchor of anchorsOf(ledger, requests, rules)) {
    const anchored = placeAll(ledger, requests, rules, anchor);
    if (anchored.length === 0) return [];
    ledger.rollback(begin);
  }
  return firstTry;
}

/** Where else the first function of a cluster could stand: one host of each combination of domains, best first. */
function anchorsOf(
  ledger: Ledger,
  requests: readonly PlacementRequest[],
  rules: readonly PlacementRule[],
): readonly HostSnapshot[] {
  const [request] = requests;
  const demand = request?.units[0];
  if (requests.length < 2 || request === undefined || demand === undefined) return [];
  const scopes = rules.filter(({ type }) => type === 'together').map(({ scope }) => scope);
  const candidates = candidatesFor(ledger, request, demand, rules).fitting;
  const firstOfDomain = Map.groupBy(candidates, (host) =>
    JSON.stringify(scopes.map((scope) => domainOf(host, scope))),
  );
  return [...firstOfDomain.values()].flatMap((hosts) => hosts.slice(0, 1)).slice(0, MOST_ANCHORS);
}

function placeAll(
  ledger: Ledger,
  requests: readonly PlacementRequest[],
  rules: readonly PlacementRule[],
  anchor?: HostSnapshot,
): readonly Shortfall[] {
  let first = anchor;
  return requests.flatMap((request) =>
    unitsBySize(request).flatMap((demand) => {
      const missing = demand.instances - ledger.countOf(request.functionId, demand.unit);
      for (let left = missing; left > 0; left -= 1) {
        const { fitting, rejections } = candidatesFor(ledger, request, demand, rules);
        const chosen = first !== undefined && fitting.includes(first) ? first : fitting[0];
        if (chosen === undefined) return [shortfall(ledger, request, demand, left, rejections)];
        ledger.add(request.functionId, demand, chosen);
        first = undefined;
      }
      return [];
    }),
  );
}

/** The hosts for one more instance, best first, and why the others are none. */
function candidatesFor(
  ledger: Ledger,
  request: PlacementRequest,
  demand: UnitDemand,
  rules: readonly PlacementRule[],
): { readonly fitting: readonly HostSnapshot[]; readonly rejections: readonly Rejection[] } {
  const fitting: HostSnapshot[] = [];
  const rejections: Rejection[] = [];
  for (const host of ledger.hosts) {
    const rejection = checkHost(host, request, demand) ?? checkRoom(ledger, host, request, demand, rules);
    if (rejection === undefined) fitting.push(host);
    else rejections.push(rejection);
  }
  const ranked = fitting
    .map((host) => scoreHost(ledger, host, request, demand))
    .toSorted(compareScores)
    .map(({ host }) => host);
  return { fitting: ranked, rejections };
}

/** Takes away what is too many: from hosts that are not READY first, then where the next one would be placed last. */
function removeSurplus(ledger: Ledger, requests: readonly PlacementRequest[]): void {
  for (const request of requests) {
    for (const demand of request.units) {
      let surplus = ledger.countOf(request.functionId, demand.unit) - demand.instances;
      for (; surplus > 0; surplus -= 1) {
        const worst = ledger
          .hostsOf(request.functionId)
          .filter(({ hostId }) => ledger.countOn(request.functionId, hostId, demand.unit) > 0)
          .map((host) => scoreHost(ledger, host, request, demand))
          .toSorted((a, b) => Number(isReady(a.host)) - Number(isReady(b.host)) || compareScores(b, a))[0];
        if (worst === undefined) break;
        ledger.remove(request.functionId, demand, worst.host);
      }
    }
  }
}

function isReady(host: HostSnapshot): boolean {
  return host.state === 'READY' && !host.isDraining;
}

/** Large units first: small ones fit into what is left. */
function unitsBySize(request: PlacementRequest): readonly UnitDemand[] {
  return request.units.toSorted(
    (a, b) => b.resources.memoryBytes - a.resources.memoryBytes || compareText(a.unit, b.unit),
  );
}

function shortfall(
  ledger: Ledger,
  { functionId, name }: PlacementRequest,
  { unit }: UnitDemand,
  missing: number,
  rejections: readonly Rejection[],
): Shortfall {
  return {
    functionId,
    name,
    unit,
    missing,
    consideredHosts: ledger.hosts.length,
    reasons: summarise(rejections),
  };
}
