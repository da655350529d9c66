import { describe, expect, it } from 'vitest';
import type { TimelineEntry } from '../../load/index.ts';
import { accountStory, renderAccount } from './account.ts';
import type { Story } from './story.ts';

const BEGAN = 1_000_000;
const LATENCY = { mean: 1, p50: 210, p90: 2, p99: 900, p999: 3, max: 4 };

function second(number: number, copies: number, failed = 0, late = 0): TimelineEntry {
  return {
    second: number,
    plannedPerSecond: 10,
    due: 10,
    answered: 10 - failed,
    failed,
    late,
    inFlight: 0,
    p50Milliseconds: 1,
    p99Milliseconds: 1,
    instances: { processing: copies },
  };
}

function story(failed: number): Story {
  return {
    played: {
      seconds: 4,
      requests: {
        due: 40,
        answered: 40 - failed,
        failed,
        late: 3,
        resent: 0,
        faults: { 'HTTP 503': failed },
      },
      lateAfterMilliseconds: 1000,
      latencyMilliseconds: LATENCY,
      answerMilliseconds: LATENCY,
      playerLagMilliseconds: LATENCY,
      timeline: [second(1, 1), second(2, 1, 0, 2), second(3, 4, failed, 1), second(4, 4)],
      declared: [{ function: 'processing', serviceMilliseconds: 200, concurrency: 5 }],
    },
    beganAt: BEGAN,
    breachAt: BEGAN + 1000,
    fallAt: BEGAN + 3500,
    healSeconds: { requestProcessing: 0.5 },
    upgrade: { from: BEGAN + 2000, to: BEGAN + 2900 },
    restedAt: BEGAN + 4000,
  };
}

const observed = {
  changes: [
    { at: BEGAN - 5000, running: 1 },
    { at: BEGAN + 1800, running: 2 },
    { at: BEGAN + 2100, running: 4 },
  ],
  steps: [{ at: BEGAN + 1300, reason: 'queue_depth is 9' }],
};

describe('the account of the proof of concept', () => {
  it('counts from the breach to the decision, to the first new copy, and to all of them', () => {
    expect(accountStory(story(0), observed)).toMatchObject({
      reactionSeconds: { decided: 0.3, serving: 0.8, whole: 1.1 },
      scaleInSeconds: 0.5,
      isWhole: true,
    });
  });

  it('counts what failed and was late while versions changed, and the seconds of every copy', () => {
    expect(accountStory(story(2), observed)).toMatchObject({
      failed: 2,
      upgrade: { seconds: 0.9, failed: 2, late: 1 },
      instanceSeconds: 10,
      instanceSecondsAtMost: 16,
    });
  });

  it('is whole only where no request failed, and something was scaled without being told', () => {
    expect(accountStory(story(1), observed).isWhole).toBe(false);
    expect(accountStory(story(0), { ...observed, steps: [] }).isWhole).toBe(false);
  });

  it('says in words which figures rest on a declared capacity, and ends with JSON', () => {
    const lines = renderAccount(accountStory(story(1), observed))
      .trimEnd()
      .split('\n');
    expect(lines.join('\n')).toMatch(/failed\s+│ 1, HTTP 503: 1/);
    expect(lines.join('\n')).toMatch(
      /rest on a declared capacity .*\ndeclared {2}processing: a request takes/,
    );
    expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({ requests: 40, failed: 1 });
  });
});
