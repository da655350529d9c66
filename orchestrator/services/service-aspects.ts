import type { VnfInstanceId } from '../../kernel/index.ts';
import { ownAspect, type ScalingAspect, type ServiceAspect } from '../../descriptors/index.ts';
import { countsOfRollout, countsOfWanted, intendedOf, packageOf, scaleLevel } from '../lifecycle/index.ts';
import type { StoredRecord } from '../store/index.ts';
import { constituentsOf, descriptorOf, type ServicesContext } from './context.ts';

/** One function that an aspect of a service scales. */
export interface ScaledFunction {
  readonly name: string;
  readonly vnfInstanceId: VnfInstanceId;
  readonly record: StoredRecord<'vnf-instance'>;
  /** By which it is scaled; undefined: its version has none. */
  readonly own: ScalingAspect | undefined;
  /** Steps of that aspect that are wanted now. */
  readonly steps: number;
}

/** An aspect of a service instance, as it is now. */
export interface CurrentAspect {
  readonly aspect: ServiceAspect;
  /** The highest level for which every function has enough; 0: not even for level 1. */
  readonly level: number;
  readonly functions: readonly ScaledFunction[];
}

type Instance = Pick<StoredRecord<'ns-instance'>, 'document'>;

/** The aspects of an instantiated service; of another one none. */
export function aspectsOfService(context: ServicesContext, record: Instance): readonly CurrentAspect[] {
  if (record.document.state !== 'INSTANTIATED') return [];
  return descriptorOf(context, record).aspects.map((aspect) => {
    const functions = functionsOf(context, record, aspect);
    return { aspect, functions, level: levelOf(aspect, functions) };
  });
}

function functionsOf(
  context: ServicesContext,
  record: Instance,
  { name: aspectName, levels }: ServiceAspect,
): readonly ScaledFunction[] {
  const scaled = levels[0] ?? {};
  return constituentsOf(context, record)
    .filter(({ name }) => Object.hasOwn(scaled, name))
    .map((constituent) => {
      const { document } = constituent.record;
      const { descriptor } = packageOf(context.lifecycle.context.catalog, document.vnfPkgId);
      const own = document.coverage === undefined ? ownAspect(descriptor, aspectName) : undefined;
      return {
        ...constituent,
        own,
        steps: own === undefined ? 0 : stepsOf(context, constituent.record, own),
      };
    });
}

/**
 * Steps of an aspect of a function that are wanted, also of copies that are on their way from one host to the next. Copies that a rollout has beside
 * those that they replace do not count.
 */
export function stepsOf(
  context: ServicesContext,
  record: StoredRecord<'vnf-instance'>,
  own: ScalingAspect,
): number {
  const { document } = record;
  const before = rolloutOf(context, record)?.document.before;
  const counts =
    before === undefined
      ? countsOfWanted(intendedOf(document))
      : countsOfRollout(context.lifecycle.context, document, before);
  return scaleLevel(own, counts);
}

/** The operation by which a function replaces its copies step by step, if it is busy with one. */
export function rolloutOf(
  { state }: Pick<ServicesContext, 'state'>,
  { document: { activeOpOcc } }: StoredRecord<'vnf-instance'>,
): StoredRecord<'vnf-lcm-op-occ'> | undefined {
  const operation = activeOpOcc === undefined ? undefined : state.get('vnf-lcm-op-occ', activeOpOcc);
  return operation?.document.rollout === undefined ? undefined : operation;
}

function levelOf({ levels }: ServiceAspect, functions: readonly ScaledFunction[]): number {
  const reached = levels.findLastIndex((level) =>
    functions.every(({ name, steps }) => steps >= (level[name] ?? 0)),
  );
  return reached + 1;
}
