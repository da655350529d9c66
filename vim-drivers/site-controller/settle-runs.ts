import type { ObservedInstance, ObservedWorkload, Workload } from '../contract.ts';
import { scheduleOf } from './driver-workload.ts';
import { LANE } from './run-slots.ts';
import type { EndedRun, OpenRun, ScheduleRecord } from './schedule-record.ts';

/** What is known of one unit of a function whose runs are scheduled. Times are milliseconds since the Unix epoch. */
export interface RunsInput {
  readonly now: number;
  /** IANA name: what `local` means on this host. */
  readonly localTimeZone: string;
  /** Its generations that are wanted here, the oldest first; the last one has the schedule. At least one. */
  readonly wanted: readonly [Workload, ...Workload[]];
  /** What the driver has of it, by generation. */
  readonly observed: ReadonlyMap<number, ObservedWorkload>;
  readonly record: ScheduleRecord | undefined;
  /** How long a run has been going, milliseconds that no setting of a clock changes. */
  readonly elapsed: (run: OpenRun) => number;
  /** Why the driver cannot make a generation as it is wanted. */
  readonly problemOf: (generation: number) => string | undefined;
}

/** Takes into account what became of the runs that are open. Pure. */
export function settleRuns(input: RunsInput, record: ScheduleRecord): ScheduleRecord {
  const settled = record.open.map((run) => settleRun(input, run));
  const ended = settled.flatMap((run) => ('endedAt' in run ? [run] : []));
  return {
    ...record,
    open: settled.flatMap((run) => ('endedAt' in run ? [] : [run])),
    ended: [...record.ended, ...ended],
    missed: record.missed + ended.filter(({ state }) => state === 'MISSED').length,
  };
}

export function isOver({ state }: ObservedInstance): boolean {
  return state === 'COMPLETED' || state === 'FAILED';
}

/** By when a start has to come about, from its time on. A run that stops first has its grace for that. */
export function latenessMilliseconds({ spec }: Workload): number {
  const schedule = scheduleOf(spec);
  const grace = schedule?.concurrency === 'replace' ? spec.stop.graceSeconds : 0;
  return ((schedule?.startWithinSeconds ?? 0) + grace) * 1000;
}

function settleRun(input: RunsInput, run: OpenRun): OpenRun | EndedRun {
  const workload = input.wanted.find(({ key }) => key.generation === run.generation);
  const found = (input.observed.get(run.generation)?.instances ?? []).filter(
    ({ slot, epoch }) => epoch === run.epoch && Math.floor(slot / LANE) === run.lane,
  );
  const isSeen = run.isSeen || found.some(({ state }) => state !== 'PENDING');
  const seen = isSeen === run.isSeen ? run : { ...run, isSeen };
  const slots = workload?.instances.filter(({ slot }) => run.slots.includes(slot)) ?? [];
  const byName = new Map(found.map((instance) => [instance.slot % LANE, instance]));
  const own = slots.flatMap(({ slot }) => byName.get(slot) ?? []);
  if (slots.length > 0 && own.length === slots.length && own.every(isOver)) return ended(seen, own);
  if (run.ending !== undefined)
    return found.length === 0 ? endedAs(seen, input.now, run.ending.state, run.ending.reason) : seen;
  if (workload === undefined || slots.length === 0)
    return { ...seen, ending: { state: 'STOPPED', reason: 'its function is no longer wanted here' } };
  return isSeen ? withinLimit(input, workload, seen) : inTime(input, workload, seen);
}

function ended(run: OpenRun, instances: readonly ObservedInstance[]): EndedRun {
  const { scheduledAt, cause, startedAt } = run;
  const failed = instances.find(({ state }) => state === 'FAILED');
  const endedAt = Math.max(startedAt, ...instances.map(({ since }) => Date.parse(since)));
  if (failed === undefined) return { scheduledAt, cause, startedAt, endedAt, state: 'COMPLETED' };
  const { exitCode } = failed;
  const reason = run.ending?.reason ?? failed.reason;
  return {
    scheduledAt,
    cause,
    startedAt,
    endedAt,
    state: run.ending?.state ?? 'FAILED',
    ...(reason === undefined ? {} : { reason }),
    ...(exitCode === undefined ? {} : { exitCode }),
  };
}

function endedAs(run: OpenRun, endedAt: number, state: EndedRun['state'], reason: string): EndedRun {
  const { scheduledAt, cause, startedAt, isSeen } = run;
  return { scheduledAt, cause, ...(isSeen ? { startedAt } : {}), endedAt, state, reason };
}

function withinLimit(input: RunsInput, { spec }: Workload, run: OpenRun): OpenRun {
  const limitSeconds = scheduleOf(spec)?.timeLimitSeconds;
  if (limitSeconds === undefined || input.elapsed(run) < limitSeconds * 1000) return run;
  return { ...run, ending: { state: 'TOO_LONG', reason: `stopped after ${limitSeconds} s (timeLimit)` } };
}

/** What does not come about in time is given up: nobody expects it any more. */
function inTime({ now, problemOf }: RunsInput, workload: Workload, run: OpenRun): OpenRun | EndedRun {
  const since = run.cause === 'OPERATOR' ? run.startedAt : run.scheduledAt;
  if (now - since <= latenessMilliseconds(workload)) return run;
  const problem = problemOf(run.generation);
  if (problem !== undefined) return endedAs(run, now, 'FAILED', problem);
  return endedAs(run, now, 'MISSED', 'the host could not start it in time (startWithin)');
}
