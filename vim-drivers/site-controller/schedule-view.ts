import { toTimestamp } from '../../kernel/index.ts';
import type {
  ObservedInstance,
  ObservedWorkload,
  ScheduledRun,
  ScheduleReport,
  WantedInstance,
  Workload,
} from '../contract.ts';
import { isPaused } from './driver-workload.ts';
import { newestOf, nextStart } from './plan-runs.ts';
import { LANE } from './run-slots.ts';
import type { EndedRun, OpenRun, ScheduleRecord } from './schedule-record.ts';
import { isOver, type RunsInput } from './settle-runs.ts';

/** What is told of a generation of a scheduled unit, in the slots and epochs that are wanted, from what the driver has of it. Pure. */
export function viewWorkload(
  input: RunsInput,
  workload: Workload,
  record: ScheduleRecord,
): ObservedWorkload | undefined {
  const { key, specHash } = workload;
  const found = input.observed.get(key.generation);
  const isNewest = workload === newestOf(input);
  const isTaken = isNewest ? record.takenAt !== undefined : found !== undefined;
  if (!isTaken && found === undefined) return undefined;
  const instances = isTaken
    ? workload.instances.map((copy) => viewCopy(workload, copy, record, found?.instances ?? []))
    : [];
  const wanted = new Set(workload.instances.map(({ slot }) => slot));
  const surplus = new Map((found?.instances ?? []).map((each) => [each.slot % LANE, each]));
  return {
    key,
    specHash: isTaken ? specHash : (found?.specHash ?? specHash),
    instances: [
      ...instances,
      ...[...surplus]
        .filter(([slot]) => !wanted.has(slot))
        .map(([slot, instance]) => ({ ...instance, slot })),
    ].toSorted((a, b) => a.slot - b.slot),
    ...(isNewest ? { schedule: reportOf(input, workload, record) } : {}),
  };
}

/** The copy as its latest run has it; between two runs SCHEDULED. */
function viewCopy(
  { key }: Workload,
  { slot, epoch }: WantedInstance,
  { open, ended, takenAt = 0 }: ScheduleRecord,
  found: readonly ObservedInstance[],
): ObservedInstance {
  const run = open.findLast((each) => each.generation === key.generation && each.slots.includes(slot));
  const instance = found.find(
    (each) => run !== undefined && each.epoch === run.epoch && each.slot === run.lane * LANE + slot,
  );
  if (instance !== undefined && !isOver(instance)) return { ...instance, slot, epoch };
  const since = Math.max(takenAt, ended.at(-1)?.endedAt ?? 0);
  return { slot, epoch, state: 'SCHEDULED', since: toTimestamp(since), restarts: 0, ports: {} };
}

function reportOf(input: RunsInput, workload: Workload, record: ScheduleRecord): ScheduleReport {
  const next = isPaused(workload) ? undefined : nextStart(input, workload, record);
  return {
    ...(next === undefined ? {} : { nextAt: toTimestamp(next) }),
    isPaused: isPaused(workload),
    missed: record.missed,
    runs: [...record.ended.map(endedView), ...record.open.map(openView)].toReversed(),
  };
}

function openView({ scheduledAt, cause, startedAt, isSeen, ending }: OpenRun): ScheduledRun {
  return {
    scheduledAt: toTimestamp(scheduledAt),
    cause,
    state: isSeen ? 'RUNNING' : 'DUE',
    ...(isSeen ? { startedAt: toTimestamp(startedAt) } : {}),
    ...(ending === undefined ? {} : { reason: `is being stopped: ${ending.reason}` }),
  };
}

function endedView({ scheduledAt, cause, state, startedAt, endedAt, ...why }: EndedRun): ScheduledRun {
  return {
    scheduledAt: toTimestamp(scheduledAt),
    cause,
    state,
    ...(startedAt === undefined ? {} : { startedAt: toTimestamp(startedAt) }),
    endedAt: toTimestamp(endedAt),
    ...why,
  };
}
