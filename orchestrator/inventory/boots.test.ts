import { describe, expect, it } from 'vitest';
import * as fc from 'fast-check';
import type { HostDocument } from '../domain/index.ts';
import { addBoot, highestCounter, isDisputed } from './boots.ts';

function open(order: readonly string[]): HostDocument['boots'] {
  return order.reduce<HostDocument['boots']>((boots, bootId, index) => addBoot(boots, bootId, index + 1), []);
}

describe('boots of a host', () => {
  // MCO-C-042
  it('are no dispute, however often its agent restarts or opens sessions', () => {
    const restarts = fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 30 });
    fc.assert(
      fc.property(restarts, (sessions) => {
        const order = sessions.flatMap((count, boot) => Array.from({ length: count }, () => `boot-${boot}`));
        order.forEach((_, index) => expect(isDisputed(open(order.slice(0, index + 1)))).toBe(false));
      }),
    );
  });

  // MCO-C-040
  it('are a dispute as soon as two have come back after each other, in whatever order they speak', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('a', 'b'), { maxLength: 40 }), (order) => {
        const turns = order.filter((bootId, index) => index === 0 || order[index - 1] !== bootId).length;
        expect(isDisputed(open(order))).toBe(turns >= 4);
      }),
    );
  });

  // MCO-C-042
  it('forgive one late message of the boot before', () => {
    expect(isDisputed(open(['a', 'b', 'a']))).toBe(false);
    expect(isDisputed(open(['a', 'b', 'a', 'b']))).toBe(true);
  });

  it('are remembered to a bound, with the highest counter of each', () => {
    const boots = open(Array.from({ length: 50 }, (_, index) => `boot-${index}`));
    expect(boots).toHaveLength(8);
    expect(highestCounter(boots, 'boot-49')).toBe(50);
    expect(highestCounter(boots, 'unknown')).toBe(0);
  });
});
