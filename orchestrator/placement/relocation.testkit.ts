/** Inventories on which much is placed, at random and not well; and what a plan of moves is held against, in the plainest way there is. */
import * as fc from 'fast-check';
import type { HostId, VnfInstanceId } from '../../kernel/index.ts';
import { domainOf, holds } from '../../test/kit/plan-checker.ts';
import { applyPlan, buildDemand, buildHost, buildRequest } from './testkit.ts';
import type { PlacedFunction, RelocationMove, RelocationProblem } from './relocation-types.ts';
import type { HostSnapshot, PlacementRequest, PlacementRule, PlacementSnapshot } from './types.ts';

const NAMES = ['a', 'b', 'c', 'd', 'e'] as const;
const MIB = 2 ** 20;

const hosts = fc
  .array(
    fc.record({
      tier: fc.constantFrom('cloud' as const, 'cloud' as const, 'device-edge' as const),
      state: fc.oneof(
        { weight: 9, arbitrary: fc.constant('READY' as const) },
        { weight: 1, arbitrary: fc.constant('SUSPECT' as const) },
      ),
      zone: fc.constantFrom('x', 'y', 'z', undefined),
      memoryMiB: fc.integer({ min: 128, max: 1024 }),
      costPerHour: fc.constantFrom(1, 2, undefined),
    }),
    { minLength: 1, maxLength: 7 },
  )
  .map((list) =>
    list.map(({ tier, state, zone, memoryMiB, costPerHour }, at) =>
      buildHost(`h${at}`, {
        tier,
        state,
        labels: zone === undefined ? {} : { zone },
        allocatable: { cpuMillis: 2000, memoryBytes: memoryMiB * MIB, storageBytes: 0 },
        ...(costPerHour === undefined ? {} : { costPerHour }),
      }),
    ),
  );

const affinity = fc.record(
  {
    type: fc.constantFrom('together' as const, 'apart' as const),
    with: fc.constantFrom('name = a', 'name = b', 'name in (c, d)'),
    scope: fc.constantFrom('host', 'zone'),
    weight: fc.constantFrom(undefined, undefined, 5),
  },
  { requiredKeys: ['type', 'with', 'scope'] },
);

const placedFunction = (name: string): fc.Arbitrary<PlacedFunction> =>
  fc
    .record({
      memoryMiB: fc.integer({ min: 16, max: 256 }),
      tiers: fc.constantFrom<PlacementRequest['tiers']>([], [], ['cloud']),
      spread: fc.constantFrom(undefined, { by: 'zone' }, { by: 'host' }, { by: 'zone', maxSkew: 1 }),
      prefer: fc.constantFrom(
        [],
        [{ expression: 'zone = x', weight: 3 }],
        [{ expression: 'tier = cloud', weight: 1 }],
      ),
      affinities: fc.array(affinity, { maxLength: 1 }),
      hasPort: fc.boolean(),
      isSingleWriter: fc.boolean(),
      cost: fc.constantFrom(0, 4),
      pinned: fc.constantFrom(undefined, undefined, undefined, 'it keeps a volume there'),
    })
    .map(({ memoryMiB, tiers, spread, prefer, affinities, hasPort, isSingleWriter, cost, pinned }) => ({
      request: buildRequest(name, {
        units: [buildDemand(0, memoryMiB, { fixedPorts: hasPort ? ['tcp/80'] : [] })],
        tiers,
        prefer,
        objectives: { cost },
        labels: { name },
        affinities: affinities.map(({ weight, ...rest }) =>
          weight === undefined ? rest : { ...rest, weight },
        ),
        ...(spread === undefined ? {} : { spread: [spread] }),
      }),
      isSingleWriter,
      ...(pinned === undefined ? {} : { pinned }),
    }));

const rule: fc.Arbitrary<PlacementRule> = fc.record({
  type: fc.constantFrom('together' as const, 'apart' as const),
  functionIds: fc.subarray(
    NAMES.map((name) => `f-${name}` as VnfInstanceId),
    { minLength: 1, maxLength: 3 },
  ),
  scope: fc.constantFrom('host', 'zone'),
});

export interface World {
  readonly snapshot: PlacementSnapshot;
  readonly problem: RelocationProblem;
}

/** Hosts with functions on them, each instance somewhere where there is room for it. */
export const worlds: fc.Arbitrary<World> = fc
  .record({
    hosts,
    functions: fc.tuple(...NAMES.map(placedFunction)),
    rules: fc.array(rule, { maxLength: 2 }),
    picks: fc.array(fc.tuple(fc.nat(NAMES.length - 1), fc.nat(6)), { maxLength: 16 }),
  })
  .map(({ hosts: empty, functions, rules, picks }) => {
    let snapshot: PlacementSnapshot = { hosts: empty };
    for (const [which, where] of picks) {
      const placed = functions[which];
      const host = snapshot.hosts[where % snapshot.hosts.length];
      if (placed !== undefined && host !== undefined && hasRoom(host, placed.request))
        snapshot = change(snapshot, placed.request, host.hostId, 1);
    }
    const counted = functions.map((placed) => ({
      ...placed,
      request: {
        ...placed.request,
        units: placed.request.units.map((unit) => ({
          ...unit,
          instances: holdersOf(snapshot, placed.request.functionId).length,
        })),
      },
    }));
    return { snapshot, problem: { functions: counted, rules } };
  });

/** The inventory after some moves. */
export function afterMoves(
  { snapshot, problem }: World,
  moves: readonly RelocationMove[],
): PlacementSnapshot {
  let current = snapshot;
  for (const { functionId, from, to, instances } of moves) {
    const request = problem.functions.find((each) => each.request.functionId === functionId)?.request;
    if (request === undefined) throw new RangeError(`nothing is known of ${functionId}`);
    current = change(change(current, request, from, -instances), request, to, instances);
  }
  return current;
}

/** Where each instance is. */
export function holdersOf(
  { hosts: all }: PlacementSnapshot,
  functionId: VnfInstanceId,
): readonly HostSnapshot[] {
  return all.flatMap((host) =>
    host.placed
      .filter((each) => each.functionId === functionId)
      .flatMap(({ instances }) => Array.from({ length: instances }, () => host)),
  );
}

/** Hosts that hold more than they have. */
export function overfull({ hosts: all }: PlacementSnapshot): readonly HostId[] {
  return all
    .filter(
      ({ used, allocatable, ports }) =>
        used.memoryBytes > allocatable.memoryBytes ||
        used.cpuMillis > allocatable.cpuMillis ||
        new Set(ports).size < ports.length,
    )
    .map(({ hostId }) => hostId);
}

/** Hard rules that hold, by a text for each. @param left hosts that nothing may go to: no domains of a skew are made of them alone */
export function rulesThatHold(
  { problem }: World,
  at: PlacementSnapshot,
  left: ReadonlySet<string>,
): ReadonlySet<string> {
  const held = new Set<string>();
  for (const [number, each] of problem.rules.entries()) if (keepsRule(at, each)) held.add(`rule ${number}`);
  for (const { request } of problem.functions) {
    const { functionId, affinities = [], spread = [] } = request;
    for (const [number, each] of affinities.entries())
      if (each.weight === undefined && keepsAffinity(problem, at, request, each))
        held.add(`affinity ${number} of ${functionId}`);
    const isTied =
      affinities.length > 0 || problem.rules.some((each) => each.functionIds.includes(functionId));
    for (const { by, maxSkew } of spread)
      if (maxSkew !== undefined && !isTied && skew(at, request, by, left) <= maxSkew)
        held.add(`skew of ${functionId}`);
  }
  return held;
}

function keepsRule(at: PlacementSnapshot, { type, functionIds, scope }: PlacementRule): boolean {
  const domains = functionIds.map((id) => holdersOf(at, id).map((host) => domainOf(host, scope)));
  if (domains.flat().includes(undefined)) return false;
  const counted =
    type === 'apart' && functionIds.length > 1
      ? domains.flatMap((each) => [...new Set(each)])
      : domains.flat();
  const distinct = new Set(counted).size;
  return type === 'together' ? distinct <= 1 : distinct === counted.length;
}

function keepsAffinity(
  { functions }: RelocationProblem,
  at: PlacementSnapshot,
  { functionId, labels = {} }: PlacementRequest,
  { type, with: text, scope }: NonNullable<PlacementRequest['affinities']>[number],
): boolean {
  const others = functions
    .filter(({ request }) => request.functionId !== functionId && holds(text, request.labels ?? {}))
    .flatMap(({ request }) => holdersOf(at, request.functionId))
    .map((host) => domainOf(host, scope));
  const own = holdersOf(at, functionId).map((host) => domainOf(host, scope));
  const isKin = holds(text, labels);
  if (type === 'apart') {
    const isClear = own.every((each) => each === undefined || !others.includes(each));
    // A host without the label is in no domain.
    const known = own.filter((each) => each !== undefined);
    return isClear && (!isKin || new Set(known).size === known.length);
  }
  if (isKin && others.length === 0) return new Set(own).size <= 1;
  return own.every((each) => each !== undefined && others.includes(each));
}

function skew(
  at: PlacementSnapshot,
  request: PlacementRequest,
  by: string,
  left: ReadonlySet<string>,
): number {
  const eligible = at.hosts.filter(
    (host) =>
      host.state === 'READY' &&
      !left.has(host.hostId) &&
      (request.tiers.length === 0 || request.tiers.includes(host.tier)) &&
      domainOf(host, by) !== undefined,
  );
  const holders = holdersOf(at, request.functionId).map((host) => domainOf(host, by));
  const count = (name: string | undefined): number => holders.filter((each) => each === name).length;
  const counts = [...new Set(eligible.map((host) => domainOf(host, by)))].map(count);
  const most = Math.max(0, ...holders.map(count));
  return most - (counts.length === 0 ? 0 : Math.min(...counts));
}

function hasRoom(host: HostSnapshot, { units: [unit] }: PlacementRequest): boolean {
  if (unit === undefined) return false;
  return (
    host.used.memoryBytes + unit.resources.memoryBytes <= host.allocatable.memoryBytes &&
    host.used.cpuMillis + unit.resources.cpuMillis <= host.allocatable.cpuMillis &&
    unit.fixedPorts.every((port) => !host.ports.includes(port))
  );
}

function change(
  snapshot: PlacementSnapshot,
  request: PlacementRequest,
  hostId: HostId,
  count: number,
): PlacementSnapshot {
  const { functionId, units } = request;
  const places = units.map(({ unit }) => ({ functionId, unit, hostId, instances: Math.abs(count) }));
  return applyPlan(
    snapshot,
    { requests: [request], rules: [] },
    {
      fits: true,
      additions: count > 0 ? places : [],
      removals: count < 0 ? places : [],
      evictions: [],
      skipped: [],
    },
  );
}
