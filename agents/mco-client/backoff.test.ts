import { describe, expect, it } from 'vitest';
import { array, assert, asyncProperty, double } from 'fast-check';
import { IotmanoError, type Clock } from '../../kernel/index.ts';
import { createBackoff } from './backoff.ts';

const LONGEST = 15_000;

/** A clock that does not wait, and what it was asked to wait, milliseconds. */
function recordingClock(): { readonly clock: Clock; readonly pauses: number[] } {
  const pauses: number[] = [];
  const sleep = async (milliseconds: number): Promise<void> => {
    pauses.push(milliseconds);
  };
  return { clock: { now: () => 0, monotonic: () => 0, sleep }, pauses };
}

describe('pauses between attempts', () => {
  // MCO-C-013
  it('lie between half of a span and the whole of it, which doubles up to the longest', async () => {
    await assert(
      asyncProperty(array(double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 }), async (drawn) => {
        const { clock, pauses } = recordingClock();
        const draws = drawn.values();
        const backoff = createBackoff(clock, () => draws.next().value ?? 0);
        for (const _ of drawn) await backoff.wait(new IotmanoError('unavailable', 'away'), LONGEST);
        for (const [failures, pause] of pauses.entries()) {
          const span = Math.min(LONGEST, 250 * 2 ** failures);
          expect(pause).toBeCloseTo(span * (0.5 + (drawn[failures] ?? 0) / 2), 6);
        }
      }),
      { numRuns: 200 },
    );
  });

  // MCO-C-013
  it('are as long as the server asked for, within reason, and short again after a success', async () => {
    const { clock, pauses } = recordingClock();
    const backoff = createBackoff(clock, () => 0);
    const asked = (retryAfterSeconds: number): IotmanoError =>
      new IotmanoError('too-many-requests', 'later', { retryAfterSeconds });
    await backoff.wait(asked(30), LONGEST);
    await backoff.wait(asked(86_400), LONGEST);
    backoff.succeeded();
    await backoff.wait(new IotmanoError('unavailable', 'away'), LONGEST);
    expect(pauses).toEqual([30_000, 120_000, 125]);
  });
});
