import type { ScheduledRunState } from '../contract.ts';

/** A run whose start was decided. Times are milliseconds since the Unix epoch. */
export interface OpenRun {
  /** Its time by the schedule. */
  readonly scheduledAt: number;
  readonly cause: 'SCHEDULE' | 'OPERATOR';
  /** Of the workload whose instances it is. */
  readonly generation: number;
  /** Of its instances at the driver: what was started with it is not started again. */
  readonly epoch: number;
  /** Which of the runs that may go on at once. */
  readonly lane: number;
  /** Slots of the workload that take part. */
  readonly slots: readonly number[];
  readonly startedAt: number;
  /** The driver has been seen to have started it. */
  readonly isSeen: boolean;
  /** It is being stopped, and what it is then. */
  readonly ending?: { readonly state: 'TOO_LONG' | 'REPLACED' | 'STOPPED'; readonly reason: string };
}

/** A run that is over, or never came about. */
export interface EndedRun {
  readonly scheduledAt: number;
  readonly cause: OpenRun['cause'];
  readonly state: Exclude<ScheduledRunState, 'DUE' | 'RUNNING'>;
  readonly startedAt?: number;
  readonly endedAt: number;
  readonly reason?: string;
  readonly exitCode?: number;
}

/** What a host remembers of the schedule of one unit of a function, over all its generations. Durable before anything follows from it. */
export interface ScheduleRecord {
  /** Of the times up to here it is decided what became of them. */
  readonly decidedUntil: number;
  /** Of the latest run; grows for ever. */
  readonly epoch: number;
  /** Which one has the schedule. */
  readonly generation: number;
  /** The host has made all ready for runs of that generation. */
  readonly takenAt?: number;
  /** The epoch that is wanted, by slot: one that grows asks for a run now. */
  readonly asked: Readonly<Record<string, number>>;
  /** A run was asked for then, and was not started yet. */
  readonly askedAt?: number;
  /** In order of their starts. */
  readonly open: readonly OpenRun[];
  /** In order of their ends. */
  readonly ended: readonly EndedRun[];
  readonly missed: number;
  /** Nothing of it is wanted here any more, since then. */
  readonly leftAt?: number;
}

/**
 * Where the records of one driver's host are. One writer.
 */
export interface ScheduleBook {
  ids(): readonly string[];
  get(id: string): ScheduleRecord | undefined;
  /** Durable when it resolves; undefined forgets it. */
  put(id: string, record: ScheduleRecord | undefined): Promise<void>;
}

/** A book that is forgotten with the process: for hosts that are forgotten with it, too. */
export function createVolatileBook(): ScheduleBook {
  const records = new Map<string, ScheduleRecord>();
  return {
    ids: () => [...records.keys()],
    get: (id) => records.get(id),
    put: (id, record) => {
      if (record === undefined) records.delete(id);
      else records.set(id, record);
      return Promise.resolve();
    },
  };
}
