import { describe, expect, it } from 'vitest';
import type { ProgressFigures } from '../../load/index.ts';
import { renderScreen, type Sight } from './render-screen.ts';

function second(number: number): ProgressFigures {
  return {
    second: number,
    plannedPerSecond: number < 3 ? 3 : 64,
    due: 1,
    answered: 60,
    failed: 0,
    late: 1,
    inFlight: 7,
    p50Milliseconds: 205.4,
    p99Milliseconds: 400,
    instances: { processing: number < 4 ? 1 : 4 },
    totalDue: 100,
    totalFailed: 0,
  };
}

const SIGHT: Sight = {
  seconds: 67.8,
  act: 'scale out',
  load: [1, 2, 3, 4].map(second),
  versions: '4 of 1.0.0',
  running: { gateway: 1, processing: 4 },
  events: Array.from({ length: 20 }, (_, index) => `event ${index}`),
};

describe('the screen of the proof of concept', () => {
  it('shows what is over, what is happening, the demand, the copies, the latency, the failures and the latest events', () => {
    const text = renderScreen(SIGHT).join('\n');
    expect(text).toContain('1:07');
    expect(text).toContain('✔ start   ✔ burst   ▶ SCALE OUT   · kill   · heal   · upgrade   · scale in');
    expect(text).toMatch(/demand +▁▁██ {2}64\/s/);
    expect(text).toMatch(/instances +▃▃▃█ {2}4 of 1\.0\.0/);
    expect(text).toContain('p50 205 ms, p99 400 ms');
    expect(text).toContain('requests 100   failed 0');
    expect(text).toMatch(/event 12\n.*event 19$/s);
  });

  it('has as many lines before there is anything to show, so that it stays in its place', () => {
    const empty = renderScreen({ ...SIGHT, act: 'start', load: [], running: {}, versions: '', events: [] });
    expect(empty).toHaveLength(renderScreen(SIGHT).length);
  });
});
