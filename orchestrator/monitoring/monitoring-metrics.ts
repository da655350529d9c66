import { Gauge, type Registry } from 'prom-client';
import { isStanding } from '../domain/index.ts';
import type { StateView } from '../store/index.ts';
import type { Monitoring, MonitoringStatistics } from './create-monitoring.ts';

const HELP: Readonly<Record<keyof MonitoringStatistics, readonly [name: string, help: string]>> = {
  series: ['iotmano_recent_series', 'Series of recent measurements that are held.'],
  evictedSeries: ['iotmano_recent_series_evicted', 'Series that made room for others since the start.'],
  points: ['iotmano_measurements_taken', 'Points taken over from monitoring agents since the start.'],
  ignoredPoints: ['iotmano_measurements_ignored', 'Points of nothing that is or was assigned to their host.'],
  droppedByAgents: [
    'iotmano_measurements_dropped_by_agents',
    'Points that agents dropped for want of room, as they say.',
  ],
};

/**
 * What monitoring itself does, for `/metrics`. The measured values are not there: they belong to tenants, and `/iotmano/v1/measurements`
 * shows each its own.
 */
export function registerMonitoringMetrics(
  registry: Registry,
  monitoring: Monitoring,
  state: StateView,
): void {
  for (const [key, [name, help]] of Object.entries(HELP)) {
    const gauge: Gauge = new Gauge({
      name,
      help,
      registers: [registry],
      collect: () => gauge.set(monitoring.statistics()[key as keyof MonitoringStatistics]),
    });
  }
  registerAlarmCount(registry, state);
}

function registerAlarmCount(registry: Registry, state: StateView): void {
  const gauge: Gauge<'severity'> = new Gauge({
    name: 'iotmano_alarms',
    help: 'Alarms that stand, by severity.',
    labelNames: ['severity'],
    registers: [registry],
    collect: () => {
      gauge.reset();
      for (const { document } of state.list('alarm')) {
        if (isStanding(document)) gauge.inc({ severity: document.severity });
      }
    },
  });
}
