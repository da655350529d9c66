import { describe, expect, it } from 'vitest';
import * as fc from 'fast-check';
import type { HostId } from '../../kernel/index.ts';
import { createSequences } from './sequences.ts';

const HOST = 'gw-1' as HostId;

describe('sequence numbers of reports', () => {
  it('lead to every report applied once and in order, however messages and answers are lost or repeated', () => {
    const fate = fc.constantFrom('delivered', 'lost', 'answer-lost', 'twice');
    fc.assert(
      fc.property(fc.array(fate, { maxLength: 200 }), fc.integer({ min: 1, max: 1000 }), (fates, first) => {
        const sequences = createSequences();
        const applied: number[] = [];
        const deliver = (sequence: number): void => {
          const { type } = sequences.judge(HOST, 'boot-1', sequence);
          expect(type).not.toBe('gap');
          if (type === 'duplicate') return;
          applied.push(sequence);
          sequences.accept(HOST, 'boot-1', sequence);
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
        const sequences = createSequences();
        sequences.accept(HOST, 'boot-1', last);
        expect(sequences.judge(HOST, 'boot-1', last + ahead)).toEqual({ type: 'gap', expected: last + 1 });
        expect(sequences.judge(HOST, 'boot-2', last + ahead)).toEqual({ type: 'first' });
      }),
    );
  });
});
