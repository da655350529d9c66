import { describe, expect, it } from 'vitest';
import { countByDriver, renderTable, type ConformanceCase } from './table.ts';

const CASES: readonly ConformanceCase[] = [
  { driver: 'fake', title: 'apply > twice is once', state: 'passed', note: '60 workloads' },
  { driver: 'fake', title: 'limits', state: 'skipped', reason: 'no programs run there' },
  { driver: 'fake', title: 'probes', state: 'skipped', reason: 'no programs run there' },
  { driver: 'process', title: 'apply > twice is once', state: 'failed', reason: 'expected 2\nto be 1' },
];

describe('the conformance table', () => {
  it('has a row for each case and a column for each driver, and says why below', () => {
    expect(renderTable(CASES)).toBe(
      [
        'case                   fake                   process',
        '---------------------  ---------------------  -------',
        'apply > twice is once  passed (60 workloads)  FAILED',
        'limits                 skipped                -',
        'probes                 skipped                -',
        '',
        'fake: skipped: no programs run there (2 cases)',
        'process: FAILED: expected 2 to be 1 (apply > twice is once)',
      ].join('\n'),
    );
  });

  it('counts by driver', () => {
    expect(countByDriver(CASES)).toEqual({
      fake: { passed: 1, failed: 0, skipped: 2 },
      process: { passed: 0, failed: 1, skipped: 0 },
    });
  });
});
