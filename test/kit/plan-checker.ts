/** The hard rules of a plan in the plainest way there is, looked at when all of it is carried out; of hosts on which nothing was placed before. */
import { matchesLabels, parseExpression } from '../../descriptors/index.ts';
import type { VnfInstanceId } from '../../kernel/index.ts';
import type {
  Affinity,
  HostSnapshot,
  Near,
  Placement,
  PlacementProblem,
  PlacementRequest,
  PlacementRule,
  UnitDemand,
} from '../../orchestrator/placement/index.ts';

interface Seat {
  readonly request: PlacementRequest;
  readonly demand: UnitDemand;
  readonly host: HostSnapshot;
}

const EU = ['DE', 'FR', 'PL', 'SE'];

export function holds(text: string, labels: Readonly<Record<string, string>>): boolean {
  const { expression } = parseExpression(text);
  return expression !== undefined && matchesLabels(expression, labels);
}

export function domainOf(host: HostSnapshot, scope: string): string | undefined {
  return scope === 'host' ? host.hostId : host.labels[scope];
}

/** What a plan breaks, one sentence for each; none: it is right. */
export function checkPlan(
  hosts: readonly HostSnapshot[],
  problem: PlacementProblem,
  additions: readonly Placement[],
): readonly string[] {
  const seats = toSeats(hosts, problem, additions);
  return [
    ...problem.requests.flatMap((request) => countFaults(request, seats)),
    ...hosts.flatMap((host) => roomFaults(host, seats)),
    ...problem.rules.filter(({ weight }) => weight === undefined).flatMap((rule) => ruleFaults(rule, seats)),
    ...seats
      .filter((seat) => !mayBe(hosts, seat.request, seat.demand, seat.host, seats))
      .map(({ request, host }) => `${request.name} may not be on ${host.hostId}`),
    ...problem.requests.flatMap((request) => [
      ...kinFaults(request, seats),
      ...skewFaults(hosts, problem, request, seats),
    ]),
  ];
}

function toSeats(
  hosts: readonly HostSnapshot[],
  { requests }: PlacementProblem,
  additions: readonly Placement[],
): readonly Seat[] {
  return additions.flatMap(({ functionId, unit, hostId, instances }) => {
    const request = requests.find((each) => each.functionId === functionId);
    const demand = request?.units.find((each) => each.unit === unit);
    const host = hosts.find((each) => each.hostId === hostId);
    if (request === undefined || demand === undefined || host === undefined) return [];
    return Array.from({ length: instances }, () => ({ request, demand, host }));
  });
}

const hostsOf = (seats: readonly Seat[], functionId: VnfInstanceId): readonly HostSnapshot[] =>
  seats.filter(({ request }) => request.functionId === functionId).map(({ host }) => host);

function countFaults(request: PlacementRequest, seats: readonly Seat[]): readonly string[] {
  return request.units
    .filter((demand) => seats.filter((seat) => seat.demand === demand).length !== demand.instances)
    .map(({ unit }) => `${request.name}/${unit} has not as many instances as it asks for`);
}

function roomFaults(host: HostSnapshot, seats: readonly Seat[]): readonly string[] {
  const here = seats.filter((seat) => seat.host === host);
  const sum = (of: (demand: UnitDemand) => number): number =>
    here.reduce((total, { demand }) => total + of(demand), 0);
  const ports = [...host.ports, ...here.flatMap(({ demand }) => demand.fixedPorts)];
  const { allocatable, used } = host;
  const isShort =
    sum(({ resources }) => resources.cpuMillis) > allocatable.cpuMillis - used.cpuMillis ||
    sum(({ resources }) => resources.memoryBytes) > allocatable.memoryBytes - used.memoryBytes ||
    Object.entries(allocatable.devices ?? {}).some(
      ([name, count]) => sum(({ resources }) => resources.devices?.[name] ?? 0) > count,
    );
  return here.length > 0 && (isShort || new Set(ports).size < ports.length)
    ? [`${host.hostId} has not the room`]
    : [];
}

function ruleFaults({ type, functionIds, scope }: PlacementRule, seats: readonly Seat[]): readonly string[] {
  const domains = functionIds.map((id) => hostsOf(seats, id).map((host) => domainOf(host, scope)));
  const isUnlabelled = domains.flat().includes(undefined);
  const used =
    type === 'apart' && functionIds.length > 1 ? domains.flatMap((own) => [...new Set(own)]) : domains.flat();
  const distinct = new Set(used).size;
  const isKept = type === 'together' ? distinct <= 1 : distinct === used.length;
  return isKept && !isUnlabelled
    ? []
    : [`the rule ${type} in ${scope} of ${functionIds.join(', ')} is broken`];
}

/** What a host is and where others are: all that an instance asks but room and what its own kind does. */
function mayBe(
  hosts: readonly HostSnapshot[],
  request: PlacementRequest,
  demand: UnitDemand,
  host: HostSnapshot,
  seats: readonly Seat[],
): boolean {
  const others = seats.filter((seat) => seat.request !== request);
  const { near = [], affinities = [] } = request;
  return (
    suits(request, demand, host) &&
    near.every((each) => each.weight !== undefined || isNear(hosts, each, host, others)) &&
    affinities.every((each) => each.weight !== undefined || keepsAffinity(request, each, host, others)) &&
    others.every((other) => leavesAlone(other, request, host))
  );
}

/** What is hard apart from it keeps it off, too. */
function leavesAlone(other: Seat, { labels = {} }: PlacementRequest, host: HostSnapshot): boolean {
  return (other.request.affinities ?? []).every(({ type, scope, with: text, weight }) => {
    const domain = domainOf(host, scope);
    const isMeant = type === 'apart' && weight === undefined && holds(text, labels);
    return !isMeant || domain === undefined || domainOf(other.host, scope) !== domain;
  });
}

/** What a host is, without a look at others. */
export function suits(request: PlacementRequest, demand: UnitDemand, host: HostSnapshot): boolean {
  const { tiers, architectures, jurisdictions, require, spread = [], tolerates = [] } = request;
  const place = host.jurisdiction;
  return (
    host.state === 'READY' &&
    !host.isDraining &&
    !host.isDisputed &&
    (tiers.length === 0 || tiers.includes(host.tier)) &&
    (architectures.length === 0 || architectures.includes(host.architecture)) &&
    demand.artifactTypes.some((type) => host.artifactTypes.includes(type)) &&
    (jurisdictions.length === 0 ||
      jurisdictions.some((each) => each === place || (each === 'EU' && EU.includes(place ?? '')))) &&
    require.every((text) => holds(text, host.labels)) &&
    (host.taints ?? []).every(({ text, effect }) => effect === 'avoid' || tolerates.includes(text)) &&
    spread.every(({ by, maxSkew }) => maxSkew === undefined || domainOf(host, by) !== undefined)
  );
}

/** Milliseconds between a host and what is to be near; undefined: not known. */
export function latencyOf(
  { to, maxAgeSeconds = Infinity }: Near,
  host: HostSnapshot,
  targets: readonly HostSnapshot[],
): number | undefined {
  const namesOf = ({ hostId, labels }: HostSnapshot): readonly string[] => {
    const zone = labels['zone'];
    return zone === undefined ? [hostId] : [hostId, zone, `zone=${zone}`];
  };
  const measured = (from: HostSnapshot, names: readonly string[]): readonly number[] =>
    (from.latencies ?? [])
      .filter((each) => names.includes(each.to) && each.ageSeconds <= maxAgeSeconds)
      .map(({ p95Milliseconds }) => p95Milliseconds);
  const found =
    'label' in to
      ? [...(namesOf(host).includes(to.label) ? [0] : []), ...measured(host, [to.label])]
      : targets.flatMap((target) => [
          ...(target === host ? [0] : []),
          ...measured(host, namesOf(target)),
          ...measured(target, namesOf(host)),
        ]);
  return found.length === 0 ? undefined : Math.min(...found);
}

function isNear(
  hosts: readonly HostSnapshot[],
  near: Near,
  host: HostSnapshot,
  others: readonly Seat[],
): boolean {
  const { to } = near;
  const targets =
    'functionId' in to
      ? hostsOf(others, to.functionId)
      : hosts.filter(({ hostId }) => 'host' in to && hostId === to.host);
  if ('functionId' in to && targets.length === 0) return true;
  return (latencyOf(near, host, targets) ?? Infinity) <= near.maxMilliseconds;
}

/** One that wants to be with its own kind, and is the first of it, opens the domain. */
function keepsAffinity(
  request: PlacementRequest,
  { type, scope, with: text }: Affinity,
  host: HostSnapshot,
  others: readonly Seat[],
): boolean {
  const domain = domainOf(host, scope);
  const kin = others.filter((other) => holds(text, other.request.labels ?? {}));
  const isShared = domain !== undefined && kin.some((other) => domainOf(other.host, scope) === domain);
  if (type === 'apart') return !isShared;
  return kin.length > 0 ? isShared : domain !== undefined && holds(text, request.labels ?? {});
}

/** What instances of one function owe each other by its affinities to its own kind. */
function kinFaults(request: PlacementRequest, seats: readonly Seat[]): readonly string[] {
  const own = hostsOf(seats, request.functionId);
  return (request.affinities ?? [])
    .filter(({ weight, with: text }) => weight === undefined && holds(text, request.labels ?? {}))
    .filter(({ type, scope, with: text }) => {
      const domains = own.map((host) => domainOf(host, scope));
      const labelled = domains.filter((domain) => domain !== undefined);
      if (type === 'apart') return new Set(labelled).size < labelled.length;
      const isAlone = !seats.some(
        (seat) => seat.request !== request && holds(text, seat.request.labels ?? {}),
      );
      return isAlone && new Set(domains).size > 1;
    })
    .map(({ type }) => `instances of ${request.name} are not ${type}`);
}

/** Whether a rule of the service leaves a host to a function, where the others of it are. */
function isOpen(
  { type, functionIds, scope }: PlacementRule,
  { functionId }: PlacementRequest,
  host: HostSnapshot,
  others: readonly Seat[],
): boolean {
  if (!functionIds.includes(functionId)) return true;
  const domain = domainOf(host, scope);
  const held = functionIds.flatMap((id) => hostsOf(others, id)).map((other) => domainOf(other, scope));
  if (domain === undefined) return false;
  return type === 'apart' ? !held.includes(domain) : held.length === 0 || held.includes(domain);
}

function skewFaults(
  hosts: readonly HostSnapshot[],
  problem: PlacementProblem,
  request: PlacementRequest,
  seats: readonly Seat[],
): readonly string[] {
  const own = hostsOf(seats, request.functionId);
  const [demand] = request.units;
  if (own.length === 0 || demand === undefined) return [];
  const hard = (request.spread ?? []).filter(({ maxSkew }) => maxSkew !== undefined);
  if (hard.length === 0) return [];
  const others = seats.filter((seat) => seat.request !== request);
  const open = hosts.filter(
    (host) =>
      mayBe(hosts, request, demand, host, seats) &&
      problem.rules.every((rule) => rule.weight !== undefined || isOpen(rule, request, host, others)),
  );
  return hard
    .filter(({ by, maxSkew = 0 }) => {
      const counts = [...new Set(open.map((host) => domainOf(host, by)))].map(
        (domain) => own.filter((host) => domainOf(host, by) === domain).length,
      );
      return Math.max(...counts) - Math.min(...counts) > maxSkew;
    })
    .map(({ by }) => `${request.name} is skewed over ${by}`);
}
