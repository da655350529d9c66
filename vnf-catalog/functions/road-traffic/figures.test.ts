import * as fc from 'fast-check';
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { digestOf, TrafficFigures, type Observation } from './figures.ts';
import { openJournal } from './journal.ts';
import { parseNotification } from './notification.ts';

const observation = fc.record({
  sensor: fc.constantFrom('a', 'b'),
  ri: fc.integer({ min: 1, max: 12 }).map((number) => `cin${number}`),
  ct: fc.constantFrom('20300101T000000,1', '20300101T000001,1'),
  value: fc.option(fc.integer({ min: -50, max: 50 }), { nil: undefined }),
});

describe('the figures', () => {
  test('count each resource once, however often and in whatever order it is notified', () => {
    fc.assert(
      fc.property(fc.array(observation), (observations) => {
        const figures = new TrafficFigures();
        for (const one of observations) figures.add(one);
        const first = new Map<string, Observation>([]);
        for (const one of observations) if (!first.has(one.ri)) first.set(one.ri, one);
        const result = figures.figures();
        expect(result).toMatchObject({
          notifications: observations.length,
          unique: first.size,
          duplicates: observations.length - first.size,
          digest: digestOf([...first.keys()].toReversed()),
        });
        for (const [sensor, each] of Object.entries(result.sensors)) {
          const values = [...first.values()]
            .filter((one) => one.sensor === sensor)
            .flatMap(({ value }) => (value === undefined ? [] : [value]));
          expect(each.count).toBe(values.length);
          if (values.length === 0) continue;
          expect(each.min).toBe(Math.min(...values));
          expect(each.max).toBe(Math.max(...values));
          expect(each.mean).toBeCloseTo(values.reduce((sum, value) => sum + value, 0) / values.length);
        }
      }),
    );
  });

  test('two different sets have different digests', () => {
    expect(digestOf(['a', 'b'])).not.toBe(digestOf(['a', 'c']));
    expect(digestOf([])).toMatch(/^0{64}$/);
  });
});

describe('the journal', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'road-traffic-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test('gives back after a restart what was recorded, also after a line that was cut off', () => {
    const one: Observation = { sensor: 's', ri: 'cin1', ct: 't', value: 1 };
    const journal = openJournal(folder, new TrafficFigures());
    journal.record(one);
    journal.close();
    appendFileSync(join(folder, 'observations-0.jsonl'), '{"sensor":"s","ri":"ci');
    const again = openJournal(folder, new TrafficFigures());
    again.record({ ...one, ri: 'cin2' });
    again.close();
    const figures = new TrafficFigures();
    openJournal(folder, figures).close();
    expect(figures.resourceIds()).toEqual(['cin1', 'cin2']);
  });

  test('wherever a restart comes, the figures are those that one run would have, and the files stay small', () => {
    fc.assert(
      fc.property(fc.array(fc.array(observation, { maxLength: 8 }), { maxLength: 8 }), (runs) => {
        const directory = mkdtempSync(join(folder, 'run-'));
        const whole = new TrafficFigures();
        for (const run of runs) {
          const journal = openJournal(directory, new TrafficFigures(), 5);
          for (const one of run) {
            journal.record(one);
            whole.add(one);
          }
          journal.close();
        }
        const figures = new TrafficFigures();
        openJournal(directory, figures, 5).close();
        expect(figures.figures()).toEqual(whole.figures());
        expect(figures.resourceIds()).toEqual(whole.resourceIds());
        const files = readdirSync(directory).filter((name) => name.startsWith('observations-'));
        expect(files).toHaveLength(1);
        const lines = readFileSync(join(directory, files[0] ?? ''), 'utf8').split('\n');
        expect(lines.filter((line) => line !== '').length).toBeLessThan(5);
      }),
      { numRuns: 30 },
    );
  });
});

describe('a notification', () => {
  const of = (con: unknown): unknown => ({
    'm2m:sgn': {
      nev: { rep: { 'm2m:cin': { ri: 'cin1', ct: 't', con } }, net: 3 },
      sur: '/id-in/cse-in/s/values/sub',
    },
  });

  test.each([
    [{ row: 1, value: 3.5 }, 3.5],
    ['7', 7],
    [7, 7],
    ['text', undefined],
    ['', undefined],
    [{ other: 1 }, undefined],
  ])('with content %j has the value %s', (con, value) => {
    expect(parseNotification(of(con))).toEqual({
      kind: 'observation',
      observation: { sensor: 'cse-in/s/values', ri: 'cin1', ct: 't', value },
    });
  });

  test('of another kind is taken and counts nothing, and what is none is refused', () => {
    expect(parseNotification({ 'm2m:sgn': { vrq: true, sur: 'x' } })).toEqual({ kind: 'other' });
    expect(parseNotification({})).toEqual({ kind: 'invalid' });
    fc.assert(fc.property(fc.jsonValue(), (content) => void parseNotification(content)));
  });
});
