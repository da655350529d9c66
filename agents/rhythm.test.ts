import { describe, expect, it } from 'vitest';
import { createFakeClock } from '../test/kit/fake-clock.ts';
import { createRhythm } from './rhythm.ts';

const { signal } = new AbortController();

/** Whether it has resolved by now. */
function watch(promise: Promise<void>): { isOver: boolean } {
  const watched = { isOver: false };
  void promise.then(() => {
    watched.isOver = true;
  });
  return watched;
}

describe('the rhythm of polls and measurements', () => {
  it('has a poll end a little before what is measured next, and knows nothing where nothing is', async () => {
    const clock = createFakeClock();
    const rhythm = createRhythm(clock);
    expect(rhythm.untilDue()).toBeUndefined();
    rhythm.pauses(10_000);
    expect(rhythm.untilDue()).toBe(9900);
    await clock.advance(4000);
    expect(rhythm.untilDue()).toBe(5900);
  });

  it('lets the next poll wait for what is due until it has been sent, and not for what is due later', async () => {
    const clock = createFakeClock();
    const rhythm = createRhythm(clock);
    rhythm.pauses(10_000);
    const early = watch(rhythm.afterDue(500, signal));
    await clock.advance(0);
    expect(early.isOver).toBe(true);
    await clock.advance(9900);
    const due = watch(rhythm.afterDue(500, signal));
    await clock.advance(100);
    rhythm.pauses(10_000);
    expect(due.isOver).toBe(false);
    rhythm.sent();
    await clock.advance(0);
    expect(due.isOver).toBe(true);
  });

  it('does not keep polls waiting where nothing can be sent, nor a second time for the same', async () => {
    const clock = createFakeClock();
    const rhythm = createRhythm(clock);
    rhythm.pauses(1000);
    await clock.advance(950);
    const due = watch(rhythm.afterDue(500, signal));
    await clock.advance(50);
    rhythm.pauses(1000);
    await clock.advance(450);
    expect(due.isOver).toBe(true);
    const next = watch(rhythm.afterDue(500, signal));
    await clock.advance(0);
    expect(next.isOver).toBe(true);
  });

  it('ends with the agent', async () => {
    const clock = createFakeClock();
    const rhythm = createRhythm(clock);
    rhythm.pauses(50);
    const due = watch(rhythm.afterDue(500, AbortSignal.abort()));
    await clock.advance(0);
    expect(due.isOver).toBe(true);
  });
});
