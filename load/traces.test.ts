import * as fc from 'fast-check';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { GENERATED, generateTrace } from './generate-trace.ts';
import { parseTrace } from './parse-trace.ts';
import { readTrace } from './read-trace.ts';
import { renderTrace } from './render-trace.ts';
import { lengthSeconds } from './trace.ts';

const ROOT = join(import.meta.dirname, '..');
const RECORDED = globSync(['vnf-catalog/data/road-traffic/*.csv', 'simulation/scenarios/data/*.csv'], {
  cwd: ROOT,
});

describe('parseTrace', () => {
  test('reads times in UTC and values, and the last value holds as long as the one before it', () => {
    const trace = parseTrace(
      'taxi.csv',
      'timestamp,value\r\n2014-07-01 00:00:00,10844\r\n2014-07-01T00:30:00Z,81.5\r\n\r\n',
    );
    expect(trace).toEqual({
      name: 'taxi.csv',
      startsAt: Date.UTC(2014, 6, 1),
      points: [
        { atSeconds: 0, value: 10844 },
        { atSeconds: 1800, value: 81.5 },
      ],
    });
    expect(lengthSeconds(trace)).toBe(3600);
  });

  test.each(RECORDED)('reads %s', (file) => {
    const { points } = readTrace(join(ROOT, file), 1);
    expect(points.length).toBeGreaterThan(100);
  });

  const head = 'timestamp,value\n2030-01-01 00:00:00,1\n';
  test.each([
    ['nothing', '', 't.csv:1: "": the first line of a trace is "timestamp,value"'],
    ['another kind of file', '{"a":1}', 't.csv:1: "{\\"a\\":1}": the first line'],
    ['one row', head, 't.csv:2: "2030-01-01 00:00:00,1": a trace has at least two rows'],
    [
      'a row that is none',
      `${head}noon,3`,
      't.csv:3: "noon,3": each row is a time and a value of at least 0',
    ],
    ['a value below 0', `${head}2030-01-01 00:01:00,-3`, 't.csv:3: "2030-01-01 00:01:00,-3"'],
    ['a day that is none', `${head}2030-02-31 00:01:00,3\n2030-13-01 00:01:00,3`, 't.csv:4: "2030-13-01'],
    ['a time that goes back', `${head}2029-01-01 00:00:00,3`, 'no row is earlier than the one before it'],
    [
      'no demand',
      'timestamp,value\n2030-01-01 00:00:00,0\n2030-01-01 00:01:00,0',
      'at least one value above 0',
    ],
  ])('refuses %s, and says where and what would be right', (_what, text, message) => {
    expect(() => parseTrace('t.csv', text)).toThrow(message);
  });

  test('gives a trace or a refusal that names a line, for any text', () => {
    const row = fc.tuple(fc.constantFrom('2030-01-01 00:00:00', '2031-02-03T04:05:06', 'x'), fc.double());
    const lines = fc.array(
      fc.oneof(
        fc.string(),
        row.map(([time, value]) => `${time},${value}`),
      ),
    );
    fc.assert(
      fc.property(lines, fc.boolean(), (rows, hasHead) => {
        const text = [...(hasHead ? ['timestamp,value'] : []), ...rows].join('\n');
        const told = ((): string => {
          try {
            return `${parseTrace('t.csv', text).points.length} points`;
          } catch (error) {
            return error instanceof Error ? error.message : '';
          }
        })();
        expect(told).toMatch(/^(\d{1,5} points$|t\.csv:\d+: )/);
      }),
      { numRuns: 300 },
    );
  });
});

describe('readTrace', () => {
  test.each(GENERATED)('generates %s, the same for the same seed, and another for another', (name) => {
    const trace = readTrace(`generated:${name}`, 7);
    expect(readTrace(`generated:${name}`, 7)).toEqual(trace);
    expect(generateTrace(name, 8).points).not.toEqual(trace.points);
    expect(trace.points.every(({ value }) => value >= 0)).toBe(true);
    expect(parseTrace(trace.name, renderTrace(trace))).toEqual(trace);
  });

  test('a reconnection burst is silence, then more than ever before', () => {
    const { points } = readTrace('generated:reconnection-burst', 3);
    const values = points.map(({ value }) => value);
    const silent = values.findIndex((value) => value < 1);
    const highest = values.indexOf(Math.max(...values));
    expect(silent).toBeGreaterThan(100);
    expect(highest).toBeGreaterThan(silent);
    expect(Math.max(...values)).toBeGreaterThan(3 * (values[0] ?? 0));
  });

  test('metering slots have a peak at the beginning of each quarter of an hour', () => {
    const { points } = readTrace('generated:metering-slots', 3);
    const valueAt = (seconds: number): number => points[seconds / 5]?.value ?? 0;
    for (const slot of [900, 1800, 2700]) expect(valueAt(slot)).toBeGreaterThan(10 * valueAt(slot + 450));
  });

  test('a holiday departure has its highest demand on the sixth day', () => {
    const { points } = readTrace('generated:holiday-departure', 3);
    const highest = points.reduce((best, point) => (point.value > best.value ? point : best));
    expect(Math.floor(highest.atSeconds / 86_400)).toBe(5);
  });

  test('says which there are when it knows none of that name, and when a file is not there', () => {
    expect(() => readTrace('generated:flood', 1)).toThrow(
      'there is no generated trace "flood"; there are generated:reconnection-burst',
    );
    expect(() => readTrace('/nowhere.csv', 1)).toThrow('the trace /nowhere.csv cannot be read');
  });
});

describe('the recorded traces', () => {
  test('come with their licence', () => {
    for (const folder of new Set(RECORDED.map((file) => join(ROOT, file, '..'))))
      expect(readFileSync(join(folder, 'LICENSE.txt'), 'utf8')).toContain('Numenta');
  });
});
