import type { ScheduleRecord } from './schedule-record.ts';

/** How long the next version of a function has to come, once the one before is gone. */
const SUCCESSION_MILLISECONDS = 300_000;

/** What is still remembered of a schedule of which nothing is wanted, or left, any more; undefined: nothing. Pure. */
export function leaveSchedule(record: ScheduleRecord, now: number): ScheduleRecord | undefined {
  if (record.leftAt !== undefined) return now - record.leftAt > SUCCESSION_MILLISECONDS ? undefined : record;
  const { askedAt: _, takenAt: __, ...kept } = record;
  const stopped = record.open.map(({ scheduledAt, cause, startedAt, isSeen, ending }) => ({
    scheduledAt,
    cause,
    ...(isSeen ? { startedAt } : {}),
    endedAt: now,
    state: ending?.state ?? 'STOPPED',
    reason: ending?.reason ?? 'its function is no longer wanted here',
  }));
  return { ...kept, asked: {}, open: [], ended: [...record.ended, ...stopped], leftAt: now };
}
