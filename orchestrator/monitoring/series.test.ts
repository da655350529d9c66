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
        for (const point of points) if (point.at > (expected.at(-1)?.at ?? -1)) expected.push(point);
        const series = seriesOf(points, capacity);
        expect(pointsBetween(series, -Infinity, Infinity)).toEqual(expected.slice(-Math.max(8, capacity)));
        expect(newestPoint(series)).toEqual(expected.at(-1));
      }),
    );
  });

  it('refuses a point that is not newer than its newest', () => {
    const series = seriesOf([{ at: 10, value: 1 }], 8);
    expect(appendPoint(series, { at: 10, value: 2 }, 8)).toBe(false);
    expect(appendPoint(series, { at: 9, value: 2 }, 8)).toBe(false);
    expect(pointsBetween(series, 0, 100)).toEqual([{ at: 10, value: 1 }]);
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
