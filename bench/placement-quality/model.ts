import { IotmanoError } from '../../kernel/index.ts';
import type {
  HostSnapshot,
  Near,
  Placement,
  PlacementProblem,
  PlacementRequest,
  PlacementSnapshot,
  UnitDemand,
} from '../../orchestrator/placement/index.ts';
import { domainOf, holds, latencyOf, suits } from '../../test/kit/plan-checker.ts';
import { LinearProgram, type Terms } from './linear-program.ts';

const DEFAULT_SPREAD_WEIGHT = 1000;
const DEFAULT_AVAILABILITY_WEIGHT = 5;
const TAINT_WEIGHT = 100;

/** A request with where it may be at all, by what the hosts are. */
interface Asker {
  readonly at: number;
  readonly request: PlacementRequest;
  readonly demand: UnitDemand;
  readonly count: number;
  readonly hosts: readonly HostSnapshot[];
}

export interface Model {
  readonly program: LinearProgram;
  /** Below what no plan is worth less: with it taken off, scores are positive. */
  readonly floor: number;
  readonly additions: (valueOf: (variable: string) => number) => readonly Placement[];
}

/**
 * The problem as a mixed-integer program, from the same snapshot and requests that the engine gets and from nothing of the engine: `x` counts instances
 * of a request on a host, `z` says whether a request holds a domain. Requests of one unit, hosts on which nothing is placed, weights of best effort above 0.
 */
export function buildModel({ hosts }: PlacementSnapshot, { requests, rules }: PlacementProblem): Model {
  const program = new LinearProgram();
  const askers = requests.map((request, at) => askerOf(program, hosts, request, at));
  const scene: Scene = { program, hosts, askers, floors: [] };
  for (const asker of askers) {
    program.require(
      asker.hosts.map((host) => [x(asker, host), 1]),
      '=',
      asker.count,
    );
    scoreHosts(scene, asker);
    for (const near of asker.request.near ?? []) addNear(scene, asker, near);
    for (const affinity of asker.request.affinities ?? []) {
      const kin = askers.filter(
        (other) => other !== asker && holds(affinity.with, other.request.labels ?? {}),
      );
      addRelation(scene, asker, kin, affinity);
    }
    for (const spread of asker.request.spread ?? []) addSpread(scene, asker, spread);
  }
  for (const rule of rules) {
    const members = askers.filter(({ request }) => rule.functionIds.includes(request.functionId));
    if (rule.weight === undefined) addRule(scene, members, rule);
    else
      for (const asker of members)
        addRelation(
          scene,
          asker,
          members.filter((other) => other !== asker),
          rule,
        );
  }
  for (const host of hosts) addRoom(scene, host);
  return {
    program,
    floor: scene.floors.reduce((total, floor) => total + floor, 0),
    additions: (valueOf) =>
      askers.flatMap((asker) =>
        asker.hosts
          .map((host) => ({
            functionId: asker.request.functionId,
            unit: asker.demand.unit,
            hostId: host.hostId,
            instances: Math.round(valueOf(x(asker, host))),
          }))
          .filter(({ instances }) => instances > 0),
      ),
  };
}

interface Scene {
  readonly program: LinearProgram;
  readonly hosts: readonly HostSnapshot[];
  readonly askers: readonly Asker[];
  /** The least that each part of the score can be. */
  readonly floors: number[];
}

function askerOf(
  program: LinearProgram,
  hosts: readonly HostSnapshot[],
  request: PlacementRequest,
  at: number,
): Asker {
  const [demand, ...others] = request.units;
  if (demand === undefined || others.length > 0)
    throw new IotmanoError('internal', `${request.name} has not one unit; the model knows no others`);
  const asker = { at, request, demand, count: demand.instances };
  const open = hosts.filter((host) => suits(request, demand, host));
  for (const host of open) program.variable(x({ at }, host), { most: demand.instances, isWhole: true });
  return { ...asker, hosts: open };
}

const x = ({ at }: Pick<Asker, 'at'>, host: HostSnapshot): string =>
  `x_${at}_${host.hostId.replaceAll('-', '_')}`;

/** Instances of a request in a domain. */
function inDomain(asker: Asker, scope: string, domain: string | undefined): Terms {
  return asker.hosts
    .filter((host) => domainOf(host, scope) === domain)
    .map((host) => [x(asker, host), 1] as const);
}

const domainsOf = (hosts: readonly HostSnapshot[], scope: string): readonly (string | undefined)[] => [
  ...new Set(hosts.map((host) => domainOf(host, scope))),
];

const named = (text: string): string => text.replaceAll(/[^\w]/g, '_');

/** 1 where a request holds any of a domain, 0 where it does not. */
function held({ program }: Scene, asker: Asker, scope: string, domain: string): string {
  const z = program.variable(`z_${asker.at}_${named(scope)}_${named(domain)}`, { most: 1, isWhole: true });
  const here = inDomain(asker, scope, domain);
  for (const [variable] of here)
    program.require(
      [
        [variable, 1],
        [z, -asker.count],
      ],
      '<=',
      0,
    );
  program.require([[z, 1], ...here.map(([variable]) => [variable, -1] as const)], '<=', 0);
  return z;
}

function addRoom({ program, askers }: Scene, host: HostSnapshot): void {
  const here = askers.filter((asker) => asker.hosts.includes(host));
  const fit = (of: (demand: UnitDemand) => number, free: number): void => {
    const terms = here.map((asker) => [x(asker, host), of(asker.demand)] as const);
    const needed = terms.filter(([, amount]) => amount > 0);
    if (needed.length > 0) program.require(needed, '<=', free);
  };
  const { allocatable, used } = host;
  const mebibyte = 2 ** 20;
  fit(({ resources }) => resources.cpuMillis, allocatable.cpuMillis - used.cpuMillis);
  fit(
    ({ resources }) => resources.memoryBytes / mebibyte,
    (allocatable.memoryBytes - used.memoryBytes) / mebibyte,
  );
  const devices = new Set(askers.flatMap(({ demand }) => Object.keys(demand.resources.devices ?? {})));
  for (const name of devices)
    fit(({ resources }) => resources.devices?.[name] ?? 0, allocatable.devices?.[name] ?? 0);
}

/** What a host is worth whoever else is where: preferences, taints, cost, availability, nearness to hosts and labels. */
function scoreHosts({ program, hosts, floors }: Scene, asker: Asker): void {
  const { prefer, tolerates = [], objectives = {}, near = [] } = asker.request;
  const { cost = 0, availability = DEFAULT_AVAILABILITY_WEIGHT } = objectives;
  const dearest = Math.max(0, ...hosts.map(({ costPerHour = 0 }) => costPerHour));
  const worth = (host: HostSnapshot): number => {
    let total = 0;
    for (const { expression, weight } of prefer) if (holds(expression, host.labels)) total += weight;
    if ((host.taints ?? []).some(({ text, effect }) => effect === 'avoid' && !tolerates.includes(text)))
      total -= TAINT_WEIGHT;
    if (dearest > 0) total -= (cost * (host.costPerHour ?? dearest)) / dearest;
    total += availability * ((host.availability ?? 1) - 1);
    for (const each of near) {
      const { to } = each;
      if ('functionId' in to) continue;
      const targets = hosts.filter(({ hostId }) => 'host' in to && hostId === to.host);
      total += nearness(each, host, targets);
    }
    return total;
  };
  const worths = asker.hosts.map((host) => [x(asker, host), worth(host)] as const);
  for (const [variable, factor] of worths) program.reward(variable, factor);
  if (worths.length > 0) floors.push(asker.count * Math.min(...worths.map(([, factor]) => factor)));
}

function nearness(near: Near, host: HostSnapshot, targets: readonly HostSnapshot[]): number {
  const found = latencyOf(near, host, targets);
  return found === undefined ? 0 : (near.weight ?? 1) * Math.max(0, 1 - found / near.maxMilliseconds);
}

/** Hard: someone to be near to is near enough. Always: `t` shares the instances of a host among targets, and the nearest is worth most. */
function addNear({ program, hosts, askers }: Scene, asker: Asker, near: Near): void {
  const { to, maxMilliseconds, weight } = near;
  const isEnough = (host: HostSnapshot, targets: readonly HostSnapshot[]): boolean =>
    (latencyOf(near, host, targets) ?? Infinity) <= maxMilliseconds;
  if (!('functionId' in to)) {
    const targets = hosts.filter(({ hostId }) => 'host' in to && hostId === to.host);
    for (const host of asker.hosts)
      if (weight === undefined && !isEnough(host, targets)) program.require([[x(asker, host), 1]], '=', 0);
    return;
  }
  const target = askers.find(({ request }) => request.functionId === to.functionId);
  if (target === undefined || target === asker) return;
  for (const host of asker.hosts) {
    const here = x(asker, host);
    if (weight === undefined)
      program.require(
        [
          [here, 1],
          ...target.hosts
            .filter((other) => isEnough(host, [other]))
            .map((other) => [x(target, other), -asker.count] as const),
        ],
        '<=',
        0,
      );
    const shares = target.hosts
      .map((other) => ({ other, worth: nearness(near, host, [other]) }))
      .filter(({ worth }) => worth > 0)
      .map(({ other, worth }) => {
        const t = program.variable(`t_${asker.at}_${target.at}_${named(host.hostId)}_${named(other.hostId)}`);
        program.reward(t, worth);
        program.require(
          [
            [t, 1],
            [x(target, other), -asker.count],
          ],
          '<=',
          0,
        );
        return [t, 1] as const;
      });
    if (shares.length > 0) program.require([...shares, [here, -1]], '<=', 0);
  }
}

/** Of a request to others: hard, domains are shared or not; best effort, `u` counts its instances in domains that hold any of them. */
function addRelation(
  scene: Scene,
  asker: Asker,
  kin: readonly Asker[],
  {
    type,
    scope,
    weight,
  }: { readonly type: 'together' | 'apart'; readonly scope: string; readonly weight?: number },
): void {
  const { program, floors } = scene;
  for (const domain of domainsOf(asker.hosts, scope)) {
    if (domain === undefined) continue;
    const here = inDomain(asker, scope, domain);
    const theirs = kin.map((other) => held(scene, other, scope, domain));
    if (weight === undefined && type === 'apart')
      for (const z of theirs)
        program.require(
          [
            [held(scene, asker, scope, domain), 1],
            [z, 1],
          ],
          '<=',
          1,
        );
    if (weight === undefined && type === 'together')
      program.require([...here, ...theirs.map((z) => [z, -asker.count] as const)], '<=', 0);
    if (weight === undefined) continue;
    const key = `u_${asker.at}_${type}_${kin.map(({ at }) => at).join('_')}_${named(scope)}_${named(domain)}`;
    const u = program.variable(key);
    program.reward(u, type === 'together' ? weight : -weight);
    if (type === 'together') {
      program.require([[u, 1], ...here.map(([variable]) => [variable, -1] as const)], '<=', 0);
      program.require([[u, 1], ...theirs.map((z) => [z, -asker.count] as const)], '<=', 0);
    } else for (const z of theirs) program.require([...here, [u, -1], [z, asker.count]], '<=', asker.count);
  }
  if (weight !== undefined && type === 'apart') floors.push(-weight * asker.count);
}

function addRule(
  scene: Scene,
  members: readonly Asker[],
  { type, scope }: PlacementProblem['rules'][number],
): void {
  const { program, hosts } = scene;
  const key = `g_${type}_${members.map(({ at }) => at).join('_')}_${named(scope)}`;
  for (const asker of members)
    for (const [variable] of inDomain(asker, scope, undefined)) program.require([[variable, 1]], '=', 0);
  const domains = domainsOf(hosts, scope).filter((domain) => domain !== undefined);
  for (const domain of domains) {
    const chosen = program.variable(`${key}_${named(domain)}`, { most: 1, isWhole: true });
    if (type === 'together')
      for (const asker of members)
        for (const [variable] of inDomain(asker, scope, domain))
          program.require(
            [
              [variable, 1],
              [chosen, -asker.count],
            ],
            '<=',
            0,
          );
    else if (members.length > 1)
      program.require(
        members.map((asker) => [held(scene, asker, scope, domain), 1] as const),
        '<=',
        1,
      );
    else for (const asker of members) program.require(inDomain(asker, scope, domain), '<=', 1);
  }
  if (type === 'together')
    program.require(
      domains.map((domain) => [`${key}_${named(domain)}`, 1] as const),
      '=',
      1,
    );
}

/** `v` counts the instances of a domain one by one: the second costs the weight, the third twice as much. */
function addSpread(
  { program, floors }: Scene,
  asker: Asker,
  { by, weight = DEFAULT_SPREAD_WEIGHT, maxSkew }: NonNullable<PlacementRequest['spread']>[number],
): void {
  const domains = domainsOf(asker.hosts, by);
  for (const domain of domains) {
    const here = inDomain(asker, by, domain);
    const counters = Array.from({ length: asker.count }, (_, before) => {
      const v = program.variable(`v_${asker.at}_${named(by)}_${named(domain ?? '')}_${before}`, { most: 1 });
      program.reward(v, -weight * before);
      return [v, -1] as const;
    });
    program.require([...here, ...counters], '=', 0);
    if (maxSkew !== undefined)
      for (const other of domains)
        if (other !== domain)
          program.require(
            [...here, ...inDomain(asker, by, other).map(([variable]) => [variable, -1] as const)],
            '<=',
            maxSkew,
          );
  }
  floors.push((-weight * asker.count * (asker.count - 1)) / 2);
}
