import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parsePrometheusText } from './prometheus-text.ts';

describe('Prometheus text', () => {
  it('reads names, labels, values and kinds', () => {
    const text = [
      '# HELP requests_total Requests.',
      '# TYPE requests_total counter',
      'requests_total{method="GET",path="/a\\"b\\\\c\\nd"} 3 1712345678000',
      '# TYPE queue_length gauge',
      'queue_length 7.5e1',
      '# TYPE latency_seconds histogram',
      'latency_seconds_bucket{le="+Inf"} 4',
      'latency_seconds_sum 0.25',
    ].join('\n');
    expect(parsePrometheusText(text, 10)).toEqual({
      samples: [
        { name: 'requests_total', labels: { method: 'GET', path: '/a"b\\c\nd' }, value: 3, kind: 'counter' },
        { name: 'queue_length', labels: {}, value: 75, kind: 'gauge' },
        { name: 'latency_seconds_bucket', labels: { le: '+Inf' }, value: 4, kind: 'counter' },
        { name: 'latency_seconds_sum', labels: {}, value: 0.25, kind: 'counter' },
      ],
      badLines: 0,
      dropped: 0,
    });
  });

  it('leaves out what is not a number and skips broken lines, keeping the others', () => {
    const text = 'a NaN\nb +Inf\nc{x="1" 3\nd{x=1} 3\ne 1 2 3\n5bad 1\nf 0x10\ng 2';
    const { samples, badLines } = parsePrometheusText(text, 10);
    expect(samples.map(({ name }) => name)).toEqual(['g']);
    expect(badLines).toBe(5);
  });

  it('holds at most as many samples as allowed, and counts the rest', () => {
    const text = Array.from({ length: 50 }, (_, index) => `m${index} ${index}`).join('\n');
    const { samples, dropped } = parsePrometheusText(text, 20);
    expect([samples.length, dropped]).toEqual([20, 30]);
  });

  it('never throws, whatever a function shows', () => {
    const piece = fc.constantFrom(
      '{',
      '}',
      '"',
      '\\',
      'name',
      '=',
      ',',
      ' ',
      '1',
      '\n',
      '# TYPE ',
      '__proto__',
      '\u0000',
      'NaN',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(piece, { maxLength: 60 }).map((parts) => parts.join('')),
        ),
        (text) => {
          const { samples } = parsePrometheusText(text, 5);
          expect(samples.every(({ value }) => Number.isFinite(value))).toBe(true);
        },
      ),
    );
  });

  it('comes to an end with lines made to keep it busy', () => {
    const { badLines } = parsePrometheusText(
      `m{a="${'\\'.repeat(4000)} 1
`.repeat(100),
      10,
    );
    expect(badLines).toBe(100);
  });
});
