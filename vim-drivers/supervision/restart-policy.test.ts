import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decideRestart, describeExit } from './restart-policy.ts';

const POLICY = { withinSeconds: 60, times: 5, backoffMinSeconds: 1, backoffMaxSeconds: 4 };

/** Delays of one end after the other, each as soon as the instance runs again. */
function delaysOf(count: number): (number | 'give-up')[] {
  const delays: (number | 'give-up')[] = [];
  let exits: readonly number[] = [];
  let now = 1_000_000;
  for (let turn = 0; turn < count; turn += 1) {
    const decision = decideRestart(POLICY, exits, now);
    if (decision.action === 'give-up') return [...delays, 'give-up'];
    delays.push(decision.delayMilliseconds);
    exits = decision.recentExits;
    now += decision.delayMilliseconds + 10;
  }
  return delays;
}

describe('restarting', () => {
  it('comes at once the first time, then waits longer each time up to the maximum, then is given up', () => {
    expect(delaysOf(10)).toEqual([0, 1000, 2000, 4000, 4000, 'give-up']);
  });

  it('forgets ends that are older than the window', () => {
    const decision = decideRestart(POLICY, [1, 2, 3, 4, 5], 100_000);
    expect(decision).toEqual({ action: 'restart', delayMilliseconds: 0, recentExits: [100_000] });
  });

  it('forgets ends from the future, which a clock that was set back leaves', () => {
    expect(decideRestart(POLICY, [900_000], 1000)).toMatchObject({ recentExits: [1000] });
  });

  it('never waits longer than the policy says, and never remembers more than it counts', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(1_000_000)), fc.nat(1_000_000), fc.nat(20), (exits, now, times) => {
        const decision = decideRestart({ ...POLICY, times }, exits, now);
        if (decision.action === 'give-up') return;
        expect(decision.delayMilliseconds).toBeLessThanOrEqual(4000);
        expect(decision.recentExits.length).toBeLessThanOrEqual(times);
      }),
    );
  });
});

describe('the reason of an end', () => {
  it.each([
    [1, undefined, 'exited with code 1'],
    [137, undefined, 'killed by SIGKILL'],
    [137, 128 * 1024 ** 2, 'out of memory (limit 128 MiB)'],
    [127, undefined, 'exited with code 127: "node" was not found'],
    [126, undefined, 'exited with code 126: "node" cannot be executed'],
    [200, undefined, 'exited with code 200'],
    [undefined, undefined, 'ended without leaving an exit code'],
  ])('%s with memory limit %s is "%s"', (code, limit, words) => {
    expect(describeExit(code, ['node', 'main.js'], limit)).toBe(words);
  });
});
