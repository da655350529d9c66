import { get } from 'node:http';
import type { ObservedWorkload, WorkloadSpec, WorkloadUsage } from '../../vim-drivers/index.ts';
import { subjectOf, type Measurement } from './measurement.ts';
import { parsePrometheusText, type Sample } from './prometheus-text.ts';

const SCRAPE_TIMEOUT_MILLISECONDS = 5000;
const MAX_SCRAPE_BYTES = 2 * 1024 * 1024;
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

/** The Prometheus metrics of every instance that runs; one that does not answer gives nothing but `up` 0. */
export async function scrapeWorkload(
  workload: ObservedWorkload,
  metrics: NonNullable<WorkloadSpec['metrics']>,
  timestamp: () => string,
  signal: AbortSignal,
): Promise<Measurement[]> {
  const running = workload.instances.filter(({ state }) => state === 'RUNNING' || state === 'UNHEALTHY');
  const scraped = await Promise.all(
    running.map(async ({ slot, ports }) => {
      const subject = subjectOf(workload.key, slot);
      const port = ports[metrics.port];
      const text = port === undefined ? undefined : await fetchText(port, metrics.path, signal);
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

/** Undefined where it cannot be had, whatever the reason. Functions of a host are reached on its loopback address. */
function fetchText(port: number, path: string, signal: AbortSignal): Promise<string | undefined> {
  return new Promise((resolve) => {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(SCRAPE_TIMEOUT_MILLISECONDS)]);
    const call = get({ host: '127.0.0.1', port, path, agent: false, signal: limit }, (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > MAX_SCRAPE_BYTES) response.destroy();
        else chunks.push(chunk);
      });
      response.once('error', () => resolve(undefined));
      response.once('close', () => {
        const isWhole = response.complete && response.statusCode === 200;
        resolve(isWhole ? Buffer.concat(chunks).toString('utf8') : undefined);
      });
    });
    call.once('error', () => resolve(undefined));
  });
}
