import { unreachable } from '../../kernel/index.ts';
import type { HostId, VnfInstanceId } from '../../kernel/index.ts';
import { nameOf } from './latency.ts';
import { spellBytes, spellCpu } from './quantities.ts';
import type { Change } from './plan-types.ts';
import type { PlacementProblem, PlacementRequest } from './types.ts';

/** "fits on 3 hosts if placement.tiers of broker also allowed cloud-edge": in the descriptors' own words. */
export function describeRelaxation(
  problem: PlacementProblem,
  changes: readonly Change[],
  hosts: number,
): string {
  const where = hosts === 0 ? '' : hosts === 1 ? ' on 1 host' : ` on ${hosts} hosts`;
  return `fits${where} if ${changes.map((change) => describeChange(problem, change)).join(' and ')}`;
}

/** A change for programs: what is changed of what, and to what; `text` says it for people. */
export interface ChangeView {
  readonly text: string;
  /** What of a descriptor, or of a request, is to be changed; absent: something is done to a host. */
  readonly property?: string;
  /** Whose: the name of the function. */
  readonly function?: string;
  readonly unit?: string;
  readonly hostId?: HostId;
  /** What it is to be at most, or what is allowed as well, or no longer asked for, as a descriptor spells it; absent: best effort. */
  readonly value?: string;
}

export function viewChange(problem: PlacementProblem, change: Change): ChangeView {
  const property = propertyOf(change);
  const value = valueOf(change);
  return {
    text: describeChange(problem, change),
    ...(property === undefined ? {} : { property }),
    ...('functionId' in change ? { function: functionOf(problem, change) } : {}),
    ...('unit' in change ? { unit: change.unit } : {}),
    ...('hostId' in change ? { hostId: change.hostId } : {}),
    ...(value === undefined ? {} : { value }),
  };
}

function propertyOf(change: Change): string | undefined {
  switch (change.kind) {
    case 'resource':
      return RESOURCES[change.resource];
    case 'device':
      return `resources.devices.${change.device}`;
    case 'instances':
      return 'instances';
    case 'port':
      return 'ports';
    case 'allow':
      return ALLOWING[change.list];
    case 'require':
      return 'placement.require';
    case 'near':
      return change.to === undefined ? 'placement.near' : 'placement.near.maxLatency';
    case 'maxSkew':
      return 'placement.spread.maxSkew';
    case 'affinity':
      return 'placement.affinities';
    case 'rule':
      return 'placement';
    case 'reserve':
      return 'placement.priority';
    case 'undrain':
    case 'freePort':
      return undefined;
    default:
      return unreachable(change);
  }
}

const RESOURCES = {
  memoryBytes: 'resources.memory',
  cpuMillis: 'resources.cpu',
  storageBytes: 'volumes',
} as const;

function valueOf(change: Change): string | undefined {
  switch (change.kind) {
    case 'resource':
      return change.resource === 'cpuMillis' ? spellCpu(change.to) : spellBytes(change.to);
    case 'device':
    case 'instances':
      return String(change.to);
    case 'port':
    case 'freePort':
      return change.port;
    case 'allow':
      return change.value;
    case 'require':
      return change.expression;
    case 'near':
      return change.to === undefined ? undefined : `${change.to}ms`;
    case 'maxSkew':
      return change.to === undefined ? undefined : String(change.to);
    case 'affinity':
    case 'rule':
    case 'reserve':
    case 'undrain':
      return undefined;
    default:
      return unreachable(change);
  }
}

function describeChange(problem: PlacementProblem, change: Change): string {
  switch (change.kind) {
    case 'resource':
      return amount(problem, change);
    case 'device':
      return `resources.devices.${change.device} of ${unitOf(problem, change)} were ${change.to}`;
    case 'instances':
      return `${unitOf(problem, change)} had ${change.to} instance${change.to === 1 ? '' : 's'} instead of ${change.from}`;
    case 'port':
      return `ports of ${unitOf(problem, change)} left ${change.port} to the host to choose`;
    case 'allow':
      return `${ALLOWING[change.list]} of ${functionOf(problem, change)} also ${change.list === 'tolerates' ? 'named' : 'allowed'} ${change.value}`;
    case 'require':
      return `placement.require of ${functionOf(problem, change)} did not ask for "${change.expression}"`;
    case 'near':
    case 'maxSkew':
    case 'affinity':
      return loosened(problem, change);
    case 'rule':
      return rule(problem, change.at);
    case 'reserve':
      return `${functionOf(problem, change)} might use what is reserved (placement.priority above 0)`;
    case 'undrain':
      return `${change.hostId}, which is being drained, were used again`;
    case 'freePort':
      return `port ${change.port} were free on ${change.hostId}`;
    default:
      return unreachable(change);
  }
}

const ALLOWING = {
  tiers: 'placement.tiers',
  architectures: 'placement.architectures',
  jurisdictions: 'placement.jurisdictions',
  tolerates: 'placement.tolerate',
  hosts: 'constraints.hosts',
} as const;

function amount(problem: PlacementProblem, change: Extract<Change, { readonly kind: 'resource' }>): string {
  const together = change.resource === 'storageBytes' ? ' together' : '';
  return `${RESOURCES[change.resource]} of ${unitOf(problem, change)} were at most ${valueOf(change)}${together}`;
}

function loosened(
  problem: PlacementProblem,
  change: Extract<Change, { readonly kind: 'near' | 'maxSkew' | 'affinity' }>,
): string {
  const request = requestOf(problem, change.functionId);
  const name = functionOf(problem, change);
  switch (change.kind) {
    case 'near': {
      const near = request?.near?.[change.at];
      const what = `placement.near of ${name} to ${near === undefined ? '' : nameOf(near)}`;
      return change.to === undefined
        ? `${what} had a weight (best effort)`
        : `${what} had a maxLatency of ${change.to}ms`;
    }
    case 'maxSkew': {
      const what = `placement.spread of ${name} by ${request?.spread?.[change.at]?.by}`;
      return change.to === undefined ? `${what} had no maxSkew` : `${what} had a maxSkew of ${change.to}`;
    }
    case 'affinity': {
      const affinity = request?.affinities?.[change.at];
      return `placement.affinities of ${name} (${affinity?.type} with "${affinity?.with}") had a weight (best effort)`;
    }
    default:
      return unreachable(change);
  }
}

function rule(problem: PlacementProblem, at: number): string {
  const { type, scope, functionIds } = problem.rules[at] ?? { type: '', scope: '', functionIds: [] };
  const names = functionIds.map((functionId) => functionOf(problem, { functionId })).join(', ');
  return `the rule of the service that ${names} be ${type} by ${scope} had a weight (best effort)`;
}

function requestOf({ requests }: PlacementProblem, id: VnfInstanceId): PlacementRequest | undefined {
  return requests.find(({ functionId }) => functionId === id);
}

function functionOf(
  problem: PlacementProblem,
  { functionId }: { readonly functionId: VnfInstanceId },
): string {
  return requestOf(problem, functionId)?.name ?? functionId;
}

function unitOf(
  problem: PlacementProblem,
  { functionId, unit }: { readonly functionId: VnfInstanceId; readonly unit: string },
): string {
  return `${functionOf(problem, { functionId })}/${unit}`;
}
