import type { HostId, VnfInstanceId } from '../../kernel/index.ts';
import {
  copyName,
  vnfcInstanceId,
  wantedVnfcs,
  type VnfLcmOpOccDocument,
  type WantedVnfc,
} from '../domain/index.ts';
import {
  planPlacement,
  type HostIndex,
  type PlacementProblem,
  type PlacementResult,
} from '../placement/index.ts';
import type { FunctionRecord } from './abandoned.ts';
import type { HealParams } from './vnf-requests.ts';

/** One copy that is to be placed on one host, and nowhere else. */
export interface Seat {
  readonly functionId: VnfInstanceId;
  readonly unit: string;
  readonly hostId: HostId;
}

/** The hosts that an operation has chosen for copies, by `copyName`; copies that are there already are left out. */
export function targetsIn(
  { vnfInstanceId, tenant, instance }: FunctionRecord,
  { operation, state, operationParams }: Pick<VnfLcmOpOccDocument, 'operation' | 'operationParams' | 'state'>,
): ReadonlyMap<string, HostId> {
  const targets = new Map<string, HostId>();
  if (operation !== 'HEAL') return targets;
  const { targetHosts = {} } = (operationParams['additionalParams'] ?? {}) as HealParams;
  const key = { tenant, vnfInstanceId };
  // What is wanted has moved with the grant: afterwards only what has to be gone before it is placed is on its way.
  const movable = [
    ...(state === 'STARTING' ? wantedVnfcs(instance.wanted) : []),
    ...(instance.displaced ?? []),
  ];
  for (const copy of movable) {
    const id = vnfcInstanceId(copy.hostId, { ...key, ...copy }, copy.slot);
    const hostId = targetHosts[id] ?? targetHosts[`${copy.unit}-${copy.slot}`];
    if (hostId !== undefined && hostId !== copy.hostId) targets.set(copyName(copy), hostId);
  }
  return targets;
}

export function seatsOf(
  functionId: VnfInstanceId,
  copies: readonly WantedVnfc[],
  targets: ReadonlyMap<string, HostId>,
): readonly Seat[] {
  return copies.flatMap((copy) => {
    const hostId = targets.get(copyName(copy));
    return hostId === undefined ? [] : [{ functionId, unit: copy.unit, hostId }];
  });
}

/**
 * Plans as `planPlacement` does, with some instances on the hosts that were chosen for them: each is checked there as any other is.
 * @param plan places those that have no seat
 * @returns the reasons, where one of them may not be placed on its host now
 */
export function planSeated(
  index: HostIndex,
  problem: PlacementProblem,
  seats: readonly Seat[],
  plan: (index: HostIndex, problem: PlacementProblem) => PlacementResult = planPlacement,
): PlacementResult {
  if (seats.length === 0) return plan(index, problem);
  const begin = index.mark();
  try {
    const refusal = takeSeats(index, problem, seats);
    if (refusal !== undefined) return refusal;
    const rest = plan(index, problem);
    if (!rest.fits) return rest;
    const seated = seats.map((seat) => ({ ...seat, instances: 1 }));
    return { ...rest, additions: [...seated, ...rest.additions] };
  } finally {
    index.tellGained(index.rollback(begin));
  }
}

/** Books each seat, if it is right and free. @returns what stands against the first that is not; what was booked until then stays booked */
export function takeSeats(
  index: HostIndex,
  { requests, rules }: PlacementProblem,
  seats: readonly Seat[],
): PlacementResult | undefined {
  for (const { functionId, unit, hostId } of seats) {
    const request = requests.find((each) => each.functionId === functionId);
    const demand = request?.units.find((each) => each.unit === unit);
    const row = index.rowOf(hostId);
    if (request === undefined || demand === undefined) continue;
    const isAllowed = request.hosts === undefined || request.hosts.includes(hostId);
    const one = {
      ...request,
      hosts: isAllowed ? [hostId] : [],
      avoidHosts: [],
      units: request.units.map((each) => ({
        ...each,
        instances: index.occupancy.countOf(functionId, each.unit) + Number(each.unit === unit),
      })),
    };
    const result = planPlacement(index, { requests: [one], rules });
    if (!result.fits || row === undefined) return result;
    index.book(functionId, demand, row, 1);
  }
  return undefined;
}
