import { describe, expect, it } from 'vitest';
import type { VnfInstanceId } from '../../kernel/index.ts';
import { costOf, DisruptionAccount, type Disturbance } from './disruption.ts';

const move = (name: string, total: number, cost = 1): Disturbance => ({
  functionId: name as VnfInstanceId,
  total,
  instances: 1,
  cost,
});

describe('the cost of moving an instance', () => {
  it('falls with the number of those that go on, from 10 for the only one towards 1', () => {
    expect([1, 2, 10, 100].map((count) => costOf(count))).toEqual([10, 5.5, 1.9, 1.09]);
  });

  it('is twice as high where an instance has to end before its successor starts', () => {
    expect(costOf(1, true)).toBe(20);
  });
});

describe('a budget of disruption', () => {
  it('bounds all instances, those of one function by number and share, and the cost', () => {
    const account = new DisruptionAccount({ maxInstances: 3, maxAway: 2, maxAwayShare: 0.5, maxCost: 25 });
    account.charge([move('a', 4, 10)]);
    expect(account.refusal([move('a', 4)])).toBeUndefined();
    account.charge([move('a', 4, 10)]);
    expect(account.refusal([move('a', 4)])).toBe('maxAway');
    expect(account.refusal([move('b', 2), move('b', 2)])).toBe('maxInstances');
    expect(account.refusal([move('b', 2, 6)])).toBe('maxCost');
    expect(account.refusal([move('b', 2, 5)])).toBeUndefined();
  });

  it('lets one instance of a function be away whatever share that is, and no more', () => {
    const account = new DisruptionAccount({ maxAwayShare: 0 });
    expect(account.refusal([move('a', 1)])).toBeUndefined();
    expect(account.refusal([move('a', 9), move('a', 9)])).toBe('maxAwayShare');
  });

  it('has back what is not done after all', () => {
    const account = new DisruptionAccount({ maxInstances: 1 });
    account.charge([move('a', 1)]);
    expect(account.isSpent).toBe(true);
    account.refund([move('a', 1)]);
    expect(account.refusal([move('b', 1)])).toBeUndefined();
  });
});
