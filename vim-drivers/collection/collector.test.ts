import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { silentLogger, systemClock, type VnfInstanceId } from '../../kernel/index.ts';
import type { MetricsReader, ObservedWorkload, VimDriver, WorkloadKey } from '../contract.ts';
import { runCollector, type CollectionScene } from './collector.ts';
import type { Measurement } from './measurement.ts';

const key: WorkloadKey = {
  tenant: 'default' as WorkloadKey['tenant'],
  vnfInstanceId: 'fn-1' as VnfInstanceId,
  unit: 'main',
  generation: 1,
};
const metrics = { port: 'http', path: '/metrics' };
const server = createServer((request, response) =>
  response.end(request.url === metrics.path ? 'requests_total 12\n' : ''),
);

beforeEach(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});

afterEach(() => {
  server.closeAllConnections();
  server.close();
});

function driverOf(parts: Partial<VimDriver & MetricsReader>): VimDriver {
  return {
    usage: async () => ({ instances: [{ slot: 0, cpuSeconds: 2, memoryBytes: 3, restarts: 0 }] }),
    ...parts,
  } as VimDriver;
}

/** What one job gives within its first turns. */
async function collected(
  job: CollectionScene['jobs'][number],
  driver: VimDriver,
  until: (points: readonly Measurement[]) => void,
): Promise<void> {
  const end = new AbortController();
  const points: Measurement[] = [];
  const { port } = server.address() as AddressInfo;
  const observed = [
    { key, instances: [{ slot: 0, epoch: 1, state: 'RUNNING', restarts: 0, ports: { http: port } }] },
  ];
  const running = runCollector({
    scene: () => ({
      jobs: [job],
      observed: observed as unknown as readonly ObservedWorkload[],
      metricsOf: () => metrics,
      address: '127.0.0.1',
    }),
    drivers: [driver],
    take: async (more) => void points.push(...more),
    pause: (milliseconds, signal) => systemClock.sleep(milliseconds, signal),
    clock: systemClock,
    log: silentLogger,
    signal: end.signal,
  });
  try {
    await vi.waitFor(() => until(points), { timeout: 3000, interval: 20 });
  } finally {
    end.abort();
    await running;
  }
}

describe('collecting', () => {
  const scrape = { jobId: 'scrape', source: 'scrape' as const, workload: key, everySeconds: 0.1 };
  const valueOf = (points: readonly Measurement[], name: string): number | undefined =>
    points.find(({ metric }) => metric === name)?.value;

  it('reads metrics at the address of the scene', async () => {
    await collected(scrape, driverOf({}), (points) => {
      expect([valueOf(points, 'requests_total'), valueOf(points, 'up')]).toEqual([12, 1]);
    });
  });

  it('leaves reading to a driver that reads metrics itself', async () => {
    const driver = driverOf({
      readMetrics: async (_, slot, { path }) => `read_total{path="${path}"} ${slot + 7}\n`,
    });
    await collected(scrape, driver, (points) => {
      expect(points).toContainEqual(
        expect.objectContaining({ metric: 'read_total', value: 7, labels: { path: '/metrics' } }),
      );
      expect(valueOf(points, 'requests_total')).toBeUndefined();
    });
  });

  it('takes what such a driver cannot read now for down, without asking elsewhere', async () => {
    await collected(scrape, driverOf({ readMetrics: async () => undefined }), (points) => {
      expect(points[0]).toMatchObject({ metric: 'up', value: 0 });
    });
  });

  it('gives nothing for the host where there is no sampler, and goes on with what there is', async () => {
    const driver = driverOf({});
    await collected(
      { jobId: 'usage', source: 'usage', workload: key, everySeconds: 0.1 },
      driver,
      (points) => {
        expect(valueOf(points, 'instance_cpu_seconds_total')).toBe(2);
      },
    );
    let turns = 0;
    const end = new AbortController();
    await runCollector({
      scene: () => ({
        jobs: [{ jobId: 'host', source: 'host', everySeconds: 1 }],
        observed: [],
        metricsOf: () => metrics,
        address: '',
      }),
      drivers: [driver],
      take: async (points) => expect(points).toEqual([]),
      pause: async () => {
        turns += 1;
        end.abort();
      },
      clock: systemClock,
      log: silentLogger,
      signal: end.signal,
    });
    expect(turns).toBe(1);
  });
});
