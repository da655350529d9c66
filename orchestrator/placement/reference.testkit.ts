/** The greedy choice in the plainest way there is: every host looked at anew for every instance. What the engine is compared with. */
import type { HostId, VnfInstanceId } from '../../kernel/index.ts';
import { domainOf, holds } from '../../test/kit/plan-checker.ts';
import type { HostSnapshot, Near, PlacementRequest, Spread, UnitDemand } from './types.ts';

export interface Holder {
  readonly functionId: VnfInstanceId;
  readonly host: HostSnapshot;
}

interface World {
  readonly hosts: readonly HostSnapshot[];
  /** One entry for each instance. */
  readonly placed: Holder[];
  /** Hosts that could take instances of the request at hand when its first one was placed: a hard skew compares these. */
  eligible: readonly HostSnapshot[];
  readonly labelsOf: (functionId: VnfInstanceId) => Readonly<Record<string, string>>;
  readonly takes: (functionId: VnfInstanceId) => UnitDemand;
  readonly requestOf: (functionId: VnfInstanceId) => PlacementRequest | undefined;
}

/** Where each instance of the requests goes, one after the other; undefined where one finds no host. */
export function chooseByHand(
  hosts: readonly HostSnapshot[],
  requests: readonly PlacementRequest[],
): readonly { readonly functionId: VnfInstanceId; readonly hostId: HostId }[] | undefined {
  const demands = new Map(requests.map(({ functionId, units }) => [functionId, units[0]]));
  const labels = new Map(requests.map((request) => [request.functionId, request.labels ?? {}]));
  const world: World = {
    hosts,
    placed: [],
    eligible: [],
    labelsOf: (id) => labels.get(id) ?? {},
    takes: (id) => demands.get(id) as UnitDemand,
    requestOf: (id) => requests.find(({ functionId }) => functionId === id),
  };
  for (const request of requests) {
    const demand = world.takes(request.functionId);
    world.eligible = hosts.filter(
      (host) =>
        satisfiesFacts(request, host) &&
        keepsAffinities(world, request, host) &&
        isWelcome(world, request, host),
    );
    for (let count = 0; count < demand.instances; count += 1) {
      const rated = hosts
        .filter((host) => mayTake(world, request, demand, host))
        .map((host) => ({ host, score: scoreOf(world, request, demand, host) }))
        .toSorted((a, b) => b.score - a.score || (a.host.hostId < b.host.hostId ? -1 : 1));
      const [best] = rated;
      if (best === undefined) return undefined;
      world.placed.push({ functionId: request.functionId, host: best.host });
    }
  }
  return world.placed.map(({ functionId, host }) => ({ functionId, hostId: host.hostId }));
}

const own = (world: World, { functionId }: PlacementRequest): readonly HostSnapshot[] =>
  world.placed.filter((holder) => holder.functionId === functionId).map(({ host }) => host);

function usedOn(
  world: World,
  host: HostSnapshot,
): { readonly cpuMillis: number; readonly memoryBytes: number } {
  const here = world.placed.filter((holder) => holder.host === host);
  return here.reduce<{ readonly cpuMillis: number; readonly memoryBytes: number }>(
    (used, { functionId }) => ({
      cpuMillis: used.cpuMillis + world.takes(functionId).resources.cpuMillis,
      memoryBytes: used.memoryBytes + world.takes(functionId).resources.memoryBytes,
    }),
    host.used,
  );
}

function satisfiesFacts(request: PlacementRequest, host: HostSnapshot): boolean {
  const { tiers, architectures, require, tolerates = [] } = request;
  return (
    host.state === 'READY' &&
    !host.isDraining &&
    (tiers.length === 0 || tiers.includes(host.tier)) &&
    (architectures.length === 0 || architectures.includes(host.architecture)) &&
    require.every((text) => holds(text, host.labels)) &&
    (host.taints ?? []).every(({ text, effect }) => effect === 'avoid' || tolerates.includes(text)) &&
    (request.near ?? []).every((near) => near.weight !== undefined || isNear(near, host)) &&
    (request.spread ?? []).every(
      ({ by, maxSkew }) => maxSkew === undefined || domainOf(host, by) !== undefined,
    )
  );
}

function isNear(near: Near, host: HostSnapshot): boolean {
  return (latency(near, host) ?? Infinity) <= near.maxMilliseconds;
}

/** To a zone only. */
function latency({ to, maxAgeSeconds = Infinity }: Near, host: HostSnapshot): number | undefined {
  if (!('label' in to)) return undefined;
  if (host.labels['zone'] === to.label) return 0;
  const known = (host.latencies ?? [])
    .filter((each) => each.to === to.label && each.ageSeconds <= maxAgeSeconds)
    .map(({ p95Milliseconds }) => p95Milliseconds);
  return known.length === 0 ? undefined : Math.min(...known);
}

function mayTake(world: World, request: PlacementRequest, demand: UnitDemand, host: HostSnapshot): boolean {
  if (!satisfiesFacts(request, host)) return false;
  const used = usedOn(world, host);
  const takenPorts = [
    ...host.ports,
    ...world.placed
      .filter((holder) => holder.host === host)
      .flatMap(({ functionId }) => world.takes(functionId).fixedPorts),
  ];
  if (used.cpuMillis + demand.resources.cpuMillis > host.allocatable.cpuMillis) return false;
  if (used.memoryBytes + demand.resources.memoryBytes > host.allocatable.memoryBytes) return false;
  if (demand.fixedPorts.some((port) => takenPorts.includes(port))) return false;
  return (
    (request.spread ?? []).every((spread) => keepsSkew(world, request, host, spread)) &&
    keepsAffinities(world, request, host) &&
    isWelcome(world, request, host)
  );
}

/** What is hard apart from it keeps it off. */
function isWelcome(world: World, request: PlacementRequest, host: HostSnapshot): boolean {
  return world.placed
    .filter(({ functionId }) => functionId !== request.functionId)
    .every((holder) =>
      (world.requestOf(holder.functionId)?.affinities ?? []).every(({ type, with: text, scope, weight }) => {
        const isMeant = type === 'apart' && weight === undefined && holds(text, request.labels ?? {});
        const place = domainOf(host, scope);
        return !isMeant || place === undefined || domainOf(holder.host, scope) !== place;
      }),
    );
}

function keepsAffinities(world: World, request: PlacementRequest, host: HostSnapshot): boolean {
  return (request.affinities ?? [])
    .filter(({ weight }) => weight === undefined)
    .every((affinity) => {
      const kin = world.placed.filter(({ functionId }) => holds(affinity.with, world.labelsOf(functionId)));
      const isShared = kin.some(
        (holder) => domainOf(holder.host, affinity.scope) === domainOf(host, affinity.scope),
      );
      if (affinity.type === 'apart') return !(isShared && domainOf(host, affinity.scope) !== undefined);
      if (kin.length === 0)
        return holds(affinity.with, request.labels ?? {}) && domainOf(host, affinity.scope) !== undefined;
      return isShared && domainOf(host, affinity.scope) !== undefined;
    });
}

function keepsSkew(
  world: World,
  request: PlacementRequest,
  host: HostSnapshot,
  { by, maxSkew }: Spread,
): boolean {
  if (maxSkew === undefined) return true;
  const domains = new Set(world.eligible.map((each) => domainOf(each, by)));
  const counts = [...domains].map(
    (each) => own(world, request).filter((holder) => domainOf(holder, by) === each).length,
  );
  const here = own(world, request).filter((holder) => domainOf(holder, by) === domainOf(host, by)).length;
  return here + 1 - Math.min(...counts) <= maxSkew;
}

function scoreOf(world: World, request: PlacementRequest, demand: UnitDemand, host: HostSnapshot): number {
  const used = usedOn(world, host);
  const share = (free: number, all: number): number => (all <= 0 ? 0 : free / all);
  const free = Math.min(
    share(
      host.allocatable.cpuMillis - used.cpuMillis - demand.resources.cpuMillis,
      host.allocatable.cpuMillis,
    ),
    share(
      host.allocatable.memoryBytes - used.memoryBytes - demand.resources.memoryBytes,
      host.allocatable.memoryBytes,
    ),
  );
  let score = 0.009 * (Math.floor(free * 32) / 32);
  for (const { expression, weight } of request.prefer) if (holds(expression, host.labels)) score += weight;
  const { tolerates = [] } = request;
  if ((host.taints ?? []).some(({ text, effect }) => effect === 'avoid' && !tolerates.includes(text)))
    score -= 100;
  for (const near of request.near ?? []) {
    const found = latency(near, host);
    if (found !== undefined) score += (near.weight ?? 1) * Math.max(0, 1 - found / near.maxMilliseconds);
  }
  score -= 0.01 * own(world, request).filter((holder) => holder === host).length;
  for (const { by, weight = 1000 } of request.spread ?? [])
    score -=
      weight * own(world, request).filter((holder) => domainOf(holder, by) === domainOf(host, by)).length;
  return Math.round(score * 1e9) / 1e9;
}
