import { Registry } from 'prom-client';
import { expect, it } from 'vitest';
import { createFakeClock } from '../../test/kit/fake-clock.ts';
import { toTimestamp } from '../../kernel/index.ts';
import { createMemoryStore } from '../store/index.ts';
import { createMonitoring, registerMonitoringMetrics } from './index.ts';
import { HOST } from './testkit/records.ts';

it('monitoring tells of itself in the Prometheus text format: points, series and alarms that stand', async () => {
  const store = createMemoryStore();
  const clock = createFakeClock();
  const monitoring = createMonitoring({ store, clock });
  const registry = new Registry();
  registerMonitoringMetrics(registry, monitoring, store);
  const timestamp = toTimestamp(clock.now());
  const number = { bootId: 'boot', sequence: 1 };
  const points = ['a', 'b'].map((metric) => ({ metric, unit: '1', timestamp, value: 1 }));
  monitoring.ingestMeasurements(HOST, number, { points, dropped: 7 });
  const alarms = (['MAJOR', 'MINOR', 'CLEARED'] as const).map((severity) => ({
    name: severity === 'CLEARED' ? 'minor' : severity.toLowerCase(),
    severity,
    text: '',
    changedAt: timestamp,
  }));
  monitoring.ingestAlarms(HOST, number, { alarms });
  const lines = (await registry.metrics()).split('\n');
  expect(lines).toContain('iotmano_recent_series 2');
  expect(lines).toContain('iotmano_measurements_taken 2');
  expect(lines).toContain('iotmano_measurements_dropped_by_agents 7');
  expect(lines.filter((line) => line.startsWith('iotmano_alarms{'))).toEqual([
    'iotmano_alarms{severity="MAJOR"} 1',
  ]);
});
