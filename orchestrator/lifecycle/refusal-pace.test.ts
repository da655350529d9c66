import { describe, expect, it } from 'vitest';
import type { VnfInstanceId } from '../../kernel/index.ts';
import { createFakeClock } from '../../test/kit/fake-clock.ts';
import { createRefusalPace } from './refusal-pace.ts';
import { FUNCTION_EFFORT, NO_SEARCH } from './search-effort.ts';

const A = 'a' as VnfInstanceId;
const B = 'b' as VnfInstanceId;

async function build() {
  const clock = createFakeClock();
  return { clock, pace: createRefusalPace(clock, { first: 500, most: 5000 }) };
}

describe('a function for which there is no place', () => {
  it('is looked at once without a search, and then with one', async () => {
    const { clock, pace } = await build();
    expect(pace.effortFor(A)).toEqual(NO_SEARCH);
    pace.refused(A, 1);
    expect(pace.effortFor(A)).toBeUndefined();
    await clock.advance(500);
    expect(pace.effortFor(A)).toEqual(FUNCTION_EFFORT);
  });

  it('waits twice as long after each refusal, up to a limit', async () => {
    const { clock, pace } = await build();
    const waits: number[] = [];
    for (let count = 0; count < 6; count += 1) {
      pace.refused(A, 0);
      let waited = 0;
      while (pace.effortFor(A) === undefined) {
        await clock.advance(100);
        waited += 100;
      }
      waits.push(waited);
    }
    expect(waits).toEqual([500, 1000, 2000, 4000, 5000, 5000]);
  });

  it('does not wait where a host has changed since', async () => {
    const { pace } = await build();
    pace.refused(A, 0);
    pace.roomMayHaveCome();
    expect(pace.effortFor(A)).toEqual(FUNCTION_EFFORT);
    pace.refused(A, 0);
    expect(pace.effortFor(A)).toBeUndefined();
  });

  it('shares a quarter of the time with all others that wait, whatever changes', async () => {
    const { clock, pace } = await build();
    pace.refused(A, 250);
    pace.refused(B, 750);
    pace.roomMayHaveCome();
    await clock.advance(2999);
    expect(pace.effortFor(A)).toBeUndefined();
    pace.forget(B);
    expect(pace.effortFor(A)).toEqual(FUNCTION_EFFORT);
  });

  it('begins anew once it has had a place', async () => {
    const { pace } = await build();
    pace.refused(A, 250);
    pace.forget(A);
    expect(pace.effortFor(A)).toEqual(NO_SEARCH);
  });
});
