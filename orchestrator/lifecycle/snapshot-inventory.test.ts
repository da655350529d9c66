import { describe, expect, it } from 'vitest';
import { DEFAULT_TENANT, type HostId } from '../../kernel/index.ts';
import { buildFunction, buildUnit } from '../../test/kit/descriptor-builder.ts';
import { createLifecycleBench } from '../../test/kit/lifecycle-bench.ts';
import { onboardFunction } from '../../test/kit/simulated-host.ts';
import { snapshotHost } from './snapshot-inventory.ts';

describe('the CPU of a host', () => {
  it('is what it states in thousandths of a reference core: its score is in that already', () => {
    // Four cores, each half as fast as the reference core.
    const facts = { cpu: { cores: 4, score: 0.5, allocatableMillis: 2000 } };
    const bench = createLifecycleBench([{ hostId: 'slow', facts }]);
    const fits = (name: string, cpuMillis: number): boolean => {
      const units = [buildUnit({ resources: { cpuMillis, memoryBytes: 1 } })];
      onboardFunction(bench.store, buildFunction(name, { units }));
      const { id } = bench.lifecycle.vnf.create(DEFAULT_TENANT, { vnfdId: `vnfd-${name}` });
      return bench.lifecycle.vnf.planInstantiation(DEFAULT_TENANT, id, { flavourId: 'default' }).fits;
    };
    expect([fits('all', 2000), fits('too-much', 2001)]).toEqual([true, false]);
  });
});

describe('a host', () => {
  it('is to placement what its agent states, what its operator says, and what is remembered of it', () => {
    const bench = createLifecycleBench([
      {
        hostId: 'gw-1',
        facts: {
          tier: 'device-edge',
          devices: [{ class: 'tpu', count: 2 }, { class: 'serial' }, { class: 'serial' }],
          uplink: { bitsPerSecond: 1e6, jurisdictions: ['FR'] },
          meteredUplink: true,
          latencies: [{ to: 'zone=north', p95Milliseconds: 12, measuredAt: '2030-01-01T00:00:00.000Z' }],
        },
        host: {
          taints: [{ text: 'dedicated=lab', effect: 'refuse' }],
          costPerHour: 0.05,
          enrolledAt: '2029-01-01T00:00:00.000Z',
          absence: { awaySeconds: 86_400, at: '2030-01-01T00:00:00.000Z' },
        },
      },
    ]);
    const host = snapshotHost(bench.store, 'gw-1' as HostId, undefined, Date.UTC(2030, 0, 1, 0, 1));
    expect(host).toMatchObject({
      allocatable: { devices: { tpu: 2, serial: 2 } },
      labels: { 'device.tpu': '2', 'driver.process': 'yes', medium: 'ssd', metered: 'yes', 'cpu.score': '1' },
      uplink: { bitsPerSecond: 1e6, jurisdictions: ['FR'], isMetered: true },
      latencies: [{ to: 'zone=north', p95Milliseconds: 12, ageSeconds: 60 }],
      taints: [{ text: 'dedicated=lab', effect: 'refuse' }],
      costPerHour: 0.05,
    });
    expect(host?.availability).toBeCloseTo(1 - 86_400 / (604_800 / Math.LN2), 2);
  });
});

describe('the kept inventory', () => {
  const near = (maxAge: number) => {
    const { placement } = buildFunction('x');
    return {
      placement: {
        ...placement,
        near: [{ to: { label: 'zone=north' }, maxLatencyMilliseconds: 20, maxAgeSeconds: maxAge }],
      },
    };
  };

  it('lets measurements grow old though nothing is heard of the host', async () => {
    const measuredAt = '2030-01-01T00:00:00.000Z';
    const bench = createLifecycleBench([
      { hostId: 'gw-1', facts: { latencies: [{ to: 'zone=north', p95Milliseconds: 12, measuredAt }] } },
    ]);
    onboardFunction(bench.store, buildFunction('close', near(600)));
    const { id } = bench.lifecycle.vnf.create(DEFAULT_TENANT, { vnfdId: 'vnfd-close' });
    const fits = () =>
      bench.lifecycle.vnf.planInstantiation(DEFAULT_TENANT, id, { flavourId: 'default' }).fits;
    expect(fits()).toBe(true);
    await bench.clock.advance(590_000);
    expect(fits()).toBe(true);
    await bench.clock.advance(20_000);
    expect(fits()).toBe(false);
  });
});
