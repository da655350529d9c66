import {
  toTimestamp,
  type Clock,
  type HostId,
  type TenantId,
  type VnfInstanceId,
} from '../../kernel/index.ts';
import type { DescriptorUnit } from '../../descriptors/index.ts';
import { hostIdOf, versionsOf } from '../domain/index.ts';
import type { WorkloadKey } from '../../vim-drivers/index.ts';
import { createMessageSequences, type MessageNumber } from '../inventory/index.ts';
import type { Change, StateStore } from '../store/index.ts';
import { followHostAlarms, type HostAlarms } from './host-alarms.ts';
import { planAlarms, planClearings, type AlarmBatch } from './alarms.ts';
import { DEFAULT_EVERY_SECONDS, collectionJobs, type CollectionJob } from './collection-jobs.ts';
import { createHostClocks } from './host-clocks.ts';
import { computeIndicators, type DeclaredIndicator, type Indicator } from './indicators.ts';
import { ingestPoints, type MeasurementBatch } from './ingest-measurements.ts';
import { readLatest, type LatestQuery, type LatestReading } from './latest-readings.ts';
import { queryMeasurements, type MeasurementQuery } from './query-measurements.ts';
import { createRecentStore, type RecentStoreLimits } from './recent-store.ts';

/** The answer of Mco-m. */
export interface Taken {
  readonly nextSequence: number;
  readonly ignored: number;
}

export interface MonitoringOptions {
  readonly store: StateStore;
  readonly clock: Clock;
  readonly limits?: RecentStoreLimits;
  /** How far back an indicator looks. */
  readonly indicatorWindowSeconds?: number;
  readonly collectEverySeconds?: number;
}

/** Which message it is, and how far the host's clock was off when it was sent, where it says so. */
export interface MeasurementNumber extends MessageNumber {
  readonly clockOffsetMilliseconds?: number;
}

export interface MonitoringStatistics {
  readonly series: number;
  readonly evictedSeries: number;
  readonly points: number;
  readonly ignoredPoints: number;
  /** Points that agents had to drop, as they say. */
  readonly droppedByAgents: number;
}

/** The orchestrator's own monitoring agent (clause 7.3.2), apart from the binding that brings the messages. */
export interface Monitoring {
  /** Idempotent by boot and sequence. Not durable: recent measurements are kept in memory. */
  ingestMeasurements(hostId: HostId, number: MeasurementNumber, batch: MeasurementBatch): Taken;
  /** Idempotent by boot and sequence, and by what stands already. Answer only when the store is durable. */
  ingestAlarms(hostId: HostId, number: MessageNumber, batch: AlarmBatch): Taken;
  collectionJobsFor(hostId: HostId): readonly CollectionJob[];
  /** What the descriptor declares, as far as there are recent values. Empty for an unknown function. */
  indicatorsOf(vnfInstanceId: VnfInstanceId): readonly Indicator[];
  /** What the copies that are asked for have told of the declared indicators lately, for whoever acts on it. */
  latestReadings(vnfInstanceId: VnfInstanceId, query: LatestQuery): readonly LatestReading[];
  /** How often the metrics of a unit are read, as the descriptor or the installation says. */
  collectEverySecondsOf(vnfInstanceId: VnfInstanceId, unit: string): number;
  /** Calls back at once when there is something new of functions. Returns the end of it. */
  onMeasurements(listener: (functions: ReadonlySet<VnfInstanceId>) => void): () => void;
  /** @throws IotmanoError `invalid-parameter` when too much matches */
  queryMeasurements(tenant: TenantId, query: MeasurementQuery): ReturnType<typeof queryMeasurements>;
  statistics(): MonitoringStatistics;
  /** Stops following the store. */
  close(): void;
}

const DEFAULT_INDICATOR_WINDOW_SECONDS = 60;

export function createMonitoring(options: MonitoringOptions): Monitoring {
  const { store, clock } = options;
  const recent = createRecentStore(options.limits);
  const measurementSequences = createMessageSequences(store);
  const clocks = createHostClocks(store);
  const alarmSequences = createMessageSequences(store);
  const windowMilliseconds = (options.indicatorWindowSeconds ?? DEFAULT_INDICATOR_WINDOW_SECONDS) * 1000;
  const listeners = new Set<(functions: ReadonlySet<VnfInstanceId>) => void>();
  const counts = { points: 0, ignoredPoints: 0, droppedByAgents: 0 };
  const alarmsOf = followHostAlarms(store);
  const unsubscribe = store.subscribe((change) => clearOfRemoved(store, alarmsOf, clock, change));

  function unitsOf(vnfInstanceId: VnfInstanceId): readonly DescriptorUnit[] {
    const vnf = store.get('vnf-instance', vnfInstanceId)?.document;
    return (vnf === undefined ? [] : versionsOf(vnf)).flatMap(
      ({ vnfPkgId }) => store.get('vnf-package', vnfPkgId)?.document.descriptor?.units ?? [],
    );
  }

  function everyOf(vnfInstanceId: VnfInstanceId, unit: string): number | undefined {
    const metrics = unitsOf(vnfInstanceId).find(({ name }) => name === unit)?.metrics;
    return metrics?.everySeconds ?? options.collectEverySeconds;
  }

  function declaredIndicators(vnfInstanceId: VnfInstanceId): readonly DeclaredIndicator[] {
    const declared = unitsOf(vnfInstanceId).flatMap(({ name, metrics }) =>
      (metrics?.indicators ?? []).map((indicator) => ({ ...indicator, unit: name })),
    );
    // While one version replaces another, both may declare the same.
    return [
      ...new Map(declared.map((each) => [`${each.unit} ${each.name} ${each.quantile}`, each])).values(),
    ];
  }

  return {
    ingestMeasurements: (hostId, number, batch) => {
      const position = measurementSequences.judge(hostId, number);
      if (position.type === 'duplicate') return { nextSequence: position.expected, ignored: 0 };
      const offset = clocks.offsetOf(hostId, number.clockOffsetMilliseconds);
      const { taken, ignored, functions } = ingestPoints(recent, store, hostId, batch, clock.now(), offset);
      counts.points += taken;
      counts.ignoredPoints += ignored;
      counts.droppedByAgents += batch.dropped ?? 0;
      measurementSequences.accept(hostId, number);
      if (functions.size > 0) for (const listener of listeners) listener(functions);
      return { nextSequence: number.sequence + 1, ignored };
    },
    ingestAlarms: (hostId, number, batch) => {
      const position = alarmSequences.judge(hostId, number);
      if (position.type === 'duplicate') return { nextSequence: position.expected, ignored: 0 };
      const { writes, ignored } = planAlarms(store, alarmsOf, hostId, batch);
      store.commit(writes);
      alarmSequences.accept(hostId, number);
      return { nextSequence: number.sequence + 1, ignored };
    },
    collectionJobsFor: (hostId) => {
      const assignments = [...store.listByPrefix('assignment', `${hostId}.`)].map(({ document }) => document);
      const indicatorsOf = ({ vnfInstanceId, unit }: WorkloadKey) =>
        declaredIndicators(vnfInstanceId).filter((indicator) => indicator.unit === unit);
      const everySecondsOf = ({ vnfInstanceId, unit }: WorkloadKey) => everyOf(vnfInstanceId, unit);
      return collectionJobs(assignments, indicatorsOf, everySecondsOf, options.collectEverySeconds);
    },
    indicatorsOf: (vnfInstanceId) =>
      computeIndicators(
        declaredIndicators(vnfInstanceId),
        [...recent.select({ vnfInstanceId })],
        clock.now(),
        windowMilliseconds,
      ),
    latestReadings: (vnfInstanceId, query) =>
      readLatest(declaredIndicators(vnfInstanceId), [...recent.select({ vnfInstanceId })], query),
    collectEverySecondsOf: (vnfInstanceId, unit) => everyOf(vnfInstanceId, unit) ?? DEFAULT_EVERY_SECONDS,
    onMeasurements: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    queryMeasurements: (tenant, query) => queryMeasurements(recent, store, tenant, query),
    statistics: () => ({ ...counts, series: recent.size, evictedSeries: recent.evicted }),
    close: () => {
      unsubscribe();
    },
  };
}

/** Alarms of functions whose assignment to a host was removed. */
function clearOfRemoved(store: StateStore, alarmsOf: HostAlarms, clock: Clock, change: Change): void {
  const removed = new Map<HostId, Set<string>>();
  for (const { kind, id, record } of change.entries) {
    if (kind !== 'assignment' || record !== undefined) continue;
    const hostId = hostIdOf(id);
    removed.set(hostId, (removed.get(hostId) ?? new Set()).add(id.slice(hostId.length + 1)));
  }
  for (const [hostId, workloadIds] of removed) {
    const writes = planClearings(store, alarmsOf, hostId, workloadIds, toTimestamp(clock.now()));
    if (writes.length > 0) store.commit(writes);
  }
}
