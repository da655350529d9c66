import { toTimestamp, type Clock, type HostId, type VnfInstanceId } from '../../kernel/index.ts';
import { alarmId, clearedAlarm, isStanding, type AlarmDocument } from '../domain/index.ts';
import type { StateStore, Write } from '../store/index.ts';

/** A condition of a function that the orchestrator itself has found. */
export interface FunctionAlarm {
  readonly vnfInstanceId: VnfInstanceId;
  readonly hostId?: HostId;
  readonly name: string;
  /** Absent: MAJOR. */
  readonly severity?: Exclude<AlarmDocument['severity'], 'CLEARED'>;
  readonly text: string;
  /** The condition as a descriptor declares it, where one does. */
  readonly when?: string;
}

/** Keeps alarms of functions. Raising one that stands, or clearing where none stands, changes nothing. */
export interface FunctionAlarms {
  raise(alarm: FunctionAlarm): void;
  /**
   * Those of the function's alarms with these names that the orchestrator has raised. Costs no more than there are names.
   * @param reason why nobody will tell that the condition has ended; absent: it has ended
   */
  clear(vnfInstanceId: VnfInstanceId, names: readonly string[], reason?: string): void;
  /** All that stand, also of functions that there are no more. Reads every alarm there is. */
  standing(): readonly StandingAlarm[];
  /** Those of the function's alarms with these names that stand. Costs no more than there are names. */
  standingOf(vnfInstanceId: VnfInstanceId, names: Iterable<string>): readonly StandingAlarm[];
}

export interface StandingAlarm {
  readonly vnfInstanceId: VnfInstanceId;
  readonly name: string;
  readonly when?: string | undefined;
}

/** Tells what the orchestrator has found from what a host has. */
export function functionAlarmId(vnfInstanceId: VnfInstanceId, name: string): string {
  return alarmId('function', vnfInstanceId, name);
}

/** @param store where alarms are records of the tenant that the function belongs to */
export function createFunctionAlarms(store: StateStore, clock: Clock): FunctionAlarms {
  return keepAlarms(store, clock, functionAlarmId);
}

/** Those that descriptors declare: their names are their own, and may be the same as ours. */
export function createConditionAlarms(store: StateStore, clock: Clock): FunctionAlarms {
  return keepAlarms(store, clock, (vnfInstanceId, name) => alarmId('condition', vnfInstanceId, name));
}

function keepAlarms(store: StateStore, clock: Clock, idOf: typeof functionAlarmId): FunctionAlarms {
  return {
    raise: ({ vnfInstanceId, hostId, name, severity = 'MAJOR', text, when }) => {
      const function_ = store.get('vnf-instance', vnfInstanceId);
      if (function_ === undefined) return;
      const id = idOf(vnfInstanceId, name);
      const known = store.get('alarm', id)?.document;
      if (isStanding(known) && known.text === text && known.severity === severity && known.when === when)
        return;
      const now = toTimestamp(clock.now());
      const source = { vnfInstanceId, ...(hostId === undefined ? {} : { hostId }) };
      const raisedAt = isStanding(known) ? known.raisedAt : now;
      const condition = when === undefined ? {} : { when };
      const document: AlarmDocument = {
        source,
        name,
        severity,
        text,
        ...condition,
        raisedAt,
        changedAt: now,
      };
      store.commit([{ op: 'put', kind: 'alarm', id, tenant: function_.tenant, document }]);
    },
    clear: (vnfInstanceId, names, reason) => {
      const writes = names.flatMap((name): Write[] => {
        const record = store.get('alarm', idOf(vnfInstanceId, name));
        if (record === undefined || !isStanding(record.document)) return [];
        const { id, tenant } = record;
        const cleared = clearedAlarm(record.document, toTimestamp(clock.now()));
        const document =
          reason === undefined ? cleared : { ...cleared, text: `${cleared.text} (cleared: ${reason})` };
        return [{ op: 'put', kind: 'alarm', id, tenant, document }];
      });
      store.commit(writes);
    },
    standing: () =>
      [...store.list('alarm')].flatMap(({ id, document }) => {
        const { source, name, when } = document;
        const { vnfInstanceId } = source;
        if (!isStanding(document) || vnfInstanceId === undefined) return [];
        return id === idOf(vnfInstanceId, name) ? [{ vnfInstanceId, name, when }] : [];
      }),
    standingOf: (vnfInstanceId, names) =>
      [...names].flatMap((name) => {
        const document = store.get('alarm', idOf(vnfInstanceId, name))?.document;
        return isStanding(document) ? [{ vnfInstanceId, name, when: document.when }] : [];
      }),
  };
}
