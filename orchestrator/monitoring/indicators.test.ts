import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { vnfcInstanceId } from '../domain/index.ts';
import { histogramQuantile } from './histogram-quantile.ts';
import { computeIndicators, increase } from './indicators.ts';
import { appendPoint, newSeries, type Series, type SeriesIdentity } from './series.ts';
import { HOST, key } from './testkit/records.ts';

const NOW = 100_000;

function series(
  slot: number,
  metric: string,
  values: readonly number[],
  rest: Partial<SeriesIdentity> = {},
): Series {
  const made = newSeries({
    hostId: HOST,
    subject: { ...key(), slot },
    metric,
    labels: {},
    unit: '1',
    kind: 'gauge',
    ...rest,
  });
  // The newest at NOW, ten seconds apart.
  for (const [index, value] of values.entries()) {
    appendPoint(made, { at: NOW - (values.length - 1 - index) * 10_000, value }, 100);
  }
  return made;
}

function histogram(slot: number, counts: readonly [string, number, number][]): Series[] {
  return counts.map(([le, before, after]) =>
    series(slot, 'request_seconds_bucket', [before, after], { labels: { le }, kind: 'counter' }),
  );
}

describe('indicators of a function', () => {
  it('are the mean of gauges over instances, with sum, maximum and each one', () => {
    const found = computeIndicators(
      [{ unit: 'processor', name: 'queue_depth' }],
      [
        series(0, 'queue_depth', [7, 10], { labels: { queue: 'a' } }),
        series(0, 'queue_depth', [0, 20], { labels: { queue: 'b' } }),
        series(1, 'queue_depth', [50]),
        series(1, 'another', [1000]),
        series(2, 'queue_depth', [1000], { subject: { ...key({ unit: 'another' }), slot: 0 } }),
      ],
      NOW,
      60_000,
    );
    expect(found).toMatchObject([{ name: 'queue_depth', value: 40, sum: 80, max: 50, at: NOW }]);
    expect(new Map(found[0]?.instances.map((one) => [one.vnfcInstanceId, one.value]))).toEqual(
      new Map([
        [vnfcInstanceId(HOST, key(), 0), 30],
        [vnfcInstanceId(HOST, key(), 1), 50],
      ]),
    );
  });

  it('are the rate per second of counters, also over a restart', () => {
    const counter = series(0, 'requests_total', [100, 150, 30], { kind: 'counter' });
    const [found] = computeIndicators(
      [{ unit: 'processor', name: 'requests_total' }],
      [counter],
      NOW,
      60_000,
    );
    expect(found?.value).toBe((50 + 30) / 20);
  });

  it('are quantiles over all instances of what histograms have grown by', () => {
    const all = [
      ...histogram(0, [
        ['0.1', 1000, 1090],
        ['0.5', 1000, 1100],
        ['+Inf', 1000, 1100],
      ]),
      ...histogram(1, [
        ['0.1', 0, 0],
        ['0.5', 0, 100],
        ['+Inf', 0, 100],
      ]),
    ];
    const [found] = computeIndicators(
      [{ unit: 'processor', name: 'request_seconds', quantile: 0.5 }],
      all,
      NOW,
      60_000,
    );
    // 200 observations, 90 up to 0.1 and 110 more up to 0.5: the 100th lies 10/110 into the second bucket.
    expect(found?.value).toBeCloseTo(0.1 + 0.4 * (10 / 110), 10);
    expect(found?.instances).toHaveLength(2);
  });

  it('have no value where nothing recent was measured', () => {
    const declared = [
      { unit: 'processor', name: 'queue_depth' },
      { unit: 'processor', name: 'request_seconds', quantile: 0.9 },
    ];
    expect(computeIndicators(declared, [], NOW, 60_000)).toEqual([]);
    expect(computeIndicators(declared, [series(0, 'queue_depth', [5])], NOW + 60_001, 60_000)).toEqual([]);
    const silent = histogram(0, [
      ['1', 5, 5],
      ['+Inf', 5, 5],
    ]);
    expect(computeIndicators(declared, silent, NOW, 60_000)).toEqual([]);
  });
});

describe('a quantile of a histogram', () => {
  it('lies between the bounds of the bucket that holds it', () => {
    const observations = fc.array(fc.double({ min: 0, max: 10, noNaN: true }), {
      minLength: 1,
      maxLength: 100,
    });
    fc.assert(
      fc.property(observations, fc.double({ min: 0.01, max: 1, noNaN: true }), (values, quantile) => {
        const bounds = [1, 2, 5, 10, Infinity];
        const buckets = bounds.map((le) => ({ le, count: values.filter((value) => value <= le).length }));
        const sorted = values.toSorted((a, b) => a - b);
        const exact = sorted[Math.ceil(quantile * sorted.length - 1e-9) - 1] ?? 0;
        const upper = bounds.find((bound) => exact <= bound) ?? Infinity;
        const lower = bounds[bounds.indexOf(upper) - 1] ?? 0;
        const estimate = histogramQuantile(quantile, buckets) ?? Number.NaN;
        expect(estimate).toBeGreaterThanOrEqual(lower - 1e-9);
        expect(estimate).toBeLessThanOrEqual(upper + 1e-9);
      }),
    );
  });

  it('is the last bound where it lies beyond, and unknown without observations or without +Inf', () => {
    expect(
      histogramQuantile(0.9, [
        { le: 1, count: 1 },
        { le: Infinity, count: 10 },
      ]),
    ).toBe(1);
    expect(
      histogramQuantile(0.9, [
        { le: 1, count: 0 },
        { le: Infinity, count: 0 },
      ]),
    ).toBeUndefined();
    expect(histogramQuantile(0.9, [{ le: 1, count: 5 }])).toBeUndefined();
    expect(histogramQuantile(0.9, [])).toBeUndefined();
  });
});

describe('the increase of a counter', () => {
  it('is never negative, and exact where it only grows', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 50 }), (values) => {
        const points = values.map((value, at) => ({ at, value }));
        expect(increase(points)).toBeGreaterThanOrEqual(0);
        const growing = values.toSorted((a, b) => a - b).map((value, at) => ({ at, value }));
        expect(increase(growing)).toBe((growing.at(-1)?.value ?? 0) - (growing[0]?.value ?? 0));
      }),
    );
  });
});
