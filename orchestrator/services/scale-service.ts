import { IotmanoError } from '../../kernel/index.ts';
import type { ServiceScaling } from '../domain/index.ts';
import {
  overrideOf,
  packageOf,
  planOperation,
  reportPlan,
  requireScalable,
  type PlanReport,
  type ScaleRequest,
  type WantedOverride,
  type WantedPlan,
} from '../lifecycle/index.ts';
import { describeRefusal, type Planner } from '../placement/index.ts';
import type { StoredRecord } from '../store/index.ts';
import type { ServicesContext } from './context.ts';
import { aspectsOfService, rolloutOf, type CurrentAspect, type ScaledFunction } from './service-aspects.ts';

/** SOL005 ScaleNsRequest, as far as it is served: one aspect of the service, by steps or to a level. */
export interface ScaleNs {
  readonly scaleType: 'SCALE_NS';
  readonly scaleNsData: {
    readonly scaleNsByStepsData?: {
      readonly scalingDirection: 'SCALE_OUT' | 'SCALE_IN';
      readonly aspectId: string;
      readonly numberOfSteps?: number;
    };
    readonly scaleNsToLevelData?: {
      readonly nsScaleInfo: readonly {
        readonly nsScalingAspectId: string;
        /** Number of the level, from 1 on. */
        readonly nsScaleLevelId: string;
      }[];
    };
  };
}

type Instance = StoredRecord<'ns-instance'>;

/**
 * What a request to scale a service comes to, checked against its functions before anything is touched.
 * @throws IotmanoError `unprocessable` for an aspect or level that there is not, `conflict` beyond what is possible now
 */
export function parseScaling(context: ServicesContext, record: Instance, request: ScaleNs): ServiceScaling {
  const { scaleNsByStepsData: bySteps, scaleNsToLevelData: toLevel } = request.scaleNsData;
  const name = bySteps?.aspectId ?? toLevel?.nsScaleInfo[0]?.nsScalingAspectId ?? '';
  const current = requireAspect(context, record, name);
  const to =
    bySteps === undefined
      ? parseLevel(current, toLevel?.nsScaleInfo[0]?.nsScaleLevelId ?? '')
      : levelAfter(current, bySteps);
  return scalingTo(context, current, to);
}

function requireAspect(context: ServicesContext, record: Instance, name: string): CurrentAspect {
  const all = aspectsOfService(context, record);
  const found = all.find(({ aspect }) => aspect.name === name);
  if (found !== undefined) return found;
  const names = all.map(({ aspect }) => aspect.name).join(', ') || 'none';
  throw new IotmanoError(
    'unprocessable',
    `${record.document.name} has no scaling aspect "${name.slice(0, 80)}"; it has: ${names}`,
  );
}

function parseLevel({ aspect }: CurrentAspect, text: string): number {
  const level = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (level >= 1 && level <= aspect.levels.length) return level;
  throw new IotmanoError(
    'unprocessable',
    `aspect ${aspect.name} has no level "${text.slice(0, 80)}"; it has the levels 1 to ${aspect.levels.length}`,
  );
}

function levelAfter(
  { aspect, level }: CurrentAspect,
  { scalingDirection, numberOfSteps = 1 }: NonNullable<ScaleNs['scaleNsData']['scaleNsByStepsData']>,
): number {
  const to = level + (scalingDirection === 'SCALE_OUT' ? numberOfSteps : -numberOfSteps);
  if (to >= 1 && to <= aspect.levels.length) return to;
  throw new IotmanoError(
    'conflict',
    `aspect ${aspect.name} is at level ${level} and goes from 1 to ${aspect.levels.length}; ${scalingDirection} by ${numberOfSteps} would lead to ${to}`,
  );
}

/**
 * The way of an aspect to a level that it has.
 * @throws IotmanoError `conflict` or `unprocessable` where one of the functions cannot be scaled so
 */
export function scalingTo(
  context: ServicesContext,
  { aspect, level, functions }: CurrentAspect,
  to: number,
): ServiceScaling {
  const wanted = aspect.levels[to - 1] ?? {};
  return {
    aspect: aspect.name,
    from: level,
    to,
    functions: Object.fromEntries(
      functions.map((each) => {
        const { name, own, steps } = each;
        requireThere(each);
        requireNoRollout(context, each);
        if (own === undefined)
          throw new IotmanoError(
            'conflict',
            `${each.record.document.name} has no aspect by which ${aspect.name} could scale it: its version has none of that name, and not just one`,
          );
        const after = wanted[name] ?? steps;
        requireReachable(context, each, own.aspect, after - steps);
        return [name, { aspect: own.aspect, before: steps, after }];
      }),
    ),
  };
}

/** A termination of the service that did not come to its end leaves some functions terminated: a scaling does not start them again. */
function requireThere({ record: { document } }: ScaledFunction): void {
  if (document.instantiationState !== 'INSTANTIATED')
    throw new IotmanoError(
      'conflict',
      `${document.name} is ${document.instantiationState}, and a service is scaled only with all functions of the aspect; terminate the service, and instantiate it anew`,
    );
}

/** Its room is planned from the copies that are wanted, among which are those that are about to be replaced. */
function requireNoRollout(context: ServicesContext, { record }: ScaledFunction): void {
  const rollout = rolloutOf(context, record);
  if (rollout !== undefined)
    throw new IotmanoError(
      'conflict',
      `${record.document.name} replaces its instances by its ${rollout.document.operation} ${rollout.id}; scale the service when that is over, or end it`,
      { vnfLcmOpOccId: rollout.id },
    );
}

function requireReachable(
  context: ServicesContext,
  { record: { document } }: ScaledFunction,
  aspectId: string,
  steps: number,
): void {
  const pkg = packageOf(context.lifecycle.context.catalog, document.vnfPkgId);
  if (steps !== 0) requireScalable(pkg, document, requestFor(aspectId, steps));
}

/** SOL003's request for so many steps; negative ones are in. */
export function requestFor(aspectId: string, steps: number): ScaleRequest {
  return { type: steps > 0 ? 'SCALE_OUT' : 'SCALE_IN', aspectId, numberOfSteps: Math.abs(steps) };
}

/** The plan of one of the functions, with those before it as they will be. */
export interface FunctionPlan {
  readonly name: string;
  readonly record: StoredRecord<'vnf-instance'>;
  readonly plan: WantedPlan;
}

/** Plans all functions together, up to the first for which there is no room: that one's plan is the last, and wants nothing. */
export function planScaling(
  context: ServicesContext,
  record: Instance,
  { aspect, functions }: ServiceScaling,
  planner: Planner,
): readonly FunctionPlan[] {
  const plans: FunctionPlan[] = [];
  const besides: WantedOverride[] = [];
  for (const each of requireAspect(context, record, aspect).functions) {
    const change = functions[each.name];
    if (change === undefined || change.after === change.before) continue;
    const { vnfInstanceId } = each;
    const { tenant, document } = each.record;
    const plan = planOperation(
      context.lifecycle.context,
      { vnfInstanceId, tenant, instance: document },
      {
        operation: 'SCALE',
        state: 'STARTING',
        operationParams: { ...requestFor(change.aspect, change.after - change.before) },
      },
      { planner, besides },
    );
    plans.push({ name: each.name, record: each.record, plan });
    if (plan.wanted === undefined) break;
    besides.push(overrideOf(vnfInstanceId, document, plan.wanted));
  }
  return plans;
}

/** @throws IotmanoError `no-host-fits` with the reasons and the least that would help */
export function requireRoom(plans: readonly FunctionPlan[]): void {
  const without = plans.find(({ plan }) => plan.wanted === undefined);
  if (without !== undefined)
    throw new IotmanoError(
      'no-host-fits',
      `${without.name}: ${describeRefusal(without.plan.problem, without.plan.result)}`,
    );
}

/** Where the instances of all functions would be; where one has no room, why. */
export function reportScaling(plans: readonly FunctionPlan[]): PlanReport {
  const reports = plans.map(({ name, record, plan }) =>
    reportPlan(
      { vnfInstanceId: record.id as ScaledFunction['vnfInstanceId'], name },
      record.document.wanted,
      plan,
    ),
  );
  return (
    reports.find(({ fits }) => !fits) ?? {
      fits: true,
      instances: reports.flatMap(({ instances }) => instances),
      reasons: reports.flatMap(({ reasons }) => reasons),
      shortfalls: [],
      relaxations: [],
    }
  );
}
