import { unreachable } from '../../kernel/index.ts';
import type { HostId, VnfInstanceId } from '../../kernel/index.ts';
import type { Tier } from '../../descriptors/index.ts';
import type { HostIndex, Leniency } from './host-index.ts';
import type { Change } from './plan-types.ts';
import type { FixedPort, PlacementProblem, PlacementRequest, UnitDemand } from './types.ts';

/** The problem with changes made to it. Those of hosts are not of the problem: see `leniencyOf`. */
export function relaxProblem(problem: PlacementProblem, changes: readonly Change[]): PlacementProblem {
  return changes.reduce(relax, problem);
}

/** What changes make of hosts. */
export function leniencyOf(index: HostIndex, changes: readonly Change[]): Leniency {
  const readmitted = new Set<number>();
  const freed = new Map<number, FixedPort>();
  for (const change of changes) {
    if (change.kind !== 'undrain' && change.kind !== 'freePort') continue;
    const row = index.rowOf(change.hostId);
    if (row === undefined) continue;
    if (change.kind === 'undrain') readmitted.add(row);
    else freed.set(row, change.port);
  }
  return { readmitted, freed };
}

function relax(problem: PlacementProblem, change: Change): PlacementProblem {
  switch (change.kind) {
    case 'resource':
      return ofUnit(problem, change, (demand) => ({
        ...demand,
        resources: { ...demand.resources, [change.resource]: change.to },
      }));
    case 'device':
      return ofUnit(problem, change, (demand) => ({
        ...demand,
        resources: {
          ...demand.resources,
          devices: { ...demand.resources.devices, [change.device]: change.to },
        },
      }));
    case 'instances':
      return ofUnit(problem, change, (demand) => ({ ...demand, instances: change.to }));
    case 'port':
      return ofUnit(problem, change, (demand) => ({
        ...demand,
        fixedPorts: demand.fixedPorts.filter((port) => port !== change.port),
      }));
    case 'allow':
      return ofFunction(problem, change.functionId, (request) => allow(request, change));
    case 'require':
      return ofFunction(problem, change.functionId, ({ require, ...request }) => ({
        ...request,
        require: require.filter((expression) => expression !== change.expression),
      }));
    case 'reserve':
      return ofFunction(problem, change.functionId, (request) => ({ ...request, usesReserve: true }));
    case 'near':
    case 'maxSkew':
    case 'affinity':
      return ofFunction(problem, change.functionId, (request) => loosen(request, change));
    case 'rule':
      return { ...problem, rules: changed(problem.rules, change.at, softened) };
    case 'undrain':
    case 'freePort':
      return problem;
    default:
      return unreachable(change);
  }
}

function allow(
  request: PlacementRequest,
  { list, value }: Extract<Change, { readonly kind: 'allow' }>,
): PlacementRequest {
  switch (list) {
    case 'tiers':
      return { ...request, tiers: [...request.tiers, value as Tier] };
    case 'hosts':
      return { ...request, hosts: [...(request.hosts ?? []), value as HostId] };
    case 'tolerates':
      return { ...request, tolerates: [...(request.tolerates ?? []), value] };
    case 'architectures':
    case 'jurisdictions':
      return { ...request, [list]: [...request[list], value] };
    default:
      return unreachable(list);
  }
}

function loosen(
  request: PlacementRequest,
  change: Extract<Change, { readonly kind: 'near' | 'maxSkew' | 'affinity' }>,
): PlacementRequest {
  switch (change.kind) {
    case 'near': {
      const { at, to } = change;
      const near = changed(request.near ?? [], at, (each) =>
        to === undefined ? softened(each) : { ...each, maxMilliseconds: to },
      );
      return { ...request, near };
    }
    case 'maxSkew': {
      const { at, to } = change;
      const spread = changed(request.spread ?? [], at, ({ maxSkew: _maxSkew, ...each }) =>
        to === undefined ? each : { ...each, maxSkew: to },
      );
      return { ...request, spread };
    }
    case 'affinity':
      return { ...request, affinities: changed(request.affinities ?? [], change.at, softened) };
    default:
      return unreachable(change);
  }
}

function softened<T extends { readonly weight?: number }>(rule: T): T {
  return { ...rule, weight: 1 };
}

function changed<T>(list: readonly T[], at: number, change: (item: T) => T): readonly T[] {
  return list.map((item, place) => (place === at ? change(item) : item));
}

function ofFunction(
  problem: PlacementProblem,
  functionId: VnfInstanceId,
  change: (request: PlacementRequest) => PlacementRequest,
): PlacementProblem {
  const requests = problem.requests.map((request) =>
    request.functionId === functionId ? change(request) : request,
  );
  return { ...problem, requests };
}

function ofUnit(
  problem: PlacementProblem,
  { functionId, unit }: { readonly functionId: VnfInstanceId; readonly unit: string },
  change: (demand: UnitDemand) => UnitDemand,
): PlacementProblem {
  return ofFunction(problem, functionId, (request) => ({
    ...request,
    units: request.units.map((demand) => (demand.unit === unit ? change(demand) : demand)),
  }));
}
