import { messageOf, toTimestamp, type Clock, type Logger } from '../../kernel/index.ts';
import {
  isMetricsReader,
  workloadId,
  type ObservedWorkload,
  type VimDriver,
  type WorkloadKey,
  type WorkloadSpec,
} from '../contract.ts';
import { fetchMetrics } from './fetch-metrics.ts';
import type { CollectionJob, Measurement } from './measurement.ts';
import { measureUsage, scrapeWorkload, type ReadMetrics } from './sample-workload.ts';

/** What there is to be measured now. */
export interface CollectionScene {
  readonly jobs: readonly CollectionJob[];
  readonly observed: readonly ObservedWorkload[];
  /** Where a workload shows its metrics; undefined: nowhere, or nobody knows the workload any more. */
  readonly metricsOf: (key: WorkloadKey) => WorkloadSpec['metrics'];
  /** Where the ports of instances are reached from here, unless a driver reads metrics itself (`MetricsReader`). */
  readonly address: string;
}

/** Measures the host itself. */
export interface HostSampler {
  sample(timestamp: string): Promise<readonly Measurement[]>;
}

export interface CollectorOptions {
  readonly scene: () => CollectionScene;
  readonly drivers: readonly VimDriver[];
  /** For jobs about the host; absent: they give nothing. */
  readonly hostSampler?: HostSampler;
  readonly take: (points: readonly Measurement[]) => Promise<void>;
  /** Waits so long, or less when the jobs have changed. */
  readonly pause: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

const IDLE_MILLISECONDS = 3_600_000;

/** Runs every collection job at its pace, until the signal is aborted. What fails is left out, and tried again at the next turn. */
export async function runCollector(options: CollectorOptions): Promise<void> {
  const { scene, clock, log, signal, pause } = options;
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
    await pause(Math.max(10, next), signal);
  }
}

async function collect(job: CollectionJob, options: CollectorOptions): Promise<readonly Measurement[]> {
  const { clock, drivers, hostSampler, scene, signal } = options;
  const timestamp = (): string => toTimestamp(clock.now());
  if (job.source === 'host') return (await hostSampler?.sample(timestamp())) ?? [];
  const key = job.workload;
  if (key === undefined) return [];
  if (job.source === 'usage') {
    const usages = await Promise.all(drivers.map((driver) => driver.usage(key)));
    return usages.flatMap((usage) => measureUsage(key, usage, timestamp()));
  }
  const { observed, metricsOf, address } = scene();
  const id = workloadId(key);
  const workload = observed.find((candidate) => workloadId(candidate.key) === id);
  const metrics = metricsOf(key);
  if (workload === undefined || metrics === undefined) return [];
  return scrapeWorkload(workload, readerOf(drivers, metrics, address, signal), timestamp);
}

/** A driver that reads metrics itself is asked first. */
function readerOf(
  drivers: readonly VimDriver[],
  metrics: NonNullable<WorkloadSpec['metrics']>,
  address: string,
  signal: AbortSignal,
): ReadMetrics {
  const readers = drivers.filter(isMetricsReader);
  return async (key, { slot, ports }) => {
    for (const reader of readers) {
      const text = await reader.readMetrics(key, slot, metrics, signal);
      if (text !== undefined) return text;
    }
    const port = ports[metrics.port];
    if (port === undefined || readers.length === drivers.length) return undefined;
    return fetchMetrics({ host: address, port, path: metrics.path }, signal);
  };
}

function isWanted({ metrics }: CollectionJob): (point: Measurement) => boolean {
  const names = metrics === undefined ? undefined : new Set(metrics);
  return ({ metric }) => names === undefined || names.has(metric);
}
