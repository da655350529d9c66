import type { TenantId, VnfInstanceId } from '../../kernel/index.ts';
import type { ScalingAspect, ScalingPolicy } from '../../descriptors/index.ts';
import { vnfcInstanceId, wantedVnfcs, type VnfInstanceDocument } from '../domain/index.ts';
import { countsOfWanted } from '../lifecycle/index.ts';
import type { Monitoring } from '../monitoring/index.ts';
import { indicatorsOfPolicy, type Reading } from './policies/index.ts';

export interface TellingFunction {
  readonly vnfInstanceId: VnfInstanceId;
  readonly tenant: TenantId;
  readonly instance: VnfInstanceDocument;
}

type Source = Pick<Monitoring, 'latestReadings' | 'collectEverySecondsOf'>;

/** What the instances of a function have told lately, of those units that its aspect scales, by unit. */
export function readingsOfFunction(
  monitoring: Source,
  { vnfInstanceId, tenant, instance }: TellingFunction,
  { deltas }: Pick<ScalingAspect, 'deltas'>,
  policy: ScalingPolicy,
  now: number,
): readonly (Reading & { readonly unit: string })[] {
  const copies = wantedVnfcs(instance.wanted).map((copy) =>
    vnfcInstanceId(copy.hostId, { tenant, vnfInstanceId, ...copy }, copy.slot),
  );
  const counts = countsOfWanted(instance.wanted);
  const names = new Set(indicatorsOfPolicy(policy));
  const told = monitoring.latestReadings(vnfInstanceId, {
    now,
    copies: new Set(copies),
    staleAfterSeconds: policy.staleAfterSeconds,
    windowSeconds: policy.windowSeconds,
    everySecondsOf: (unit) => monitoring.collectEverySecondsOf(vnfInstanceId, unit),
  });
  return told.flatMap(({ unit, name, value, instances }) => {
    const delta = deltas[unit];
    if (delta === undefined || !names.has(name)) return [];
    const isComplete = instances === (counts[unit] ?? 0);
    return [{ indicator: name, unit, value, instances, delta, isComplete }];
  });
}

/** One reading for each indicator: of several that have the same name, the one that asks for most, complete only if all are. */
export function mostDemanding(
  readings: readonly Reading[],
  demand: (reading: Reading) => number,
): readonly Reading[] {
  return [...Map.groupBy(readings, ({ indicator }) => indicator).values()].flatMap((same) => {
    const [most] = same.toSorted((a, b) => demand(b) - demand(a));
    return most === undefined ? [] : [{ ...most, isComplete: same.every((one) => one.isComplete) }];
  });
}

/** How often the units that an aspect scales are read. */
export function everySecondsOf(
  monitoring: Source,
  vnfInstanceId: VnfInstanceId,
  { deltas }: Pick<ScalingAspect, 'deltas'>,
): number {
  return Math.min(
    ...Object.keys(deltas).map((unit) => monitoring.collectEverySecondsOf(vnfInstanceId, unit)),
  );
}
