import { describe, expect, it } from 'vitest';
import { searchEffort } from './search-effort.ts';

describe('the effort of a search', () => {
  it('is over when its time is, however many steps are left', () => {
    let now = 1000;
    const { searchSteps, isOver } = searchEffort(
      { monotonic: () => now },
      { searchSteps: 10, improvementSteps: 0, milliseconds: 250 },
    );
    expect(searchSteps).toBe(10);
    now = 1249;
    expect(isOver?.()).toBe(false);
    now = 1250;
    expect(isOver?.()).toBe(true);
  });
});
