import { messageOf, toTimestamp, type Clock, type Logger } from '../../kernel/index.ts';
import { workloadId, type ObservedWorkload, type VimDriver } from '../../vim-drivers/index.ts';
import type { Assignment, CollectionJob } from '../mco-client/index.ts';
import type { Wakeup } from '../wakeup.ts';
import type { Measurement } from './measurement.ts';
import { measureUsage, scrapeWorkload } from './sample-workload.ts';
import type { HostSampler } from './sample-host.ts';

/** What there is to be measured now. */
export interface CollectionScene {
  readonly jobs: readonly CollectionJob[];
  readonly assignments: readonly Assignment[];
  readonly observed: readonly ObservedWorkload[];
}

export interface CollectorOptions {
  readonly scene: () => CollectionScene;
  readonly drivers: readonly VimDriver[];
  readonly hostSampler: HostSampler;
  readonly take: (points: readonly Measurement[]) => Promise<void>;
  /** Woken when the jobs have changed. */
  readonly wakeup: Wakeup;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

const IDLE_MILLISECONDS = 3_600_000;

/** Runs every collection job at its pace, until the signal is aborted. What fails is left out, and tried again at the next turn. */
export async function runCollector(options: CollectorOptions): Promise<void> {
  const { scene, clock, log, signal, wakeup } = options;
  const lastRun = new Map<string, number>();
  while (!signal.aborted) {
    const { jobs } = scene();
    const now = clock.monotonic();
    const dueAt = (job: CollectionJob): number =>
      (lastRun.get(job.jobId) ?? Number.NEGATIVE_INFINITY) + job.everySeconds * 1000;
    const due = jobs.filter((job) => dueAt(job) <= now);
    for (const job of due) lastRun.set(job.jobId, now);
    await Promise.all(
      due.map((job) =>
        collect(job, options)
          .then((points) => options.take(points.filter(isWanted(job))))
          .catch((error: unknown) =>
            log.debug({ jobId: job.jobId, reason: messageOf(error) }, 'collection failed'),
          ),
      ),
    );
    for (const jobId of lastRun.keys()) if (!jobs.some((job) => job.jobId === jobId)) lastRun.delete(jobId);
    const next = Math.min(IDLE_MILLISECONDS, ...scene().jobs.map((job) => dueAt(job) - clock.monotonic()));
    await wakeup.wait(Math.max(10, next), signal);
  }
}

async function collect(job: CollectionJob, options: CollectorOptions): Promise<Measurement[]> {
  const { clock, drivers, hostSampler, scene, signal } = options;
  const timestamp = (): string => toTimestamp(clock.now());
  if (job.source === 'host') return hostSampler.sample(timestamp());
  const key = job.workload;
  if (key === undefined) return [];
  const id = workloadId(key);
  if (job.source === 'usage') {
    const usages = await Promise.all(drivers.map((driver) => driver.usage(key)));
    return usages.flatMap((usage) => measureUsage(key, usage, timestamp()));
  }
  const observed = scene().observed.find(({ key }) => workloadId(key) === id);
  const metrics = scene().assignments.find(({ workload }) => workloadId(workload.key) === id)?.workload.spec
    .metrics;
  return observed === undefined || metrics === undefined
    ? []
    : scrapeWorkload(observed, metrics, timestamp, signal);
}

function isWanted({ metrics }: CollectionJob): (point: Measurement) => boolean {
  const names = metrics === undefined ? undefined : new Set(metrics);
  return ({ metric }) => names === undefined || names.has(metric);
}
