import { describe, expect, it } from 'vitest';
import * as fc from 'fast-check';
import type { HostId } from '../../kernel/index.ts';
import { createMemoryStore } from '../store/index.ts';
import { createMessageSequences } from './message-sequences.ts';
import { addHosts } from './testkit/fleet.ts';

const HOST = 'gw-1' as HostId;

describe('numbers of messages', () => {
  // MCO-C-011
  it('lead to every message applied once and in order, however messages and answers are lost or repeated', () => {
    const fate = fc.constantFrom('delivered', 'lost', 'answer-lost', 'twice');
    fc.assert(
      fc.property(fc.array(fate, { maxLength: 200 }), fc.integer({ min: 1, max: 1000 }), (fates, first) => {
        const sequences = createMessageSequences(createMemoryStore());
        const applied: number[] = [];
        const deliver = (sequence: number): void => {
          const { type } = sequences.judge(HOST, { bootId: 'boot-1', sequence });
          expect(type).not.toBe('gap');
          if (type === 'duplicate') return;
          applied.push(sequence);
          sequences.accept(HOST, { bootId: 'boot-1', sequence });
        };
        let sequence = first;
        for (const what of fates) {
          if (what !== 'lost') deliver(sequence);
          if (what === 'twice') deliver(sequence);
          if (what === 'delivered' || what === 'twice') sequence += 1;
        }
        expect(applied).toEqual(applied.map((_, index) => first + index));
      }),
    );
  });

  it('that leave one out are a gap, with the one that is expected', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e6 }), fc.integer({ min: 2, max: 1e6 }), (last, ahead) => {
        const sequences = createMessageSequences(createMemoryStore());
        sequences.accept(HOST, { bootId: 'boot-1', sequence: last });
        expect(sequences.judge(HOST, { bootId: 'boot-1', sequence: last + ahead })).toEqual({
          type: 'gap',
          expected: last + 1,
        });
        expect(sequences.judge(HOST, { bootId: 'boot-2', sequence: last + ahead })).toEqual({
          type: 'first',
        });
      }),
    );
  });

  it('begin anew for a host that was forgotten: what it reported went with it', async () => {
    const store = createMemoryStore();
    const sequences = createMessageSequences(store);
    addHosts(store, [HOST]);
    const { revision } = store.get('host', HOST) ?? { revision: 0 };
    sequences.accept(HOST, { bootId: 'boot-1', sequence: 7 });
    store.commit([{ op: 'delete', kind: 'host', id: HOST, expectedRevision: revision }]);
    await store.whenDurable();
    expect(sequences.judge(HOST, { bootId: 'boot-1', sequence: 8 })).toEqual({ type: 'first' });
  });
});
