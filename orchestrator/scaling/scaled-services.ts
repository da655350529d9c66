import { IotmanoError, type NsInstanceId } from '../../kernel/index.ts';
import { indicatorsOfAspect, type ScalingAspect, type ScalingPolicy } from '../../descriptors/index.ts';
import { packageOf } from '../lifecycle/index.ts';
import {
  aspectsOfService,
  type CurrentAspect,
  type ScaledFunction,
  type Services,
} from '../services/index.ts';
import { indicatorsOfPolicy, type Reading } from './policies/index.ts';
import { everySecondsOf, mostDemanding, readingsOfFunction } from './readings.ts';
import type { Scaled, ScaledAspect } from './scaled.ts';
import type { ScaledFunctionsContext } from './scaled-functions.ts';

export interface ScaledServicesContext extends ScaledFunctionsContext {
  readonly services: Pick<Services, 'automaticScalings' | 'context'>;
}

/** A service as the loop sees it: its level is that of all functions together. */
export function scaledService(context: ScaledServicesContext, id: string): Scaled | undefined {
  const { store, services } = context;
  const record = store.get('ns-instance', id);
  if (record === undefined) return undefined;
  const { tenant, document } = record;
  const nsInstanceId = id as NsInstanceId;
  const all = aspectsOfService(services.context, record);
  const find = (name: string): CurrentAspect => {
    const found = all.find(({ aspect }) => aspect.name === name);
    if (found !== undefined) return found;
    throw new IotmanoError('internal', `${document.name} has no scaling aspect ${name}`);
  };
  return {
    kind: 'service',
    id: nsInstanceId,
    tenant,
    name: document.name,
    // What was terminated with the service, and is not there, is not brought back by a policy.
    isActive: document.state === 'INSTANTIATED' && all.every(isThere),
    isFree: document.activeOpOcc === undefined,
    aspects: all.map(toScaledAspect),
    functions: [...new Set(all.flatMap(({ functions }) => functions.map((each) => each.vnfInstanceId)))],
    levelOf: (name) => find(name).level,
    readingsOf: (name, policy, now) => readingsOf(context, find(name), policy, now),
    everySecondsOf: (name) =>
      Math.min(
        ...reachable(find(name)).map(({ vnfInstanceId, own }) =>
          everySecondsOf(context.monitoring, vnfInstanceId, own),
        ),
      ),
    levelWithin: (name, left) => levelWithin(find(name), left),
    scopeOf: (name) => scopeOf(context, find(name)),
    start: (scaling, limits, alongside) =>
      services.automaticScalings.start(
        nsInstanceId,
        scaling,
        (before, after) => limits?.refusalOf(before, after),
        alongside,
      ),
    failureOf: (operationId) => {
      const operation = store.get('ns-lcm-op-occ', operationId)?.document;
      const hasFailed = operation?.state === 'ROLLED_BACK' || operation?.state === 'FAILED';
      return hasFailed ? (operation.error?.detail ?? 'it was undone') : undefined;
    },
  };
}

function isThere({ functions }: CurrentAspect): boolean {
  return functions.every(({ record }) => record.document.instantiationState === 'INSTANTIATED');
}

function toScaledAspect({ aspect, functions }: CurrentAspect): ScaledAspect {
  const { name, levels, policy } = aspect;
  return {
    aspect: name,
    min: 1,
    max: levels.length,
    ...(policy === undefined ? {} : { policy }),
    drives: Object.fromEntries(
      functions.flatMap((each) => (each.own === undefined ? [] : [[each.name, each.own.aspect]])),
    ),
  };
}

type ReachableFunction = ScaledFunction & { readonly own: ScalingAspect };

/** Those that can be scaled in the version that they are of. */
function reachable({ functions }: CurrentAspect): readonly ReachableFunction[] {
  return functions.flatMap((each) => (each.own === undefined ? [] : [{ ...each, own: each.own }]));
}

/** A function that has an indicator and does not tell it makes it incomplete: nobody knows what that one does. */
function readingsOf(
  context: ScaledServicesContext,
  current: CurrentAspect,
  policy: ScalingPolicy,
  now: number,
): readonly Reading[] {
  const told = reachable(current).map((each) => {
    const { vnfInstanceId, record, name, own } = each;
    const self = { vnfInstanceId, tenant: record.tenant, instance: record.document };
    const readings = readingsOfFunction(context.monitoring, self, own, policy, now);
    return {
      has: indicatorsOf(context, each),
      readings: readings.map(({ unit: _unit, ...reading }) => ({
        ...reading,
        instancesAt: current.aspect.levels.map((level) => (level[name] ?? 0) * reading.delta),
      })),
    };
  });
  const silent = new Set(
    indicatorsOfPolicy(policy).filter((indicator) =>
      told.some(
        ({ has, readings }) =>
          has.includes(indicator) && readings.every((one) => one.indicator !== indicator),
      ),
    ),
  );
  const all = told.flatMap(({ readings }) => readings);
  const complete = all.map((one) => ({ ...one, isComplete: one.isComplete && !silent.has(one.indicator) }));
  // Each is to be at the same target: whose instances have most to do asks for most.
  return mostDemanding(complete, ({ value }) => value);
}

function indicatorsOf(context: ScaledServicesContext, { record, own }: ReachableFunction): readonly string[] {
  const { descriptor } = packageOf(context.lifecycle.context.catalog, record.document.vnfPkgId);
  return indicatorsOfAspect(descriptor, own);
}

function levelWithin(current: CurrentAspect, left: number): number {
  const { levels } = current.aspect;
  const added = (to: number): number =>
    reachable(current)
      .map(({ name, own, steps }) => {
        const perStep = Object.values(own.deltas).reduce((sum, delta) => sum + delta, 0);
        return Math.max(0, (levels[to - 1]?.[name] ?? 0) - steps) * perStep;
      })
      .reduce((sum, count) => sum + count, 0);
  let highest = current.level;
  while (highest < levels.length && added(highest + 1) <= left) highest += 1;
  return highest;
}

/** Units of all functions that it scales, as far as it scales them. */
function scopeOf(context: ScaledServicesContext, current: CurrentAspect): ReturnType<Scaled['scopeOf']> {
  const { aspect } = current;
  const units = reachable(current).flatMap(({ record, own }) =>
    packageOf(context.lifecycle.context.catalog, record.document.vnfPkgId).descriptor.units.filter(
      ({ name }) => Object.hasOwn(own.deltas, name),
    ),
  );
  return {
    descriptor: { units },
    aspect: { aspect: aspect.name, deltas: {}, min: 1, max: aspect.levels.length },
  };
}
