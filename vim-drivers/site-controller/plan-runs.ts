import { nextTime } from '../../descriptors/index.ts';
import type { WantedInstance, Workload } from '../contract.ts';
import { isPaused, scheduleOf } from './driver-workload.ts';
import { dueTimes } from './due-times.ts';
import { LANE } from './run-slots.ts';
import type { EndedRun, OpenRun, ScheduleRecord } from './schedule-record.ts';
import { isOver, latenessMilliseconds, settleRuns, type RunsInput } from './settle-runs.ts';

export interface RunsPlan {
  /** To be made durable before anything of the rest is done. */
  readonly record: ScheduleRecord;
  /** When to plan again at the latest, milliseconds from now. */
  readonly againInMilliseconds: number;
}

/**
 * What becomes of the runs of one unit: from clock, schedule and what has run. Whoever dies at any moment and plans again starts no run twice,
 * and starts what is due as long as it is not too late. Pure.
 */
export function planRuns(input: RunsInput): RunsPlan {
  const newest = newestOf(input);
  const before = input.record ?? newRecord(input);
  const settled = settleRuns(input, takeOver(input, newest, before));
  const asked = startAsked(input, newest, settled);
  const record = pruned(newest, startDue(input, newest, asked));
  return { record, againInMilliseconds: againIn(input, newest, record) };
}

export function newestOf({ wanted }: Pick<RunsInput, 'wanted'>): Workload {
  return wanted.at(-1) ?? wanted[0];
}

/** The time that comes next, paused or not, milliseconds since the Unix epoch. */
export function nextStart(
  { now, localTimeZone }: Pick<RunsInput, 'now' | 'localTimeZone'>,
  workload: Workload,
  { decidedUntil }: ScheduleRecord,
): number | undefined {
  const schedule = scheduleOf(workload.spec);
  if (schedule === undefined) return undefined;
  return nextTime(schedule.cron, zoneOf(schedule.timeZone, localTimeZone), Math.max(now, decidedUntil));
}

/** Instances that the driver is to have of a generation: those of its runs, and of the runs that are over what is left of them, for their output. */
export function instancesOf(
  { observed }: Pick<RunsInput, 'observed'>,
  { key, instances }: Workload,
  { open, epoch }: ScheduleRecord,
): readonly WantedInstance[] {
  const wanted = new Set(instances.map(({ slot }) => slot));
  const going = open
    .filter((run) => run.generation === key.generation && run.ending === undefined)
    .flatMap((run) =>
      run.slots
        .filter((slot) => wanted.has(slot))
        .map((slot) => ({ slot: run.lane * LANE + slot, epoch: run.epoch })),
    );
  const taken = new Set(going.map(({ slot }) => slot));
  const openEpochs = new Set(open.map((run) => run.epoch));
  const left = (observed.get(key.generation)?.instances ?? []).filter(
    (instance) =>
      isOver(instance) &&
      wanted.has(instance.slot % LANE) &&
      !taken.has(instance.slot) &&
      !openEpochs.has(instance.epoch) &&
      instance.epoch <= epoch,
  );
  return [...going, ...left.map((instance) => ({ slot: instance.slot, epoch: instance.epoch }))];
}

/**
 * A host begins with the times that come after it has taken the schedule over. What it runs already although it remembers nothing
 * (its memory is gone) is a run that goes on.
 */
export function newRecord(input: RunsInput): ScheduleRecord {
  const { now, observed } = input;
  const { key } = newestOf(input);
  const found = [...observed].flatMap(([generation, { instances }]) =>
    instances.map((instance) => ({ generation, ...instance })),
  );
  const going = Map.groupBy(
    found.filter((instance) => !isOver(instance)),
    ({ generation, epoch, slot }) => `${generation} ${epoch} ${Math.floor(slot / LANE)}`,
  );
  const open = [...going.values()].flatMap((copies): OpenRun[] => {
    const [first] = copies;
    if (first === undefined) return [];
    const startedAt = Math.min(now, ...copies.map(({ since }) => Date.parse(since)));
    const { generation, epoch } = first;
    const slots = copies.map(({ slot }) => slot % LANE);
    const lane = Math.floor(first.slot / LANE);
    return [
      { scheduledAt: startedAt, cause: 'SCHEDULE', generation, epoch, lane, slots, startedAt, isSeen: true },
    ];
  });
  const epoch = Math.max(0, ...found.map((instance) => instance.epoch));
  return {
    decidedUntil: now,
    epoch,
    generation: key.generation,
    asked: askedOf(newestOf(input)),
    open,
    ended: [],
    missed: 0,
  };
}

function askedOf({ instances }: Workload): Readonly<Record<string, number>> {
  return Object.fromEntries(instances.map(({ slot, epoch }) => [slot, epoch]));
}

/** Another generation may take the schedule over from the one before; a copy whose epoch has grown asks for a run now. */
function takeOver({ now, observed }: RunsInput, newest: Workload, known: ScheduleRecord): ScheduleRecord {
  const { generation } = newest.key;
  const record = returned(known, generation, now);
  const asked = askedOf(newest);
  const isReady = observed.get(generation)?.specHash === newest.specHash;
  if (record.generation !== generation) {
    const { takenAt: _, ...rest } = record;
    return { ...rest, generation, asked, ...(isReady ? { takenAt: now } : {}) };
  }
  const isAsked = newest.instances.some(({ slot, epoch }) => epoch > (record.asked[slot] ?? Infinity));
  return {
    ...record,
    asked,
    ...(isReady && record.takenAt === undefined ? { takenAt: now } : {}),
    ...(isAsked ? { askedAt: now } : {}),
  };
}

/** The next version goes on where the one before was; what was away, and ran elsewhere meanwhile, begins anew. */
function returned(record: ScheduleRecord, generation: number, now: number): ScheduleRecord {
  const { leftAt, ...rest } = record;
  if (leftAt === undefined) return record;
  return generation > record.generation ? rest : { ...rest, decidedUntil: now };
}

function startAsked(input: RunsInput, newest: Workload, record: ScheduleRecord): ScheduleRecord {
  const { askedAt, ...rest } = record;
  if (askedAt === undefined) return record;
  if (hasRoom(newest, record.open)) return start(input, newest, rest, askedAt, 'OPERATOR');
  if (scheduleOf(newest.spec)?.concurrency === 'allow') return record;
  return { ...record, open: replaced(record.open, 'an operator asked for another run') };
}

function startDue(input: RunsInput, newest: Workload, record: ScheduleRecord): ScheduleRecord {
  const { now, localTimeZone } = input;
  const schedule = scheduleOf(newest.spec);
  if (schedule === undefined) return record;
  const { cron, concurrency } = schedule;
  const due = dueTimes(cron, zoneOf(schedule.timeZone, localTimeZone), record.decidedUntil, now);
  const since = { ...record, decidedUntil: due.decidedUntil };
  if (due.latest === undefined) return since;
  if (isPaused(newest)) return { ...since, decidedUntil: due.latest };
  const why =
    record.open.length > 0
      ? 'the run before was still going'
      : 'the host was off, or its clock was set: only the latest start is made up for';
  const left = missed(since, now, due.earlier, why);
  const decided = { ...left, decidedUntil: due.latest };
  if (now - due.latest > latenessMilliseconds(newest))
    return missed(decided, now, [due.latest], whyLate(record.open));
  if (newest.instances.length === 0) return decided;
  if (record.askedAt === undefined && hasRoom(newest, record.open))
    return start(input, newest, decided, due.latest, 'SCHEDULE');
  const open =
    concurrency === 'replace' ? replaced(record.open, 'the next run was due (replace)') : record.open;
  return { ...left, open, decidedUntil: due.latest - 1 };
}

function whyLate(open: readonly OpenRun[]): string {
  return open.length > 0
    ? 'the run before was still going when it was too late (startWithin)'
    : 'the host was off, or its clock was set, until it was too late (startWithin)';
}

function hasRoom({ spec }: Workload, open: readonly OpenRun[]): boolean {
  return open.length < (scheduleOf(spec)?.atMost ?? 1);
}

function start(
  { now }: RunsInput,
  { key, instances }: Workload,
  record: ScheduleRecord,
  scheduledAt: number,
  cause: OpenRun['cause'],
): ScheduleRecord {
  if (instances.length === 0) return record;
  const lanes = new Set(record.open.map(({ lane }) => lane));
  let lane = 0;
  while (lanes.has(lane)) lane += 1;
  const epoch = record.epoch + 1;
  const slots = instances.map(({ slot }) => slot);
  const { generation } = key;
  const run = { scheduledAt, cause, generation, epoch, lane, slots, startedAt: now, isSeen: false };
  return { ...record, epoch, open: [...record.open, run] };
}

function replaced(open: readonly OpenRun[], reason: string): readonly OpenRun[] {
  return open.map((run) =>
    run.ending === undefined ? { ...run, ending: { state: 'REPLACED', reason } } : run,
  );
}

function missed(
  record: ScheduleRecord,
  now: number,
  times: readonly number[],
  reason: string,
): ScheduleRecord {
  const entries = times.map((scheduledAt): EndedRun => ({
    scheduledAt,
    cause: 'SCHEDULE',
    state: 'MISSED',
    endedAt: now,
    reason,
  }));
  return { ...record, ended: [...record.ended, ...entries], missed: record.missed + times.length };
}

/** The last ones of each sort, as many as are told. */
function pruned({ spec }: Workload, record: ScheduleRecord): ScheduleRecord {
  const { completed = 0, failed = 0 } = scheduleOf(spec)?.history ?? {};
  const isGood = ({ state }: EndedRun): boolean => state === 'COMPLETED';
  const good = record.ended.filter(isGood);
  const bad = record.ended.filter((run) => !isGood(run));
  const kept = new Set([
    ...good.slice(Math.max(0, good.length - completed)),
    ...bad.slice(Math.max(0, bad.length - failed)),
  ]);
  return kept.size === record.ended.length
    ? record
    : { ...record, ended: record.ended.filter((run) => kept.has(run)) };
}

function againIn(input: RunsInput, newest: Workload, record: ScheduleRecord): number {
  const { now, elapsed, wanted } = input;
  const next = nextStart(input, newest, record);
  const limits = record.open.flatMap((run) => {
    const spec = wanted.find(({ key }) => key.generation === run.generation)?.spec;
    const limitSeconds = spec === undefined ? undefined : scheduleOf(spec)?.timeLimitSeconds;
    return limitSeconds === undefined || run.ending !== undefined ? [] : [limitSeconds * 1000 - elapsed(run)];
  });
  return Math.max(0, Math.min(next === undefined ? Infinity : next - now, ...limits));
}

function zoneOf(timeZone: string, local: string): string {
  return timeZone === 'local' ? local : timeZone;
}
