import type { Clock, VnfInstanceId } from '../../kernel/index.ts';
import { parseAlarmCondition, type AlarmCondition, type DescriptorAlarm } from '../../descriptors/index.ts';
import type { VnfInstanceDocument } from '../domain/index.ts';
import type { Change, StateStore } from '../store/index.ts';
import type { Monitoring } from './create-monitoring.ts';
import type { FunctionAlarms } from './function-alarms.ts';
import type { Indicator } from './indicators.ts';

export interface ConditionWatchOptions {
  readonly store: StateStore;
  readonly clock: Clock;
  readonly monitoring: Pick<Monitoring, 'indicatorsOf' | 'onMeasurements'>;
  readonly alarms: FunctionAlarms;
}

/**
 * Raises and clears the alarms that descriptors declare, whenever a function has told something. What is told no more changes nothing: an alarm that
 * stands goes on standing until somebody tells better, or the function is terminated.
 * @returns the end of it
 */
export function watchConditions({ store, clock, monitoring, alarms }: ConditionWatchOptions): () => void {
  /** Since when a condition holds without a break, on the clock that never goes back. Another leader counts anew. */
  const since = new Map<VnfInstanceId, Map<string, number>>();

  function declared({ vnfPkgId }: VnfInstanceDocument): readonly DescriptorAlarm[] {
    return store.get('vnf-package', vnfPkgId)?.document.descriptor?.alarms ?? [];
  }

  function look(vnfInstanceId: VnfInstanceId): void {
    const instance = store.get('vnf-instance', vnfInstanceId)?.document;
    const conditions = instance === undefined ? [] : declared(instance);
    if (instance?.instantiationState !== 'INSTANTIATED' || conditions.length === 0) return;
    const indicators = monitoring.indicatorsOf(vnfInstanceId);
    const holding = since.get(vnfInstanceId) ?? new Map<string, number>();
    since.set(vnfInstanceId, holding);
    for (const { name, when, severity } of conditions) {
      const condition = parseAlarmCondition(when);
      const told = indicators.filter((indicator) => indicator.name === condition?.indicator);
      if (condition === undefined || told.length === 0) continue;
      const met = told.find((indicator) => holds(condition, indicator.value));
      if (met === undefined) {
        holding.delete(name);
        alarms.clear(vnfInstanceId, [name]);
        continue;
      }
      const from = holding.get(name) ?? clock.monotonic();
      holding.set(name, from);
      if (clock.monotonic() - from < condition.forSeconds * 1000) continue;
      alarms.raise({ vnfInstanceId, name, severity, text: textOf(when, met) });
    }
  }

  function follow({ entries }: Change): void {
    for (const { kind, id, record } of entries) {
      if (kind !== 'vnf-instance') continue;
      const vnfInstanceId = id as VnfInstanceId;
      const instance = record?.document as VnfInstanceDocument | undefined;
      if (instance?.instantiationState === 'INSTANTIATED' || !since.delete(vnfInstanceId)) continue;
      for (const { document } of store.list('alarm'))
        if (document.source.vnfInstanceId === vnfInstanceId) alarms.clear(vnfInstanceId, [document.name]);
    }
  }

  const ends = [
    store.subscribe(follow),
    monitoring.onMeasurements((functions) => {
      for (const id of functions) look(id);
    }),
  ];
  return () => {
    for (const end of ends) end();
  };
}

function holds({ comparison, bound }: AlarmCondition, value: number): boolean {
  switch (comparison) {
    case '>':
      return value > bound;
    case '>=':
      return value >= bound;
    case '<':
      return value < bound;
    case '<=':
      return value <= bound;
    case '=':
      return value === bound;
  }
}

/** Without the value: it changes all the time, and the alarm does not. */
function textOf(when: string, { unit, name, quantile }: Indicator): string {
  const which = quantile === undefined ? name : `the quantile ${quantile} of ${name}`;
  return `${when}: ${which} of the unit ${unit}, over all its instances`;
}
