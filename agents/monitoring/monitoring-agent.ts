import { uptime } from 'node:os';
import { join } from 'node:path';
import { toTimestamp, type Clock, type Logger } from '../../kernel/index.ts';
import { runCollector, type Measurement } from '../../vim-drivers/collection/index.ts';
import {
  workloadId,
  type ObservedWorkload,
  type VimDriver,
  type WorkloadKey,
  type WorkloadSpec,
} from '../../vim-drivers/index.ts';
import { openDiskQueue, type QueueEntry } from '../disk-queue/index.ts';
import type { Assignment, Backoff, CollectionJob, McoClient } from '../mco-client/index.ts';
import { createRhythm, type PollRhythm } from '../rhythm.ts';
import { createWakeup } from '../wakeup.ts';
import { createClockSteps } from './clock-steps.ts';
import type { Alarm } from './alarm.ts';
import { runAlarmWatch } from './alarm-watch.ts';
import { runDelivery } from './delivery.ts';
import { createHostSampler } from './sample-host.ts';

export interface MonitoringAgentOptions {
  readonly client: McoClient;
  readonly dataDirectory: string;
  readonly drivers: readonly VimDriver[];
  readonly createBackoff: () => Backoff;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** Bound of the measurements that wait on disk for the orchestrator. */
  readonly maxQueueBytes?: number;
}

export interface MonitoringAgent {
  /** What is to be collected, and of what. */
  wanted(jobs: readonly CollectionJob[], assignments: readonly Assignment[]): void;
  observed(workloads: readonly ObservedWorkload[]): void;
  readonly rhythm: PollRhythm;
  /** Until the signal is aborted. */
  run(): Promise<void>;
}

/** Where the functions of this host are reached from it. */
const LOOPBACK = '127.0.0.1';
const DEFAULT_QUEUE_BYTES = 16 * 1024 * 1024;
const ALARM_QUEUE_BYTES = 1024 * 1024;
const POINTS_PER_ENTRY = 1000;
const MEASUREMENTS_LIMIT = { entries: 10, bytes: 4 * 1024 * 1024 };
const ALARMS_LIMIT = { entries: 500, bytes: 1024 * 1024 };

/** Collects measurements, looks for alarms, and delivers both; what cannot be delivered waits on disk, bounded. */
export async function startMonitoringAgent(options: MonitoringAgentOptions): Promise<MonitoringAgent> {
  const { client, dataDirectory, drivers, clock, log, signal } = options;
  const measurements = await openDiskQueue({
    directory: join(dataDirectory, 'queues', 'measurements'),
    maxBytes: options.maxQueueBytes ?? DEFAULT_QUEUE_BYTES,
    sync: 'before-read',
    log,
  });
  const alarms = await openDiskQueue({
    directory: join(dataDirectory, 'queues', 'alarms'),
    maxBytes: ALARM_QUEUE_BYTES,
    sync: 'each',
    log,
  });
  let jobs: readonly CollectionJob[] = [];
  let assignments: readonly Assignment[] = [];
  let observed: readonly ObservedWorkload[] = [];
  const collecting = createWakeup(clock);
  const watching = createWakeup(clock);
  const measured = createWakeup(clock);
  const alarmed = createWakeup(clock);
  const rhythm = createRhythm(clock);
  const clockSteps = createClockSteps(clock, uptime);

  async function take(points: readonly Measurement[]): Promise<void> {
    for (let from = 0; from < points.length; from += POINTS_PER_ENTRY) {
      const piece = points.slice(from, from + POINTS_PER_ENTRY);
      clockSteps.note(measurements.newest + 1);
      await measurements.append(Buffer.from(JSON.stringify(piece)), piece.length);
      measured.wake();
    }
  }

  const metricsOf = (key: WorkloadKey): WorkloadSpec['metrics'] =>
    assignments.find(({ workload }) => workloadId(workload.key) === workloadId(key))?.workload.spec.metrics;

  const loops = (): Promise<unknown>[] => [
    runCollector({
      scene: () => ({ jobs, observed, metricsOf, address: LOOPBACK }),
      drivers,
      hostSampler: createHostSampler(dataDirectory),
      take,
      pause: (milliseconds) => {
        rhythm.pauses(milliseconds);
        return collecting.wait(milliseconds, signal);
      },
      clock,
      log,
      signal,
    }),
    runAlarmWatch({
      dataDirectory,
      observed: () => observed,
      queue: alarms,
      wakeup: watching,
      onQueued: () => alarmed.wake(),
      clock,
      log,
      signal,
    }),
    runDelivery({
      what: 'measurements',
      queue: measurements,
      limit: MEASUREMENTS_LIMIT,
      send: async (entries, sequence, dropped) => {
        const points = entries.flatMap((entry) => pointsOf(entry, clockSteps.correctionOf(entry.sequence)));
        const receipt = await client.postMeasurements({ points, dropped }, sequence, signal);
        rhythm.sent();
        return receipt;
      },
      wakeup: measured,
      backoff: options.createBackoff(),
      log,
      signal,
    }),
    runDelivery({
      what: 'alarms',
      queue: alarms,
      limit: ALARMS_LIMIT,
      send: (entries, sequence) =>
        client.postAlarms({ alarms: entries.map(parseEntry<Alarm>) }, sequence, signal),
      wakeup: alarmed,
      backoff: options.createBackoff(),
      log,
      signal,
    }),
  ];

  return {
    rhythm,
    wanted: (wantedJobs, wantedAssignments) => {
      jobs = wantedJobs;
      assignments = wantedAssignments;
      collecting.wake();
    },
    observed: (workloads) => {
      observed = workloads;
      watching.wake();
    },
    run: async () => {
      await Promise.all(loops());
      await Promise.all([measurements.close(), alarms.close()]);
    },
  };
}

/** With the times that they have by the clock as it is set now. */
function pointsOf(entry: QueueEntry, correctionMilliseconds: number): readonly Measurement[] {
  const points = parseEntry<Measurement[]>(entry);
  if (correctionMilliseconds === 0) return points;
  return points.map((point) => ({
    ...point,
    timestamp: toTimestamp(Date.parse(point.timestamp) + correctionMilliseconds),
  }));
}

/** What we wrote ourselves; its checksum was verified. */
function parseEntry<Content>({ payload }: QueueEntry): Content {
  return JSON.parse(payload.toString('utf8')) as Content;
}
