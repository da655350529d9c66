import { messageOf, type Clock, type Logger } from '../../kernel/index.ts';
import {
  isLeaseKeeper,
  workloadId,
  type Fence,
  type ObservedInstance,
  type ObservedWorkload,
  type VimDriver,
  type Workload,
  type WorkloadId,
} from '../contract.ts';
import { planConvergence, type ConvergenceStep } from './plan-convergence.ts';
import { RetryBook } from './retry-book.ts';
import { ScheduleKeeper, type ScheduledWanted } from './schedule-keeper.ts';
import type { ScheduleBook } from './schedule-record.ts';

export interface SiteControllerOptions {
  readonly driver: VimDriver;
  readonly clock: Clock;
  readonly log: Logger;
  /** Where it is remembered what ran of workloads of mode `schedule`: of this driver alone. */
  readonly schedules: ScheduleBook;
  /** IANA name of the zone that `local` means in schedules here. Default UTC. */
  readonly localTimeZone?: () => string;
  /**
   * Told what is, whole, whenever it differs from what was told before; for the first time before anything is wanted.
   * @param fence of the wanted state that this reflects: what was not wanted in it is gone, or among what is told, also where only an
   * earlier order to run it is still under way
   */
  readonly onObserved: (observed: readonly ObservedWorkload[], fence: Fence | undefined) => void;
  /** How often to look without a hint. */
  readonly resyncMilliseconds?: number;
  /** Driver calls under way at once. */
  readonly concurrency?: number;
  readonly retryMinimumMilliseconds?: number;
  readonly retryMaximumMilliseconds?: number;
}

/** Drives one driver until what is equals what is wanted, for ever. */
export interface SiteController {
  /** The whole wanted state. Until the first call nothing is applied or removed. */
  setWanted(workloads: readonly Workload[], fence: Fence): void;
  /**
   * The lease of the host was renewed by an answer to what was sent at that monotonic time; call it after `setWanted` with what came in the same
   * answer. Tells the driver, and then applies again what waited for that and is still wanted.
   */
  renewed(sentAtMonotonic?: number): Promise<void>;
  /** What was told last. */
  observed(): readonly ObservedWorkload[];
  /** Stops looking. What runs runs on; driver calls under way are not waited for. */
  close(): Promise<void>;
}

const DEFAULT_RESYNC_MILLISECONDS = 5000;
const WOKEN = 'something changed';
const DEFAULT_CONCURRENCY = 64;
/** Hints come in swarms; one look answers all that come within this time. */
const HINT_MILLISECONDS = 10;

export function createSiteController(options: SiteControllerOptions): SiteController {
  const loop = new ConvergenceLoop(options);
  const running = loop.run();
  return {
    setWanted: (workloads, fence) => loop.setWanted(workloads, fence),
    renewed: (sentAtMonotonic) => loop.renewed(sentAtMonotonic),
    observed: () => loop.told,
    close: async () => {
      loop.end();
      await running;
    },
  };
}

class ConvergenceLoop {
  readonly #options: SiteControllerOptions;
  readonly #retries: RetryBook;
  readonly #keeper: ScheduleKeeper;
  readonly #applied = new Map<WorkloadId, string>();
  readonly #underWay = new Map<WorkloadId, ConvergenceStep>();
  readonly #ending = new AbortController();
  #pausing = new AbortController();
  #wanted: { readonly workloads: readonly Workload[]; readonly fence: Fence } | undefined;
  #told: readonly ObservedWorkload[] = [];
  #toldText = '';
  #toldFence: Fence | undefined;
  /** A renewal came that no look has answered yet. */
  #isRenewed = false;
  /** When something is due by a schedule, milliseconds from the last look. */
  #dueInMilliseconds = Infinity;

  constructor(options: SiteControllerOptions) {
    this.#options = options;
    const { schedules: book, clock, log, localTimeZone = () => 'UTC' } = options;
    this.#keeper = new ScheduleKeeper({ book, clock, log, localTimeZone });
    this.#retries = new RetryBook(
      options.retryMinimumMilliseconds ?? 500,
      options.retryMaximumMilliseconds ?? 60_000,
    );
  }

  get told(): readonly ObservedWorkload[] {
    return this.#told;
  }

  setWanted(workloads: readonly Workload[], fence: Fence): void {
    this.#wanted = { workloads, fence };
    const ids = new Set<string>([...workloads, ...this.#told].map(({ key }) => workloadId(key)));
    this.#retries.commanded((id) => ids.has(id));
    this.#wake();
  }

  async renewed(sentAtMonotonic: number | undefined): Promise<void> {
    const { driver } = this.#options;
    if (!isLeaseKeeper(driver)) return;
    await driver.renewed(sentAtMonotonic);
    if (!this.#told.some(({ instances }) => instances.some(awaitsRenewal))) return;
    this.#isRenewed = true;
    this.#wake();
  }

  end(): void {
    this.#ending.abort();
    this.#wake();
  }

  async run(): Promise<void> {
    const { driver, clock, log } = this.#options;
    const unwatch = driver.watch(() => this.#wake());
    while (!this.#ending.signal.aborted) {
      this.#pausing = new AbortController();
      try {
        await this.#look();
      } catch (error) {
        log.warn({ err: error }, 'a look at a site failed; the next one follows');
      }
      await clock.sleep(this.#pauseMilliseconds(), this.#pausing.signal);
      if (!this.#ending.signal.aborted) await clock.sleep(HINT_MILLISECONDS, this.#ending.signal);
    }
    unwatch();
  }

  #pauseMilliseconds(): number {
    const resync = this.#options.resyncMilliseconds ?? DEFAULT_RESYNC_MILLISECONDS;
    return Math.min(
      resync,
      this.#dueInMilliseconds,
      this.#retries.nextTryIn(this.#options.clock.monotonic()),
    );
  }

  #wake(): void {
    // With a reason of its own, none is made, stack and all: there is a wake for each thing that changes on a site.
    this.#pausing.abort(WOKEN);
  }

  /** Looks at what is, begins what is to be done, and tells what changed. */
  async #look(): Promise<void> {
    // As of before the list was made: what was under way then may be missing in it, and there in a moment.
    const wanted = this.#wanted;
    const underWay = [...this.#underWay.values()];
    const observed = await this.#options.driver.list();
    if (this.#ending.signal.aborted) return;
    const scheduled = await this.#schedule(observed);
    if (this.#ending.signal.aborted) return;
    this.#begin(observed, scheduled);
    this.#tell(scheduled?.view(observed) ?? observed, underWay, wanted?.fence);
  }

  /** What is wanted now, by clock and schedules. */
  async #schedule(
    observed: readonly ObservedWorkload[],
  ): Promise<(ScheduledWanted & { readonly fence: Fence }) | undefined> {
    const wanted = this.#wanted;
    if (wanted === undefined) return undefined;
    const problemOf = (id: string): string | undefined => this.#retries.problemOf(id);
    const scheduled = await this.#keeper.plan(wanted.workloads, observed, problemOf);
    this.#dueInMilliseconds = scheduled.againInMilliseconds;
    return { ...scheduled, fence: wanted.fence };
  }

  #begin(
    observed: readonly ObservedWorkload[],
    wanted: { readonly workloads: readonly Workload[]; readonly fence: Fence } | undefined,
  ): void {
    if (wanted === undefined) return;
    const { clock, concurrency = DEFAULT_CONCURRENCY } = this.#options;
    if (this.#isRenewed) {
      this.#isRenewed = false;
      for (const { key, instances } of observed)
        if (instances.some(awaitsRenewal)) this.#applied.delete(workloadId(key));
    }
    for (const step of planConvergence(wanted.workloads, observed, this.#applied)) {
      if (this.#underWay.size >= concurrency) return;
      if (this.#underWay.has(step.id)) continue;
      if (!this.#retries.mayTry(step.id, attemptOf(step), clock.monotonic())) continue;
      this.#underWay.set(step.id, step);
      void this.#carryOut(step, wanted.fence);
    }
  }

  async #carryOut(step: ConvergenceStep, fence: Fence): Promise<void> {
    const { driver, clock, log } = this.#options;
    try {
      if (step.type === 'remove') {
        this.#applied.delete(step.id);
        await driver.remove(step.key, fence);
      } else {
        await driver.apply(step.workload, fence);
        this.#applied.set(step.id, step.signature);
      }
      this.#retries.succeeded(step.id);
    } catch (error) {
      this.#retries.failed(step.id, attemptOf(step), error, clock.monotonic());
      log.warn(
        { workload: step.id, step: step.type, err: error },
        `a workload could not be made as wanted: ${messageOf(error)}`,
      );
    } finally {
      this.#underWay.delete(step.id);
      this.#wake();
    }
  }

  #tell(
    observed: readonly ObservedWorkload[],
    underWay: readonly ConvergenceStep[],
    fence: Fence | undefined,
  ): void {
    const found = new Set(observed.map(({ key }) => workloadId(key)));
    const wanted = new Map(this.#wanted?.workloads.map((workload) => [workloadId(workload.key), workload]));
    const starting = underWay.flatMap((step) => (step.type === 'apply' ? [step.workload] : []));
    const missing = [
      ...[...wanted.values()].filter(({ key }) => this.#retries.problemOf(workloadId(key)) !== undefined),
      ...starting.filter(({ key }) => !wanted.has(workloadId(key))),
    ]
      .filter(({ key }) => !found.has(workloadId(key)))
      .map(({ key, specHash }) => ({ key, specHash, instances: [] }));
    const told = [...observed, ...missing]
      .map((workload) => this.#withProblem(workload))
      .toSorted((a, b) => (workloadId(a.key) < workloadId(b.key) ? -1 : 1));
    const text = JSON.stringify(told);
    if (text === this.#toldText && fence === this.#toldFence) return;
    this.#options.onObserved(told, fence);
    this.#toldText = text;
    this.#toldFence = fence;
    this.#told = told;
  }

  #withProblem(workload: ObservedWorkload): ObservedWorkload {
    const problem = this.#retries.problemOf(workloadId(workload.key));
    return problem === undefined ? workload : { ...workload, problem };
  }
}

/** Stopped by the dead-man's rule, or not started yet: it may be the renewal of the lease that it waits for. */
function awaitsRenewal({ state }: ObservedInstance): boolean {
  return state === 'STOPPED' || state === 'PENDING';
}

function attemptOf(step: ConvergenceStep): string {
  return step.type === 'apply' ? step.signature : 'remove';
}
