import { describe, expect, it } from 'vitest';
import type { IotmanoError, StateId } from '../../kernel/index.ts';
import { commitAll, errorCode, idsOf, put, session } from './testkit/records.ts';
import { describeStore } from './conformance.ts';
import { createMemoryStore, type MemoryStore } from './memory.ts';

describeStore('memory', async () => {
  let latest: MemoryStore | undefined;
  return {
    open: async (options = {}) => {
      latest = createMemoryStore({ ...options, ...(latest === undefined ? {} : { disk: latest.disk }) });
      return latest;
    },
    remove: async () => {},
  };
});

describe('the disk of a memory store', () => {
  it('makes nothing durable while it is held, and as many commits as it is told to release', async () => {
    const store = createMemoryStore();
    store.disk.hold();
    for (const id of ['a', 'b', 'c']) store.commit([put(id, 1)]);
    await new Promise((resolve) => setImmediate(resolve));
    expect(store.durableRevision).toBe(0);
    store.disk.release(2);
    expect(store.durableRevision).toBe(2);
    store.disk.release();
    await store.whenDurable();
    expect(store.durableRevision).toBe(3);
  });

  it('loses in a crash what was not durable, and deposes the store before', async () => {
    const before = createMemoryStore({ stateId: 'state-1' as StateId, leaseNumber: 7 });
    await commitAll(before, [[put('kept', 1)]]);
    before.disk.hold();
    before.commit([put('lost', 1)]);
    const after = createMemoryStore({ disk: before.disk });
    before.disk.release();
    expect(idsOf(after)).toEqual(['kept']);
    expect([after.stateId, after.leaseNumber]).toEqual(['state-1', 8]);
    expect(before.durableRevision).toBe(1);
    expect(errorCode(() => before.commit([put('late', 1)]))).toBe('stale-lease');
  });

  it('reports a failed write once, and acknowledges nothing from then on', async () => {
    const fatal: IotmanoError[] = [];
    const store = createMemoryStore({ onFatal: (error) => fatal.push(error) });
    store.disk.fail('no space left on device');
    let isAcknowledged = false;
    for (const id of ['a', 'b']) {
      void store.commit([put(id, 1)]).durable.then(() => {
        isAcknowledged = true;
      });
    }
    await new Promise((resolve) => setImmediate(resolve));
    expect(fatal.map((error) => error.code)).toEqual(['store-failed']);
    expect(fatal[0]?.message).toContain('no space left on device');
    expect([isAcknowledged, store.durableRevision]).toEqual([false, 0]);
    expect(errorCode(() => store.commit([put('c', 1)]))).toBe('store-failed');
  });
});

describe('documents in a memory store', () => {
  it('cannot be changed by who reads them or who wrote them', () => {
    const store = createMemoryStore();
    const document = session(1);
    store.commit([{ op: 'put', kind: 'session', id: 'a', tenant: 'default' as never, document }]);
    const read = store.get('session', 'a')?.document as { bootId: string };
    expect(() => {
      read.bootId = 'changed';
    }).toThrow(TypeError);
    expect(() => {
      (document as { bootId: string }).bootId = 'changed';
    }).toThrow(TypeError);
  });

  it('have to be what JSON can hold', () => {
    const store = createMemoryStore();
    for (const body of [new Date(0), new Map(), Number.NaN, () => 1, 1n]) {
      const document = { requestHash: '', status: 200, headers: {}, body: { deep: [body] }, expiresAt: '' };
      const write = {
        op: 'put',
        kind: 'idempotency',
        id: 'a',
        tenant: 'default' as never,
        document,
      } as const;
      expect(errorCode(() => store.commit([write]))).toBe('internal');
    }
    expect(store.acceptedRevision).toBe(0);
  });
});
