import type { TenantId } from '../../kernel/index.ts';
import { vnfcInstanceId, wantedVnfcs, type VnfInstanceDocument } from '../domain/index.ts';
import { countsOfWanted, scaleLevel } from '../lifecycle/index.ts';
import type { Monitoring } from '../monitoring/index.ts';
import { indicatorsOfPolicy, type AspectInput, type Reading } from './policies/index.ts';
import type { WatchedAspect } from './watched-aspect.ts';

export interface AspectScene {
  readonly tenant: TenantId;
  readonly instance: VnfInstanceDocument;
  readonly now: number;
  /** Instances that the tenant may have besides; undefined: no limit. */
  readonly left: number | undefined;
  readonly held?: string;
}

/** What a policy is to see of an aspect now: its level, and what its instances have told. */
export function inputOf(
  monitoring: Pick<Monitoring, 'latestReadings' | 'collectEverySecondsOf'>,
  { vnfInstanceId, aspect, policy }: WatchedAspect,
  { tenant, instance, now, left, held }: AspectScene,
): AspectInput {
  const { min, max, deltas } = aspect;
  const copies = wantedVnfcs(instance.wanted).map((copy) => ({
    unit: copy.unit,
    id: vnfcInstanceId(copy.hostId, { tenant, vnfInstanceId, ...copy }, copy.slot),
  }));
  const counts = countsOfWanted(instance.wanted);
  const level = scaleLevel(aspect, counts);
  const names = new Set(indicatorsOfPolicy(policy));
  const told = monitoring.latestReadings(vnfInstanceId, {
    now,
    copies: new Set(copies.map(({ id }) => id)),
    staleAfterSeconds: policy.staleAfterSeconds,
    windowSeconds: policy.windowSeconds,
    everySecondsOf: (unit) => monitoring.collectEverySecondsOf(vnfInstanceId, unit),
  });
  const each = told.flatMap(({ unit, name, value, instances }): Reading[] => {
    const delta = deltas[unit];
    if (delta === undefined || !names.has(name)) return [];
    return [{ indicator: name, value, instances, delta, isComplete: instances === (counts[unit] ?? 0) }];
  });
  return {
    now,
    level,
    min,
    max,
    readings: [...Map.groupBy(each, ({ indicator }) => indicator).values()].flatMap(mostDemanding),
    ...(left === undefined ? {} : { ceiling: ceilingOf(tenant, level, deltas, left) }),
    ...(held === undefined ? {} : { held }),
  };
}

/** Of several units that have an indicator of the same name. */
function mostDemanding(readings: readonly Reading[]): readonly Reading[] {
  const demand = ({ value, instances, delta }: Reading): number => (value * instances) / delta;
  const [most] = readings.toSorted((a, b) => demand(b) - demand(a));
  return most === undefined ? [] : [{ ...most, isComplete: readings.every((one) => one.isComplete) }];
}

function ceilingOf(
  tenant: TenantId,
  level: number,
  deltas: Readonly<Record<string, number>>,
  left: number,
): NonNullable<AspectInput['ceiling']> {
  const perStep = Object.values(deltas).reduce((sum, delta) => sum + delta, 0);
  return {
    level: level + Math.floor(left / perStep),
    reason: `the tenant ${tenant} may have ${left} instances more by scaling out`,
  };
}
