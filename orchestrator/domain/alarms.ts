import { IOTMANO_NAMESPACE, uuidV5 } from '../../kernel/index.ts';
import type { AlarmDocument } from './documents.ts';

/** Id of the one record for a condition of a subject, for ever: raised again, it is the same alarm. */
export function alarmId(...condition: readonly string[]): string {
  return uuidV5(IOTMANO_NAMESPACE, ['alarm', ...condition].join('/'));
}

/** Whether it was raised and has not been cleared since. */
export function isStanding(alarm: AlarmDocument | undefined): alarm is AlarmDocument {
  return alarm !== undefined && alarm.clearedAt === undefined;
}

/** The alarm once its condition has ended. */
export function clearedAlarm(alarm: AlarmDocument, timestamp: string): AlarmDocument {
  return { ...alarm, severity: 'CLEARED', changedAt: timestamp, clearedAt: timestamp };
}
