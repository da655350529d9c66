import type { Clock, VnfInstanceId } from '../../kernel/index.ts';
import { parseAlarmCondition, type AlarmCondition, type DescriptorAlarm } from '../../descriptors/index.ts';
import { versionsOf, type VnfInstanceDocument } from '../domain/index.ts';
import type { Change, StateStore, StateView } from '../store/index.ts';
import type { Monitoring } from './create-monitoring.ts';
import type { FunctionAlarms, StandingAlarm } from './function-alarms.ts';
import type { Indicator } from './indicators.ts';

export interface ConditionWatchOptions {
  readonly store: StateStore;
  readonly clock: Clock;
  readonly monitoring: Pick<Monitoring, 'indicatorsOf' | 'onMeasurements'>;
  readonly alarms: FunctionAlarms;
}

/**
 * Raises and clears the alarms that descriptors declare, whenever a function has told something. What is told no more changes nothing: an alarm that
 * stands goes on standing until somebody tells better, or nobody ever will: the function has another version, is terminated or deleted. Of what
 * happened while nobody watched, it makes up when it begins.
 * @returns the end of it
 */
export function watchConditions({ store, clock, monitoring, alarms }: ConditionWatchOptions): () => void {
  /** Since when a condition holds without a break, on the clock that never goes back. Another leader counts anew. */
  const since = new Map<VnfInstanceId, Map<string, number>>();
  /** The names of the alarms of each function that stand, or stood lately: a change of one function is not to cost a look at the alarms of all. */
  const alarmed = new Map<VnfInstanceId, Set<string>>();

  function note({ vnfInstanceId, name }: StandingAlarm): void {
    alarmed.set(vnfInstanceId, (alarmed.get(vnfInstanceId) ?? new Set()).add(name));
  }

  function look(vnfInstanceId: VnfInstanceId): void {
    const instance = store.get('vnf-instance', vnfInstanceId)?.document;
    const conditions = instance === undefined ? [] : declaredBy(store, instance.vnfPkgId);
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
        holding.delete(when);
        alarms.clear(vnfInstanceId, [name]);
        continue;
      }
      const from = holding.get(when) ?? clock.monotonic();
      holding.set(when, from);
      if (clock.monotonic() - from < condition.forSeconds * 1000) continue;
      alarms.raise({ vnfInstanceId, name, severity, text: textOf(when, met), when });
      note({ vnfInstanceId, name });
    }
  }

  /** Clears what nobody will ever tell the end of, and notes the rest. */
  function settle(standing: readonly StandingAlarm[]): void {
    for (const alarm of standing) {
      const { vnfInstanceId, name } = alarm;
      const reason = whyOver(store, store.get('vnf-instance', vnfInstanceId)?.document, alarm);
      if (reason === undefined) note(alarm);
      else alarms.clear(vnfInstanceId, [name], reason);
    }
  }

  function follow({ entries }: Change): void {
    for (const { kind, id } of entries) {
      if (kind !== 'vnf-instance') continue;
      const vnfInstanceId = id as VnfInstanceId;
      if (store.get('vnf-instance', id)?.document.instantiationState !== 'INSTANTIATED')
        since.delete(vnfInstanceId);
      const names = alarmed.get(vnfInstanceId);
      if (names === undefined) continue;
      alarmed.delete(vnfInstanceId);
      settle(alarms.standingOf(vnfInstanceId, names));
    }
  }

  settle(alarms.standing());
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

function declaredBy(state: StateView, vnfPkgId: string): readonly DescriptorAlarm[] {
  return state.get('vnf-package', vnfPkgId)?.document.descriptor?.alarms ?? [];
}

/** Why an alarm that stands has nobody who would tell its end; undefined: it has. While one version replaces another, both may have raised it. */
function whyOver(
  state: StateView,
  instance: VnfInstanceDocument | undefined,
  { name, when }: StandingAlarm,
): string | undefined {
  if (instance === undefined) return 'the function has been deleted';
  if (instance.instantiationState !== 'INSTANTIATED') return 'the function has been terminated';
  const declared = versionsOf(instance).flatMap(({ vnfPkgId }) => declaredBy(state, vnfPkgId));
  const isDeclared = declared.some(
    (alarm) => alarm.name === name && (when === undefined || alarm.when === when),
  );
  return isDeclared ? undefined : 'the version of the function that declared this condition is there no more';
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
