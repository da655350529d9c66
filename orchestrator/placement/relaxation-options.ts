import type { VnfInstanceId } from '../../kernel/index.ts';
import { compareText } from '../domain/index.ts';
import { bestRows } from './best-rows.ts';
import { compileRequest } from './compile-request.ts';
import { isTolerated, taintsIn } from './constraints.ts';
import { COLUMNS } from './host-columns.ts';
import type { HostIndex } from './host-index.ts';
import { isInJurisdiction } from './jurisdiction.ts';
import { togetherClusters } from './rules.ts';
import type { Change, Shortfall } from './plan-types.ts';
import type { PlacementProblem, PlacementRequest, UnitDemand } from './types.ts';

/** One thing that could be asked for less strictly, in steps from the smallest change, 1, to the largest. */
export interface RelaxationOption {
  readonly steps: number;
  change(step: number): Change;
}

/** What would be done to one host, or allowed beside what is allowed: so many are looked into. */
const MOST_OF_A_KIND = 4;

/**
 * All that could be relaxed so that what fell short, and what is tied to it, finds a place. In a fixed order: where not all can be tried, those
 * that help more often first.
 */
export function relaxationOptions(
  index: HostIndex,
  problem: PlacementProblem,
  shortfalls: readonly Shortfall[],
): readonly RelaxationOption[] {
  const short = new Set(shortfalls.map(({ functionId, unit }) => `${functionId} ${unit}`));
  const involved = involvedIn(problem, shortfalls);
  const requests = problem.requests.filter(({ functionId }) => involved.has(functionId));
  const units = requests.flatMap((request) => {
    const failing = request.units.filter(({ unit }) => short.has(`${request.functionId} ${unit}`));
    return (failing.length > 0 ? failing : request.units).map((demand) => ({ request, demand }));
  });
  return distinct([
    ...problem.rules.flatMap((rule, at): readonly RelaxationOption[] =>
      rule.weight === undefined && rule.functionIds.some((id) => involved.has(id))
        ? [plain({ kind: 'rule', at })]
        : [],
    ),
    ...requests.flatMap((request) => lists(index, request)),
    ...units.flatMap(({ request, demand }) => amounts(request, demand)),
    ...units.flatMap(({ request, demand }) => ofHosts(index, problem, request, demand)),
    ...units.flatMap(({ request, demand }) => fewer(index, request, demand)),
    ...requests.flatMap((request) => loosened(index, request)),
  ]);
}

/** Several units may ask for the same to be done to a host. */
function distinct(options: readonly RelaxationOption[]): readonly RelaxationOption[] {
  return [...new Map(options.map((option) => [JSON.stringify(option.change(1)), option])).values()];
}

/** Functions that fell short, and those that hard rules place together with them. */
function involvedIn(
  { requests, rules }: PlacementProblem,
  shortfalls: readonly Shortfall[],
): ReadonlySet<VnfInstanceId> {
  const short = new Set(shortfalls.map(({ functionId }) => functionId));
  const clusters = togetherClusters(
    requests.filter(({ coverage }) => coverage === undefined).map(({ functionId }) => functionId),
    rules,
  );
  return new Set(clusters.filter((cluster) => cluster.some((id) => short.has(id))).flat());
}

function plain(change: Change): RelaxationOption {
  return { steps: 1, change: () => change };
}

/** Less of a resource, in steps of what a descriptor can say. */
function amounts(
  { functionId }: PlacementRequest,
  { unit, resources }: UnitDemand,
): readonly RelaxationOption[] {
  const of = { functionId, unit };
  const less = (
    resource: 'cpuMillis' | 'memoryBytes' | 'storageBytes',
    unitSize: number,
    least: number,
  ): readonly RelaxationOption[] => {
    const from = resources[resource];
    const steps = Math.ceil(from / unitSize) - least;
    return steps < 1
      ? []
      : [
          {
            steps,
            change: (step) => ({
              ...of,
              kind: 'resource',
              resource,
              from,
              to: (Math.ceil(from / unitSize) - step) * unitSize,
            }),
          },
        ];
  };
  const grain = (bytes: number): number => (bytes >= 2 ** 23 ? 2 ** 20 : 2 ** 10);
  const devices = Object.entries(resources.devices ?? {}).filter(([, count]) => count > 0);
  return [
    ...less('memoryBytes', grain(resources.memoryBytes), 1),
    ...less('cpuMillis', 1, 1),
    ...less('storageBytes', grain(resources.storageBytes), 1),
    ...devices.map(([device, from]): RelaxationOption => ({
      steps: from,
      change: (step) => ({ ...of, kind: 'device', device, from, to: from - step }),
    })),
  ];
}

/** Fewer instances, but more than there are already. */
function fewer(
  index: HostIndex,
  { functionId }: PlacementRequest,
  { unit, instances }: UnitDemand,
): readonly RelaxationOption[] {
  const steps = instances - index.occupancy.countOf(functionId, unit) - 1;
  return steps < 1
    ? []
    : [
        {
          steps,
          change: (step) => ({ kind: 'instances', functionId, unit, from: instances, to: instances - step }),
        },
      ];
}

/** One value more in a list of what is allowed; one rule less in a list of what is required. */
function lists(index: HostIndex, request: PlacementRequest): readonly RelaxationOption[] {
  const { functionId, tiers, architectures, jurisdictions, require, tolerates = [], usesReserve } = request;
  const allow = (
    list: Extract<Change, { readonly kind: 'allow' }>['list'],
    values: readonly string[],
  ): readonly RelaxationOption[] => values.map((value) => plain({ kind: 'allow', functionId, list, value }));
  const others = (column: string, allowed: readonly string[]): readonly string[] =>
    allowed.length === 0 ? [] : textsOf(index, column).filter((text) => !allowed.includes(text));
  const refusing = textsOf(index, COLUMNS.taints)
    .flatMap(taintsIn)
    .filter((taint) => taint.effect === 'refuse' && !isTolerated(taint, tolerates))
    .map(({ text }) => text);
  const places = jurisdictions.length === 0 ? [] : textsOf(index, COLUMNS.jurisdiction);
  return [
    ...allow('tolerates', [...new Set(refusing)].slice(0, MOST_OF_A_KIND)),
    ...allow('tiers', others(COLUMNS.tier, tiers)),
    ...allow('architectures', others(COLUMNS.architecture, architectures).slice(0, MOST_OF_A_KIND)),
    ...require.map((expression) => plain({ kind: 'require', functionId, expression })),
    ...(Object.values(index.reserves).some((share) => share > 0) && usesReserve !== true
      ? [plain({ kind: 'reserve', functionId })]
      : []),
    ...allow(
      'jurisdictions',
      places.filter((place) => !isInJurisdiction(place, jurisdictions)).slice(0, MOST_OF_A_KIND),
    ),
  ];
}

/** Texts of a column, those that most hosts have first. */
function textsOf(index: HostIndex, column: string): readonly string[] {
  const counts = new Map<string, number>();
  index.present.forEach((row) => {
    const text = index.labels.text(row, column);
    if (text !== undefined) counts.set(text, (counts.get(text) ?? 0) + 1);
  });
  return [...counts].toSorted((a, b) => b[1] - a[1] || compareText(a[0], b[0])).map(([text]) => text);
}

/** What could be done to hosts that nothing else stands against: used again, a port freed, allowed by name. */
function ofHosts(
  index: HostIndex,
  { rules }: PlacementProblem,
  request: PlacementRequest,
  demand: UnitDemand,
): readonly RelaxationOption[] {
  const { functionId, hosts } = request;
  const { unit, fixedPorts } = demand;
  const withPorts = bestRows(index, compileRequest(index, request, { ...demand, fixedPorts: [] }, rules));
  return [
    ...undrained(index, rules, request, demand),
    ...fixedPorts.flatMap((port) => [
      ...withPorts
        .filter((row) => index.isPortTaken(row, port))
        .slice(0, MOST_OF_A_KIND)
        .map((row) => plain({ kind: 'freePort', hostId: index.idOf(row), port })),
      plain({ kind: 'port', functionId, unit, port }),
    ]),
    ...(hosts === undefined
      ? []
      : bestRows(index, compileRequest(index, withoutHosts(request), demand, rules))
          .filter((row) => !hosts.includes(index.idOf(row)))
          .slice(0, MOST_OF_A_KIND)
          .map((row) => plain({ kind: 'allow', functionId, list: 'hosts', value: index.idOf(row) }))),
  ];
}

function withoutHosts({ hosts: _hosts, ...request }: PlacementRequest): PlacementRequest {
  return request;
}

function drained(index: HostIndex): readonly number[] {
  const rows: number[] = [];
  index.present.forEach((row) => {
    if (index.couldBeReadmitted(row) && !index.isLost(row)) rows.push(row);
  });
  return rows;
}

function undrained(
  index: HostIndex,
  rules: PlacementProblem['rules'],
  request: PlacementRequest,
  demand: UnitDemand,
): readonly RelaxationOption[] {
  const readmitted = new Set(drained(index));
  if (readmitted.size === 0) return [];
  const before = index.leniency;
  index.leniency = { readmitted, freed: new Map() };
  try {
    return bestRows(index, compileRequest(index, request, demand, rules))
      .filter((row) => readmitted.has(row))
      .slice(0, MOST_OF_A_KIND)
      .map((row) => plain({ kind: 'undrain', hostId: index.idOf(row) }));
  } finally {
    index.leniency = before;
  }
}

/** Rules of the request that could be less strict, or best effort. */
function loosened(index: HostIndex, request: PlacementRequest): readonly RelaxationOption[] {
  const { functionId, near = [], spread = [], affinities = [], units } = request;
  const instances = Math.max(1, ...units.map((unit) => unit.instances));
  return [
    ...near.flatMap(({ weight, maxMilliseconds: from }, at): readonly RelaxationOption[] => {
      if (weight !== undefined) return [];
      const longer = latenciesAbove(index, from);
      const further = (step: number): Change => ({
        kind: 'near',
        functionId,
        at,
        from,
        to: longer[step - 1] ?? from,
      });
      return [
        ...(longer.length === 0 ? [] : [{ steps: longer.length, change: further }]),
        plain({ kind: 'near', functionId, at, from }),
      ];
    }),
    ...spread.flatMap(({ maxSkew: from }, at): readonly RelaxationOption[] => {
      if (from === undefined) return [];
      const wider = (step: number): Change => ({ kind: 'maxSkew', functionId, at, from, to: from + step });
      return [
        ...(instances > from ? [{ steps: instances - from, change: wider }] : []),
        plain({ kind: 'maxSkew', functionId, at, from }),
      ];
    }),
    ...affinities.flatMap(({ weight }, at): readonly RelaxationOption[] =>
      weight === undefined ? [plain({ kind: 'affinity', functionId, at })] : [],
    ),
  ];
}

/** All latencies that were measured and are longer, in whole milliseconds. */
function latenciesAbove(index: HostIndex, milliseconds: number): readonly number[] {
  const longer = new Set<number>();
  index.present.forEach((row) => {
    for (const { p95Milliseconds } of index.latencies(row))
      if (p95Milliseconds > milliseconds) longer.add(Math.ceil(p95Milliseconds));
  });
  return [...longer].toSorted((a, b) => a - b);
}
