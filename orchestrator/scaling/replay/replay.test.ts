import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { buildScalingPolicy, type WrittenPolicy } from '../../../descriptors/index.ts';
import {
  REPLAY_INDICATOR,
  parseDemandTrace,
  peakOf,
  replay,
  type ReplayOptions,
  type Replayed,
} from './index.ts';

const road = parseDemandTrace(
  readFileSync(new URL('../testkit/traces/road-occupancy.csv', import.meta.url), 'utf8'),
  'road-occupancy.csv',
);

/** The peak takes eight full instances. */
function playing(trace = road, more: Partial<ReplayOptions> = {}): ReplayOptions {
  return {
    trace,
    speed: 30,
    perInstance: peakOf(trace) / 8,
    min: 1,
    max: 20,
    startSeconds: 3,
    patienceSeconds: 1,
    collectSeconds: 1,
    ...more,
  };
}

function contender(written: WrittenPolicy): Replayed {
  return { type: 'policy', name: String(written['type']), policy: buildScalingPolicy(written) };
}

const target = (peakOf(road) / 8) * 0.7;
const tracking = { indicator: REPLAY_INDICATOR, target };
const HPA: Replayed = { type: 'hpa', name: 'HPA', target };

describe('a demand trace', () => {
  it('is read from rows of timestamp and value, times with or without a zone', () => {
    const text = 'timestamp,value\n2015-09-01 13:45:00,3.06\n2015-09-01T13:45:10Z,-4\n\n';
    expect(parseDemandTrace(text, 'x.csv').points).toEqual([
      { seconds: 0, value: 3.06 },
      { seconds: 10, value: 0 },
    ]);
  });

  it.each([
    ['timestamp,value\n2015-09-01 13:45:00,3\nyesterday,4', /x\.csv:3: `yesterday,4` is not/],
    ['timestamp,value\n2015-09-01 13:45:00,much', /x\.csv:2/],
    ['timestamp,value\n2015-09-01 13:45:00,3,4', /x\.csv:2/],
    ['timestamp,value\n2015-09-01 13:45:00,3', /fewer than two rows/],
    ['', /fewer than two rows/],
  ])('is refused with the line that is wrong: %j', (text, message) => {
    expect(() => parseDemandTrace(text, 'x.csv')).toThrow(message);
  });
});

describe('a replay', () => {
  const steady = parseDemandTrace('timestamp,value\n0,40\n600,40\n', 'steady.csv');

  it('counts what waits, what it costs and how long demand was above what served', () => {
    const options = playing(steady, { speed: 1, perInstance: 10 });
    const policy = contender({ type: 'target', indicator: REPLAY_INDICATOR, target: 8 });
    expect(replay(options, policy)).toMatchObject({
      steps: { out: 1, in: 0 },
      // Wished at once, and serving 3 s later.
      reaction: { breaches: 1, meanSeconds: 3, longestSeconds: 3 },
      highestLevel: 5,
      instanceSeconds: 1 + 599 * 5,
    });
    const late = replay(options, policy).lateShare;
    expect(late).toBeGreaterThan(0.005);
    expect(late).toBeLessThan(0.05);
  });

  it('takes no step while the one before is not done, and drops what is still starting first', () => {
    const moments: number[] = [];
    const sawtooth = parseDemandTrace('timestamp,value\n0,0\n50,100\n51,0\n100,0\n', 'sawtooth.csv');
    replay(
      playing(sawtooth, { speed: 1, perInstance: 10, startSeconds: 20 }),
      contender({ type: 'threshold', indicator: REPLAY_INDICATOR, up: 5, down: 1, cooldown: { in: '0s' } }),
      ({ level, serving }) => {
        expect(serving).toBeLessThanOrEqual(level);
        moments.push(level);
      },
    );
    expect(Math.max(...moments)).toBeLessThanOrEqual(4);
  });

  it('is the same every time', () => {
    const policy = contender({ type: 'learning', ...tracking });
    expect(replay(playing(), policy)).toEqual(replay(playing(), policy));
  });

  it.each([
    { type: 'target', ...tracking },
    { type: 'predictive', ...tracking },
  ])(
    'shows that $type serves less of a road late than the rule of the HPA, for no more instance-seconds',
    (written) => {
      const ours = replay(playing(), contender(written));
      const theirs = replay(playing(), HPA);
      expect(ours.lateShare).toBeLessThanOrEqual(theirs.lateShare);
      expect(ours.instanceSeconds).toBeLessThanOrEqual(theirs.instanceSeconds);
      expect(theirs.lateShare).toBeGreaterThan(0);
    },
  );

  it('shows that learning is dearer than target by its share at most, and less late than the rule of the HPA', () => {
    const target = replay(playing(), contender({ type: 'target', ...tracking }));
    const learning = replay(playing(), contender({ type: 'learning', ...tracking, extraShare: 0.1 }));
    expect(learning.lateShare).toBeLessThan(replay(playing(), HPA).lateShare);
    expect(learning.instanceSeconds).toBeLessThanOrEqual(target.instanceSeconds * 1.1 + 2 * (60 + 600));
  });
});
