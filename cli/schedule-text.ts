import { formatRows } from './output.ts';

/** How the runs of a schedule went on one host. */
export interface ScheduleRow {
  /** Absent while it is paused. */
  readonly nextAt?: string;
  readonly isPaused: boolean;
  readonly missed: number;
  readonly runs: readonly {
    readonly scheduledAt: string;
    readonly cause: string;
    readonly state: string;
    readonly startedAt?: string;
    readonly endedAt?: string;
    readonly reason?: string;
  }[];
}

interface ScheduledCopy {
  readonly name: string;
  readonly hostId: string;
  readonly schedule?: ScheduleRow;
}

/** The next start and the last runs of copies that run by a schedule; nothing where none does. */
export function scheduleText(copies: readonly ScheduledCopy[]): string {
  const scheduled = copies.flatMap(({ name, hostId, schedule }) =>
    schedule === undefined ? [] : [{ name, host: hostId, schedule }],
  );
  if (scheduled.length === 0) return '';
  const next = scheduled.map(({ name, host, schedule }) => ({
    name,
    host,
    'next start': schedule.isPaused ? 'paused' : (schedule.nextAt ?? 'never'),
    missed: schedule.missed,
  }));
  const runs = scheduled.flatMap(({ name, host, schedule }) =>
    schedule.runs.map(({ scheduledAt, startedAt, endedAt, ...run }) => ({
      name,
      host,
      scheduled: scheduledAt,
      cause: run.cause,
      result: run.state,
      seconds: secondsBetween(startedAt, endedAt),
      reason: run.reason,
    })),
  );
  const columns = ['name', 'host', 'scheduled', 'cause', 'result', 'seconds', 'reason'];
  return `\n${formatRows(next, ['name', 'host', 'next start', 'missed'])}\n${runs.length === 0 ? 'no runs yet\n' : formatRows(runs, columns)}`;
}

function secondsBetween(from: string | undefined, to: string | undefined): string {
  if (from === undefined || to === undefined) return '';
  return ((Date.parse(to) - Date.parse(from)) / 1000).toFixed(1);
}
