import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { linearScale, logScale, renderPlot, type Plot } from './index.ts';

const PLOT: Plot = {
  title: 'late < 5 % & dear',
  subtitle: 'declared',
  xLabel: 'seconds',
  xScale: linearScale(10),
  panels: [
    {
      label: 'instances',
      scale: linearScale(8),
      limit: { value: 4, name: 'half' },
      lines: [
        {
          name: 'running',
          colour: 2,
          isStepped: true,
          points: [
            [0, 2],
            [2, 2],
            [4, 8],
            [10, 8],
          ],
        },
      ],
    },
  ],
};

describe('an axis', () => {
  it('has round ticks, few of them, and ends at or above what is asked for', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-3, max: 1e6, noNaN: true }), (most) => {
        const { ticks, place } = linearScale(most);
        expect(ticks[0]).toBe(0);
        expect(ticks.at(-1)).toBeGreaterThanOrEqual(most * (1 - 1e-6));
        expect(ticks.length).toBeGreaterThanOrEqual(3);
        expect(ticks.length).toBeLessThanOrEqual(6);
        expect(place(ticks.at(-1) ?? 0)).toBeCloseTo(1);
      }),
      { numRuns: 300 },
    );
  });

  it('has a decade in each step where it is logarithmic, and holds what lies beyond at its ends', () => {
    const { ticks, place } = logScale(0.1, 100);
    expect(ticks).toEqual([0.1, 1, 10, 100]);
    expect([0, 0.01, 0.1, 1, 10, 1000].map(place)).toEqual([0, 0, 0, 1 / 3, 2 / 3, 1]);
  });
});

describe('a plot', () => {
  const svg = renderPlot(PLOT);

  it('is well-formed, with its words escaped', () => {
    const count = (tags: RegExp) => {
      const names = [...svg.matchAll(tags)].map(([, name = '']) => name);
      return Object.fromEntries(
        [...Map.groupBy(names, (name) => name)].map(([name, all]) => [name, all.length]),
      );
    };
    expect(count(/<([a-z]+)(?:\s[^>]*[^/>])?>/g)).toEqual(count(/<\/([a-z]+)>/g));
    expect(svg).toContain('late &lt; 5 % &amp; dear');
    expect(svg).not.toMatch(/NaN|undefined|Infinity/);
  });

  it('has the colours of a dark page, too, on a ground of its own', () => {
    expect(svg).toMatch(/@media \(prefers-color-scheme: dark\) \{ \.ground \{ fill: #[0-9a-f]{6}/);
    expect(svg).toContain('<rect class="ground"');
  });

  it('draws a stepped line across and up, and leaves out what repeats', () => {
    expect(svg).toContain('<path class="line c2" d="M64 181H360V76H804V76"/>');
  });

  it('marks the limit where its value is', () => {
    expect(svg).toContain('<line class="limit" x1="64" x2="804" y1="146" y2="146"/>');
  });
});
