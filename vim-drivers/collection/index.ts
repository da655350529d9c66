/** Measures workloads through their drivers, at the pace of collection jobs; for whoever looks after hosts: an agent, or the orchestrator's sites. */
export { runCollector, type CollectionScene, type CollectorOptions, type HostSampler } from './collector.ts';
export { subjectOf, type CollectionJob, type Measurement, type Subject } from './measurement.ts';
