import { IotmanoError } from '../../kernel/index.ts';
import type { IoTFunctionDescriptor, ScalingAspect } from '../../descriptors/index.ts';
import { wantedVnfcs, type WantedUnit } from '../domain/index.ts';

/** Instances by unit. */
export type UnitCounts = Readonly<Record<string, number>>;

/**
 * Instances of a flavour at an instantiation level; the first of each where none is named.
 * @throws IotmanoError `unprocessable`, listing what there is
 */
export function countsOfLevel(
  { metadata, flavours, units }: IoTFunctionDescriptor,
  flavourName: string | undefined,
  levelName: string | undefined,
): { readonly flavour: string; readonly level: string; readonly counts: UnitCounts } {
  if (flavours.length === 0) {
    const counts = Object.fromEntries(units.map(({ name }) => [name, 1]));
    return { flavour: flavourName ?? 'default', level: levelName ?? 'default', counts };
  }
  const flavour = flavours.find(({ name }) => name === (flavourName ?? flavours[0]?.name));
  if (flavour === undefined) throw unknown('flavour', flavourName, metadata.productName, flavours);
  const level = flavour.levels.find(({ name }) => name === (levelName ?? flavour.levels[0]?.name));
  if (level === undefined) throw unknown('level', levelName, metadata.productName, flavour.levels);
  return { flavour: flavour.name, level: level.name, counts: level.instances };
}

function unknown(
  what: string,
  name: string | undefined,
  product: string,
  known: readonly { readonly name: string }[],
): IotmanoError {
  const names = known.map((item) => item.name).join(', ');
  return new IotmanoError('unprocessable', `${product} has no ${what} "${name}"; it has: ${names}`);
}

/** Instances by unit of what is wanted. */
export function countsOfWanted(wanted: readonly WantedUnit[]): UnitCounts {
  const counts: Record<string, number> = {};
  for (const { unit } of wantedVnfcs(wanted)) counts[unit] = (counts[unit] ?? 0) + 1;
  return counts;
}

export interface ScaleRequest {
  readonly type: 'SCALE_OUT' | 'SCALE_IN';
  readonly aspectId: string;
  readonly numberOfSteps?: number;
}

/**
 * Instances after a scale operation.
 * @throws IotmanoError `unprocessable` for an aspect that the descriptor does not have, `conflict` beyond its minimum or maximum
 */
export function countsAfterScaling(
  { metadata, scaling }: IoTFunctionDescriptor,
  counts: UnitCounts,
  request: ScaleRequest,
): UnitCounts {
  const aspect = scaling.find(({ aspect: name }) => name === request.aspectId);
  if (aspect === undefined)
    throw new IotmanoError(
      'unprocessable',
      `${metadata.productName} has no scaling aspect "${request.aspectId}"; it has: ${scaling.map(({ aspect: name }) => name).join(', ') || 'none'}`,
    );
  const steps = (request.numberOfSteps ?? 1) * (request.type === 'SCALE_OUT' ? 1 : -1);
  const level = scaleLevel(aspect, counts) + steps;
  if (level < aspect.min || level > aspect.max)
    throw new IotmanoError(
      'conflict',
      `aspect ${aspect.aspect} goes from ${aspect.min} to ${aspect.max}; ${request.type} by ${Math.abs(steps)} would lead to ${level}`,
    );
  const scaled = { ...counts };
  for (const [unit, delta] of Object.entries(aspect.deltas))
    scaled[unit] = Math.max(0, (counts[unit] ?? 0) + delta * steps);
  return scaled;
}

/** Steps of an aspect that the instances amount to: of the unit that has fewest in proportion. */
export function scaleLevel({ deltas }: ScalingAspect, counts: UnitCounts): number {
  const levels = Object.entries(deltas)
    .filter(([, delta]) => delta > 0)
    .map(([unit, delta]) => Math.floor((counts[unit] ?? 0) / delta));
  return levels.length === 0 ? 0 : Math.min(...levels);
}
