import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { absenceAfter, availabilityOf, type Absence, type HostState } from './index.ts';

const DAY = 86_400_000;
const ENROLLED = Date.UTC(2030, 0, 1);
const enrolledAt = new Date(ENROLLED).toISOString();

/** The state at each moment, in days since the enrolment. */
function absenceOf(history: readonly (readonly [day: number, state: HostState])[]): Absence | undefined {
  let state: HostState = 'READY';
  let absence: Absence | undefined;
  for (const [day, next] of history) {
    absence = absenceAfter(
      { state, ...(absence === undefined ? {} : { absence }) },
      next,
      ENROLLED + day * DAY,
    );
    state = next;
  }
  return absence;
}

function availability(history: Parameters<typeof absenceOf>[0], day: number): number {
  const absence = absenceOf(history);
  return availabilityOf({ enrolledAt, ...(absence === undefined ? {} : { absence }) }, ENROLLED + day * DAY);
}

describe('the availability of a host', () => {
  it('is whole for one that was never away', () => {
    expect(availability([], 30)).toBe(1);
    expect(availability([[1, 'DRAINING']], 30)).toBe(1);
  });

  it('falls by each absence, and rises again as time passes', () => {
    const once = [
      [10, 'SUSPECT'],
      [10.5, 'LOST'],
      [11, 'READY'],
    ] as const;
    const after = availability(once, 11);
    expect(after).toBeGreaterThan(0.85);
    expect(after).toBeLessThan(0.92);
    expect(availability(once, 18)).toBeGreaterThan(after);
    expect(availability(once, 60)).toBeGreaterThan(0.99);
  });

  it('goes on falling while it is away', () => {
    const away = [[10, 'SUSPECT']] as const;
    expect(availability(away, 12)).toBeLessThan(availability(away, 11));
    expect(availability([[0, 'SUSPECT']], 100)).toBeLessThan(0.01);
  });

  it('counts a host that drops out often below one that was away once for as long', () => {
    const minute = 1 / 1440;
    const often = Array.from({ length: 10 }, (_, at) => [
      [10 + at * 0.01, 'SUSPECT'] as const,
      [10 + at * 0.01 + minute, 'READY'] as const,
    ]).flat();
    expect(availability(often, 11)).toBeLessThan(
      availability(
        [
          [10, 'SUSPECT'],
          [10 + 10 * minute, 'READY'],
        ],
        11,
      ),
    );
  });

  it('lies between none and all, whatever happens when', () => {
    const states = fc.constantFrom<HostState>('READY', 'SUSPECT', 'LOST', 'DRAINING', 'DISPUTED', 'ENROLLED');
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.double({ min: 0, max: 10, noNaN: true }), states)), (steps) => {
        let day = 0;
        const share = availability(
          steps.map(([gap, state]) => [(day += gap), state] as const),
          day + 1,
        );
        expect(share).toBeGreaterThanOrEqual(0);
        expect(share).toBeLessThanOrEqual(1);
      }),
    );
  });
});
