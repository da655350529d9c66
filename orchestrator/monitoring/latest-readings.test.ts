import { describe, expect, it } from 'vitest';
import { DEFAULT_TENANT, type VnfcInstanceId } from '../../kernel/index.ts';
import { vnfcInstanceId } from '../domain/index.ts';
import { readLatest, type LatestQuery } from './latest-readings.ts';
import { appendPoint, newSeries, type Series, type SeriesIdentity } from './series.ts';
import { HOST, VNF } from './testkit/records.ts';

const NOW = 1_000_000;
const subject = (slot: number) => ({
  tenant: DEFAULT_TENANT,
  vnfInstanceId: VNF,
  unit: 'main',
  generation: 1,
  slot,
});

function series(
  slot: number,
  metric: string,
  kind: SeriesIdentity['kind'],
  points: readonly (readonly [secondsAgo: number, value: number])[],
  labels: SeriesIdentity['labels'] = {},
): Series {
  const made = newSeries({ hostId: HOST, subject: subject(slot), metric, labels, unit: '1', kind });
  for (const [secondsAgo, value] of points) appendPoint(made, { at: NOW - secondsAgo * 1000, value }, 100);
  return made;
}

const copy = (slot: number): VnfcInstanceId => vnfcInstanceId(HOST, subject(slot), slot);
const query: LatestQuery = {
  now: NOW,
  copies: new Set([copy(0), copy(1)]),
  staleAfterSeconds: 30,
  windowSeconds: 10,
  everySecondsOf: () => 1,
};
const LOAD = [{ unit: 'main', name: 'load' }];

describe('the latest readings', () => {
  it('are the mean over the copies, now or over the window, whichever is more', () => {
    const rising = [
      series(0, 'load', 'gauge', [
        [9, 0],
        [1, 10],
      ]),
      series(1, 'load', 'gauge', [[1, 30]]),
    ];
    expect(readLatest(LOAD, rising, query)).toEqual([{ ...LOAD[0], value: 20, instances: 2 }]);
    const falling = [
      series(0, 'load', 'gauge', [
        [4, 50],
        [3, 40],
        [0, 0],
      ]),
    ];
    expect(readLatest(LOAD, falling, query)).toEqual([{ ...LOAD[0], value: 30, instances: 1 }]);
  });

  it('do not count a copy that is not asked for, or that has fallen silent while others tell', () => {
    const all = [
      series(0, 'load', 'gauge', [[0, 10]]),
      series(1, 'load', 'gauge', [[20, 90]]),
      series(2, 'load', 'gauge', [[0, 1000]]),
    ];
    expect(readLatest(LOAD, all, query)).toEqual([{ ...LOAD[0], value: 10, instances: 1 }]);
  });

  it('are none where all is stale', () => {
    expect(readLatest(LOAD, [series(0, 'load', 'gauge', [[31, 10]])], query)).toEqual([]);
  });

  it('are the rate of what counts up, which says nothing before its second point', () => {
    const counter = [
      series(0, 'load', 'counter', [
        [2, 100],
        [1, 110],
        [0, 120],
      ]),
      series(1, 'load', 'counter', [[0, 5]]),
    ];
    expect(readLatest(LOAD, counter, query)).toEqual([{ ...LOAD[0], value: 10, instances: 1 }]);
  });

  it('are 0 for a quantile of nothing: it was told, and nothing was asked', () => {
    const quantile = [{ unit: 'main', name: 'seconds', quantile: 0.99 }];
    const bucket = (le: string) =>
      series(
        0,
        'seconds_bucket',
        'counter',
        [
          [1, 7],
          [0, 7],
        ],
        { le },
      );
    expect(readLatest(quantile, [bucket('0.1'), bucket('+Inf')], query)).toMatchObject([
      { value: 0, instances: 1 },
    ]);
  });
});
