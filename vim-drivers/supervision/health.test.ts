import { describe, expect, it } from 'vitest';
import type { Probe } from '../../descriptors/index.ts';
import { HealthTracker } from './health.ts';

const PROBE: Probe = {
  action: { type: 'tcp', port: 'http' },
  everySeconds: 1,
  timeoutSeconds: 1,
  failAfter: 3,
};

/** Answers each probe as told, and lists when they were due. */
function play(tracker: HealthTracker, answers: readonly (string | undefined)[]): number[] {
  return answers.map((fault) => {
    const next = tracker.next();
    if (next === undefined) throw new Error('no probe is due');
    tracker.record(next.name, fault, next.dueAt);
    return next.dueAt;
  });
}

describe('health', () => {
  it('is asked for from 20 ms on, less and less often up to the pace, until it is there', () => {
    const tracker = new HealthTracker({ ready: PROBE }, 0, 'starting');
    const due = play(
      tracker,
      Array.from({ length: 25 }, () => 'refused'),
    );
    const pauses = due.slice(1).map((at, index) => at - (due[index] ?? 0));
    expect(due[0]).toBe(20);
    expect(pauses[0]).toBe(20);
    expect(pauses.at(-1)).toBe(1000);
    expect(pauses).toEqual(pauses.toSorted((a, b) => a - b));
    expect(tracker.health).toBe('starting');
    expect(tracker.reason).toBe('not ready yet: refused');
  });

  it('changes to unready after so many failures in a row, and back with one success', () => {
    const tracker = new HealthTracker({ ready: PROBE }, 0, 'starting');
    play(tracker, [undefined, 'slow', 'slow', undefined, 'slow', 'slow']);
    expect(tracker.health).toBe('ready');
    play(tracker, ['slow']);
    expect(tracker.health).toBe('unready');
    play(tracker, [undefined]);
    expect(tracker.health).toBe('ready');
    expect(tracker.reason).toBeUndefined();
  });

  it('is ready at once without a probe for it', () => {
    expect(new HealthTracker({}, 0, 'starting').health).toBe('ready');
    expect(new HealthTracker({}, 0, 'starting').next()).toBeUndefined();
  });

  it('ends in death after so many failures of the alive probe, which waits while it starts', () => {
    const tracker = new HealthTracker({ alive: PROBE }, 0, 'starting');
    expect(tracker.next()?.dueAt).toBe(3000);
    play(tracker, ['hung', 'hung']);
    expect(tracker.health).toBe('ready');
    play(tracker, ['hung']);
    expect(tracker.health).toBe('dead');
    expect(tracker.reason).toContain('3 probes failed in a row): hung');
  });

  it('goes on as it was for a run that was found', () => {
    expect(new HealthTracker({ ready: PROBE }, 0, 'unready', 'not ready').health).toBe('unready');
    expect(new HealthTracker({ ready: PROBE }, 0, 'ready').health).toBe('ready');
  });
});
