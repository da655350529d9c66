import { IotmanoError, type TenantId, type VnfInstanceId } from '../../kernel/index.ts';
import type { IoTServiceDescriptor } from '../../descriptors/index.ts';
import { wantedVnfcs, type WantedUnit } from '../domain/index.ts';
import {
  applyPlacement,
  choicesIn,
  reportFailure,
  reportSuccess,
  searchEffort,
  toPlacementRequest,
  type LifecycleContext,
  type PlanReport,
} from '../lifecycle/index.ts';
import {
  describePlan,
  describeRefusal,
  type PlacementProblem,
  type PlacementResult,
  type Planner,
} from '../placement/index.ts';
import type { ResolvedConstituent, ResolvedService } from './resolve-service.ts';

/** A service is deployed rarely and stays for long: its plan is worth a little search even where the first one fits. */
const SERVICE_EFFORT = { searchSteps: 2000, improvementSteps: 500, milliseconds: 500 };

/** Where all functions of a service would be, planned as one. */
export interface ServicePlan {
  readonly problem: PlacementProblem;
  readonly result: PlacementResult;
  /** By constituent; undefined when something finds no host. */
  readonly reservations?: Readonly<Record<string, readonly WantedUnit[]>>;
}

/**
 * Places all functions of a service that has none yet, heeding its rules and who must reach whom.
 * @param planner what looks for the places: it says more of it to who shows the plan than to who carries it out
 */
export function planService(
  context: Pick<LifecycleContext, 'inventory' | 'limits' | 'clock' | 'state'>,
  tenant: TenantId,
  descriptor: IoTServiceDescriptor,
  service: ResolvedService,
  idOf: (constituent: string) => VnfInstanceId,
  planner: Planner,
): ServicePlan {
  const problem: PlacementProblem = {
    requests: service.constituents.map((constituent) =>
      toPlacementRequest({
        vnfInstanceId: idOf(constituent.name),
        tenant,
        instance: {
          name: constituent.name,
          constituent: constituent.name,
          bind: bindIds(constituent, idOf),
          constraints: {},
          ...(constituent.coverage === undefined ? {} : { coverage: constituent.coverage }),
        },
        function: constituent.function,
        counts: constituent.counts,
        dependents: service.constituents
          .filter((other) => Object.values(other.bind).includes(constituent.name))
          .map(({ name }) => idOf(name)),
      }),
    ),
    rules: descriptor.placement.map(({ type, functions, scope, weight }) => ({
      type,
      scope,
      ...(weight === undefined ? {} : { weight }),
      functionIds: functions.map(idOf),
    })),
  };
  const options = searchEffort(context, SERVICE_EFFORT);
  const result = context.inventory.look((index) => planner(index, problem, options));
  if (!result.fits) return { problem, result };
  return {
    problem,
    result,
    reservations: Object.fromEntries(
      service.constituents.map(({ name, coverage }) => [
        name,
        applyPlacement(
          [],
          [],
          result.additions.filter(({ functionId }) => functionId === idOf(name)),
          [],
          { generation: 1, isCoverage: coverage !== undefined },
        ),
      ]),
    ),
  };
}

export function bindIds(
  { bind }: ResolvedConstituent,
  idOf: (constituent: string) => VnfInstanceId,
): Readonly<Record<string, VnfInstanceId>> {
  return Object.fromEntries(Object.entries(bind).map(([requirement, name]) => [requirement, idOf(name)]));
}

/** @param idOf the ids that it was planned with */
export function reportServicePlan(
  { problem, result, reservations }: ServicePlan,
  idOf: (constituent: string) => VnfInstanceId,
): PlanReport {
  if (reservations === undefined) return reportFailure(problem, result);
  const choiceOf = choicesIn(result);
  const instances = Object.entries(reservations).flatMap(([name, wanted]) =>
    wantedVnfcs(wanted).map((copy) => ({
      function: name,
      unit: copy.unit,
      hostId: copy.hostId,
      slot: copy.slot,
      change: 'ADDED' as const,
      ...choiceOf(idOf(name), copy),
    })),
  );
  return reportSuccess(problem, result, instances);
}

/** @throws IotmanoError `no-host-fits` with the reasons, and the least that would help */
export function requireFit(plan: ServicePlan): Readonly<Record<string, readonly WantedUnit[]>> {
  if (plan.reservations === undefined) {
    const reasons = describePlan(plan.problem, plan.result);
    throw new IotmanoError('no-host-fits', describeRefusal(plan.problem, plan.result), { reasons });
  }
  return plan.reservations;
}
