/** Monitoring: measurements and alarms in, recent values, indicators, collection jobs; the Monitoring function of clause 7.3.2. */
export {
  createMonitoring,
  type Monitoring,
  type MonitoringOptions,
  type MonitoringStatistics,
  type Taken,
} from './create-monitoring.ts';
export { collectionJobs, type CollectionJob } from './collection-jobs.ts';
export { computeIndicators, type DeclaredIndicator, type Indicator } from './indicators.ts';
export type { AlarmBatch } from './alarms.ts';
export type { MeasurementBatch } from './ingest-measurements.ts';
export type { MeasurementQuery } from './query-measurements.ts';
export { DEFAULT_LIMITS, type RecentStoreLimits } from './recent-store.ts';
export { monitoringRoutes } from './routes.ts';
export { createFunctionAlarms, type FunctionAlarms } from './function-alarms.ts';
export { registerMonitoringMetrics } from './monitoring-metrics.ts';
