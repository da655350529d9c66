import { describe, expect, it } from 'vitest';
import { createLifecycleBench } from '../../test/kit/lifecycle-bench.ts';
import { searchEffort } from './search-effort.ts';

describe('the effort of a search', () => {
  it('is over when its time is, however many steps are left, and that of an explanation a second later', async () => {
    const { clock, lifecycle } = createLifecycleBench([]);
    const effort = searchEffort(lifecycle.context, {
      searchSteps: 10,
      improvementSteps: 0,
      milliseconds: 250,
    });
    expect(effort.searchSteps).toBe(10);
    await clock.advance(249);
    expect([effort.isOver?.(), effort.isPatienceOver?.()]).toEqual([false, false]);
    await clock.advance(1);
    expect([effort.isOver?.(), effort.isPatienceOver?.()]).toEqual([true, false]);
    await clock.advance(1000);
    expect(effort.isPatienceOver?.()).toBe(true);
  });
});
