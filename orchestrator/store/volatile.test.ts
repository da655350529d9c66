import { describe, expect, it } from 'vitest';
import type { StateId } from '../../kernel/index.ts';
import { documentAt, put, session } from './testkit/records.ts';
import { createVolatileStore } from './volatile.ts';

describe('volatile store', () => {
  it('makes commits durable in order, a microtask later, and tells of each', async () => {
    const store = createVolatileStore({ stateId: 'state-1' as StateId });
    const told: number[] = [];
    store.subscribe(({ revision }) => told.push(revision));
    store.commit([put('a', 1)]);
    store.commit([put('a', 2)]);
    expect([store.acceptedRevision, store.durableRevision, told]).toEqual([2, 0, []]);
    await store.whenDurable();
    expect([store.durableRevision, told, documentAt(store, 'a')]).toEqual([2, [1, 2], session(2)]);
    await store.close();
    expect(() => store.commit([put('b', 1)])).toThrow(/closed/);
  });

  it('bounds its log of changes', async () => {
    const store = createVolatileStore({ stateId: 'state-1' as StateId, changeLogLimit: 2 });
    for (let value = 1; value <= 4; value += 1) store.commit([put('a', value)]);
    await store.whenDurable();
    expect([store.changesSince(1), store.oldestRevision]).toEqual(['too-old', 2]);
  });
});
