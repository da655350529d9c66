import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HostId } from '../../kernel/index.ts';
import { appendPoint, newestPoint, newSeries, pointsBetween, type Point, type Series } from './series.ts';

function seriesOf(points: readonly Point[], capacity: number): Series {
  const series = newSeries({ hostId: 'h' as HostId, metric: 'm', labels: {}, unit: '1', kind: 'gauge' });
  for (const point of points) appendPoint(series, point, capacity);
  return series;
}

describe('a series', () => {
  it('holds the newest points in order, up to its capacity, whatever comes in', () => {
    const arbitraryPoints = fc.array(fc.record({ at: fc.nat({ max: 300 }), value: fc.float() }), {
      maxLength: 200,
    });
    fc.assert(
      fc.property(arbitraryPoints, fc.integer({ min: 1, max: 40 }), (points, capacity) => {
        const expected: Point[] = [];
        const most = Math.max(8, capacity);
        for (const point of points) {
          const isTooOld = expected.length === most && point.at < (expected[0]?.at ?? 0);
          if (isTooOld || expected.some(({ at }) => at === point.at)) continue;
          expected.push(point);
          expected.sort((one, other) => one.at - other.at);
          if (expected.length > most) expected.shift();
        }
        const series = seriesOf(points, capacity);
        expect(pointsBetween(series, -Infinity, Infinity)).toEqual(expected);
        expect(newestPoint(series)).toEqual(expected.at(-1));
      }),
    );
  });

  it('refuses a point of a time that it has, and gives one that comes late its place', () => {
    const series = seriesOf([{ at: 10, value: 1 }], 8);
    expect(appendPoint(series, { at: 10, value: 2 }, 8)).toBe(false);
    expect(appendPoint(series, { at: 9, value: 2 }, 8)).toBe(true);
    expect(pointsBetween(series, 0, 100)).toEqual([
      { at: 9, value: 2 },
      { at: 10, value: 1 },
    ]);
  });

  it('gives the points between two times, and the one before when asked', () => {
    const series = seriesOf(
      [10, 20, 30, 40].map((at) => ({ at, value: at })),
      8,
    );
    expect(pointsBetween(series, 20, 30).map(({ at }) => at)).toEqual([20, 30]);
    expect(pointsBetween(series, 21, 39, true).map(({ at }) => at)).toEqual([20, 30]);
    expect(pointsBetween(series, 41, 50)).toEqual([]);
  });
});
