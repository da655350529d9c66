import type { VnfInstanceDocument } from '../domain/index.ts';
import type { FunctionPackage } from './function-catalog.ts';

/** Why copies of a unit that are well do not move to another host; undefined: they may. */
export function whyFixed(
  { descriptor }: Pick<FunctionPackage, 'descriptor'>,
  { coverage }: Pick<VnfInstanceDocument, 'coverage'>,
  unit: string,
): string | undefined {
  if (coverage !== undefined) return 'it runs once on each host that it covers';
  if (descriptor.offline.relocate !== 'allowed') return 'its descriptor forbids it (offline.relocate)';
  if (descriptor.run.mode === 'job') return 'it is a job, which would start over';
  if (descriptor.run.mode === 'schedule') return 'it runs by a schedule, and a run would be broken off';
  return keepsVolume({ descriptor }, unit) ? 'it keeps a volume on its host' : undefined;
}

export function keepsVolume({ descriptor }: Pick<FunctionPackage, 'descriptor'>, unit: string): boolean {
  return descriptor.units.some(({ name, volumes }) => name === unit && volumes.some(({ keep }) => keep));
}

/** Why nothing of a function moves now, whatever its descriptor says; undefined: it may. */
export function whyBusy({
  activeOpOcc,
  displaced = [],
  instantiationState,
}: VnfInstanceDocument): string | undefined {
  if (activeOpOcc !== undefined) return `it is busy with operation ${activeOpOcc}`;
  if (instantiationState !== 'INSTANTIATED') return 'it is not instantiated';
  return displaced.length > 0 ? 'it is on its way from one host to another' : undefined;
}
