import { messageOf, type Clock, type Logger } from '../../kernel/index.ts';
import { workloadId, type ObservedWorkload, type Workload, type WorkloadKey } from '../contract.ts';
import { driverWorkload, scheduleOf } from './driver-workload.ts';
import { instancesOf, newRecord, planRuns } from './plan-runs.ts';
import { leaveSchedule } from './leave-schedule.ts';
import type { OpenRun, ScheduleBook, ScheduleRecord } from './schedule-record.ts';
import { viewWorkload } from './schedule-view.ts';
import type { RunsInput } from './settle-runs.ts';

export interface ScheduleKeeperOptions {
  readonly book: ScheduleBook;
  readonly clock: Clock;
  readonly log: Logger;
  /** IANA name: what `local` means on this host. */
  readonly localTimeZone: () => string;
}

/** What could not be noted is planned again then: a disk may be full for a moment only, and a run is due. */
const RETRY_MILLISECONDS = 1000;

/** What is wanted, as the driver is to have it now. */
export interface ScheduledWanted {
  readonly workloads: readonly Workload[];
  /** When to plan again at the latest, milliseconds from now. */
  readonly againInMilliseconds: number;
  /** What the driver says, as it is told on. */
  readonly view: (observed: readonly ObservedWorkload[]) => readonly ObservedWorkload[];
}

/** Turns workloads that run at times into jobs that run now or not, and remembers which have run. */
export class ScheduleKeeper {
  readonly #options: ScheduleKeeperOptions;
  /** By run, when it began on the monotonic clock. */
  #begins = new Map<string, number>();

  constructor(options: ScheduleKeeperOptions) {
    this.#options = options;
  }

  /** One plan after the other. What cannot be remembered is not begun; all else goes on. */
  async plan(
    workloads: readonly Workload[],
    observed: readonly ObservedWorkload[],
    problemOf: (id: string) => string | undefined,
  ): Promise<ScheduledWanted> {
    const { book } = this.#options;
    const groups = new Map<string, Workload[]>();
    for (const workload of workloads)
      if (scheduleOf(workload.spec) !== undefined) addTo(groups, scheduleId(workload.key), workload);
    if (groups.size === 0 && book.ids().length === 0)
      return { workloads, againInMilliseconds: Infinity, view: (all) => all };
    await this.#forget(groups, observed);
    const plans = await Promise.all(
      [...groups].map(([id, group]) => this.#planOne(id, group, observed, problemOf)),
    );
    const others = workloads.filter(({ spec }) => scheduleOf(spec) === undefined);
    return {
      workloads: [...others, ...plans.flatMap((plan) => plan.workloads)],
      againInMilliseconds: Math.min(Infinity, ...plans.map((plan) => plan.againInMilliseconds)),
      view: (all) => viewAll(all, plans),
    };
  }

  async #planOne(
    id: string,
    group: readonly Workload[],
    observed: readonly ObservedWorkload[],
    problemOf: (id: string) => string | undefined,
  ): Promise<Planned> {
    const { book, clock, log, localTimeZone } = this.#options;
    const [first, ...rest] = group.toSorted((a, b) => a.key.generation - b.key.generation);
    if (first === undefined) return { workloads: [], views: [], againInMilliseconds: Infinity };
    const keys = new Map(group.map(({ key }) => [key.generation, workloadId(key)]));
    const own = observed.filter(({ key }) => scheduleId(key) === id);
    const input: RunsInput = {
      now: clock.now(),
      localTimeZone: localTimeZone(),
      wanted: [first, ...rest],
      observed: new Map(own.map((each) => [each.key.generation, each])),
      record: book.get(id),
      elapsed: (run) => this.#elapsed(id, run),
      problemOf: (generation) => problemOf(keys.get(generation) ?? ''),
    };
    const plan = planRuns(input);
    try {
      if (!isSame(plan.record, input.record)) await book.put(id, plan.record);
      return planned(input, plan.record, plan.againInMilliseconds);
    } catch (error) {
      log.warn({ schedule: id, reason: messageOf(error) }, 'what is due could not be noted, and waits');
      return planned(input, input.record ?? newRecord(input), RETRY_MILLISECONDS);
    }
  }

  /** What is wanted no longer, once nothing of it is left; a moment later, as another version may come to take its place. */
  async #forget(groups: ReadonlyMap<string, unknown>, observed: readonly ObservedWorkload[]): Promise<void> {
    const { book, clock, log } = this.#options;
    const there = new Set(observed.map(({ key }) => scheduleId(key)));
    const leave = async (id: string): Promise<void> => {
      const record = book.get(id);
      const left = record === undefined ? undefined : leaveSchedule(record, clock.now());
      if (left === record) return;
      await book.put(id, left).catch((error: unknown) => {
        log.warn({ schedule: id, reason: messageOf(error) }, 'a schedule could not be forgotten yet');
      });
    };
    for (const id of book.ids().filter((each) => !groups.has(each) && !there.has(each))) await leave(id);
  }

  #elapsed(id: string, run: OpenRun): number {
    const { clock } = this.#options;
    const name = `${id} ${run.epoch}`;
    const now = clock.monotonic();
    const begin = this.#begins.get(name) ?? now - Math.max(0, clock.now() - run.startedAt);
    if (!this.#begins.has(name)) {
      // The latest ones are enough: no epoch comes twice.
      this.#begins = new Map([...[...this.#begins].slice(-MOST_BEGINS), [name, begin]]);
    }
    return now - begin;
  }
}

const MOST_BEGINS = 1000;

interface Planned {
  readonly workloads: readonly Workload[];
  readonly views: readonly {
    readonly workload: Workload;
    readonly input: RunsInput;
    readonly record: ScheduleRecord;
  }[];
  readonly againInMilliseconds: number;
}

function planned(input: RunsInput, record: ScheduleRecord, againInMilliseconds: number): Planned {
  return {
    workloads: input.wanted.map((workload) => driverWorkload(workload, instancesOf(input, workload, record))),
    views: input.wanted.map((workload) => ({ workload, input, record })),
    againInMilliseconds,
  };
}

function viewAll(
  observed: readonly ObservedWorkload[],
  plans: readonly Planned[],
): readonly ObservedWorkload[] {
  const views = plans.flatMap((plan) => plan.views);
  const scheduled = new Set(views.map(({ workload }) => workloadId(workload.key)));
  return [
    ...observed.filter(({ key }) => !scheduled.has(workloadId(key))),
    ...views.flatMap(({ input, workload, record }) => viewWorkload(input, workload, record) ?? []),
  ];
}

/** One schedule for all generations of a unit. */
function scheduleId({ vnfInstanceId, unit }: WorkloadKey): string {
  return `${vnfInstanceId}-${unit}`;
}

function addTo(groups: Map<string, Workload[]>, id: string, workload: Workload): void {
  const group = groups.get(id);
  if (group === undefined) groups.set(id, [workload]);
  else group.push(workload);
}

function isSame(a: ScheduleRecord, b: ScheduleRecord | undefined): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
