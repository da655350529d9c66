/** Monitoring: measurements and alarms in, recent values, indicators, collection jobs; the Monitoring function of clause 7.3.2. */
export { createMonitoring, type Monitoring } from './create-monitoring.ts';
export type { AlarmBatch } from './alarms.ts';
export type { MeasurementBatch } from './ingest-measurements.ts';
export type { LatestQuery, LatestReading } from './latest-readings.ts';
export { monitoringRoutes } from './routes.ts';
export { createConditionAlarms, createFunctionAlarms } from './function-alarms.ts';
export { watchConditions } from './condition-watch.ts';
export { registerMonitoringMetrics } from './monitoring-metrics.ts';
