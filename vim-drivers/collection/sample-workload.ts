import type { ObservedInstance, ObservedWorkload, WorkloadKey, WorkloadUsage } from '../contract.ts';
import { subjectOf, type Measurement } from './measurement.ts';
import { parsePrometheusText, type Sample } from './prometheus-text.ts';

const MAX_SAMPLES = 5000;

/** What a driver says of the use of resources, as measurements. */
export function measureUsage(
  key: ObservedWorkload['key'],
  usage: WorkloadUsage,
  timestamp: string,
): Measurement[] {
  return usage.instances.flatMap((instance) => {
    const subject = subjectOf(key, instance.slot);
    const values: readonly (readonly [string, string, 'counter' | 'gauge', number | undefined])[] = [
      ['instance_cpu_seconds_total', 's', 'counter', instance.cpuSeconds],
      ['instance_memory_bytes', 'By', 'gauge', instance.memoryBytes],
      ['instance_restarts_total', '1', 'counter', instance.restarts],
      ['instance_received_bytes_total', 'By', 'counter', instance.receivedBytes],
      ['instance_sent_bytes_total', 'By', 'counter', instance.sentBytes],
    ];
    return values.flatMap(([metric, unit, kind, value]) =>
      value === undefined || !Number.isFinite(value)
        ? []
        : [{ metric, subject, unit, kind, timestamp, value }],
    );
  });
}

/** What an instance shows at its metrics endpoint; undefined when it cannot be had now. */
export type ReadMetrics = (key: WorkloadKey, instance: ObservedInstance) => Promise<string | undefined>;

/** The Prometheus metrics of every instance that runs; one that does not answer gives nothing but `up` 0. */
export async function scrapeWorkload(
  workload: ObservedWorkload,
  read: ReadMetrics,
  timestamp: () => string,
): Promise<Measurement[]> {
  const running = workload.instances.filter(({ state }) => state === 'RUNNING' || state === 'UNHEALTHY');
  const scraped = await Promise.all(
    running.map(async (instance) => {
      const subject = subjectOf(workload.key, instance.slot);
      const text = await read(workload.key, instance);
      const at = timestamp();
      const up: Measurement = {
        metric: 'up',
        subject,
        unit: '1',
        kind: 'gauge',
        timestamp: at,
        value: text === undefined ? 0 : 1,
      };
      const { samples } = parsePrometheusText(text ?? '', MAX_SAMPLES);
      return [up, ...samples.map((sample) => ({ ...measurementOf(sample), subject, timestamp: at }))];
    }),
  );
  return scraped.flat();
}

function measurementOf({ name, labels, value, kind }: Sample): Omit<Measurement, 'subject' | 'timestamp'> {
  const hasLabels = Object.keys(labels).length > 0;
  return { metric: name, ...(hasLabels ? { labels } : {}), unit: unitOf(name), kind, value };
}

/** By Prometheus' naming: the base unit is the last word before `_total`, `_sum`. */
function unitOf(name: string): string {
  const base = name.replace(/_(total|sum)$/, '');
  if (base.endsWith('_bytes')) return 'By';
  return base.endsWith('_seconds') ? 's' : '1';
}
