import { describe, expect, test } from 'vitest';
import { createFakeClock } from '../test/kit/fake-clock.ts';
import type { DeviceAnswer } from './device-client.ts';
import type { Ask } from './devices.ts';
import type { ProgressFigures } from './figures.ts';
import { planArrivals, planPlay } from './plan-arrivals.ts';
import { playLoad, type PlayOptions } from './play-load.ts';

const TRACE = {
  name: 't',
  startsAt: 0,
  points: [
    { atSeconds: 0, value: 1 },
    { atSeconds: 5, value: 1 },
  ],
};
const TERMS = {
  devices: 4,
  peakPerSecond: 50,
  speed: 1,
  fromSeconds: 0,
  forSeconds: Infinity,
  readShare: 0.5,
  seed: 1,
};

function prepare(more: Partial<PlayOptions> = {}) {
  const clock = createFakeClock();
  const plan = planPlay(TRACE, TERMS);
  const progress: ProgressFigures[] = [];
  const options: PlayOptions = {
    plan,
    terms: TERMS,
    devices: { count: 4, cseName: 'cse-in', run: 'r', atOnce: 4, targets: () => ['http://a'] },
    lateAfterMilliseconds: 100,
    maxInFlight: 1000,
    clock,
    onProgress: (entry) => progress.push(entry),
    ...more,
  };
  const planned = [...planArrivals(plan, TERMS)];
  /** Plays with answers of that kind while the clock is moved on. */
  const play = async (ask: Ask, seconds = 20) => {
    const result = playLoad(options, () => ask);
    // In small steps: what leaves at a time is answered from that time on.
    for (let elapsed = 0; elapsed < seconds * 100; elapsed += 1) await clock.advance(10);
    return result;
  };
  return { clock, planned, progress, play };
}

const OK: DeviceAnswer = { rsc: 2001 };

describe('playLoad', () => {
  test('sends every request of the plan under an X-M2M-RI of its own, and counts each once', async () => {
    const { planned, progress, play } = prepare();
    const ids = new Set<string>([]);
    const result = await play((_target, request) => {
      ids.add(request.requestId);
      return Promise.resolve(OK);
    }, 11);
    expect(ids.size).toBe(planned.length);
    expect(result.requests).toMatchObject({
      due: planned.length,
      answered: planned.length,
      failed: 0,
      late: 0,
    });
    expect(progress.reduce((sum, { due }) => sum + due, 0)).toBe(planned.length);
    expect(result.timeline.length).toBeGreaterThanOrEqual(10);
  }, 60_000);

  test('goes on at its pace while nothing is answered, and counts latency from when each was due', async () => {
    const { clock, planned, play } = prepare();
    const isStuck = (): boolean => clock.monotonic() < 3000;
    let underWay = 0;
    let most = 0;
    const result = await play(async () => {
      underWay += 1;
      most = Math.max(most, underWay);
      if (isStuck()) await clock.sleep(3000 - clock.monotonic());
      underWay -= 1;
      return OK;
    }, 11);
    const early = planned.filter(({ atMilliseconds }) => atMilliseconds < 3000);
    expect(most).toBeGreaterThanOrEqual(early.length - 1);
    expect(result.latencyMilliseconds.max).toBeGreaterThan(2900);
    const late = early.filter(({ atMilliseconds }) => atMilliseconds < 2900).length;
    expect(Math.abs(result.requests.late - late)).toBeLessThanOrEqual(2);
    expect(result.timeline.slice(0, 2).every(({ answered }) => answered === 0)).toBe(true);
  }, 60_000);

  test('counts failures by reason, and what is too much to be under way as one of them', async () => {
    const { clock, play } = prepare({ maxInFlight: 5 });
    const result = await play(async () => {
      await clock.sleep(1000);
      return { rsc: 5103, fault: 'X-M2M-RSC 5103' };
    }, 13);
    const { faults, failed, due } = result.requests;
    expect(failed).toBe(due);
    expect(faults['X-M2M-RSC 5103']).toBeGreaterThan(0);
    expect(faults['not sent: too many under way']).toBeGreaterThan(0);
    expect(Math.max(...result.timeline.map(({ inFlight }) => inFlight))).toBeLessThanOrEqual(6);
  }, 60_000);

  test('has requests fail where there is nowhere to ask, and ends soon when it is told to', async () => {
    const stop = new AbortController();
    const { play } = prepare({
      devices: { count: 4, cseName: 'cse-in', run: 'r', atOnce: 4, targets: () => [] },
      signal: stop.signal,
      onProgress: ({ second }) => {
        if (second === 2) stop.abort();
      },
    });
    const { requests, seconds } = await play(() => Promise.resolve(OK), 4);
    expect(requests.faults).toEqual({ 'nowhere to ask': requests.due });
    expect(seconds).toBeLessThan(3);
  }, 60_000);
});
