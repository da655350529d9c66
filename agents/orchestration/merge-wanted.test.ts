import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseId, type StateId } from '../../kernel/index.ts';
import { workloadId } from '../../vim-drivers/index.ts';
import type { Assignment, Wanted } from '../mco-client/index.ts';
import { assignmentOf } from '../testkit/assignment.ts';
import { driverFence, type StoredWanted } from './assignment-store.ts';
import { mergeWanted } from './merge-wanted.ts';

const state1 = parseId<StateId>('state-1', 'stateId');
const state2 = parseId<StateId>('state-2', 'stateId');

function assignment(name: string, generation: number): Assignment {
  return { ...assignmentOf({ name }), generation } as unknown as Assignment;
}

function answer(more: Partial<Wanted> = {}): Wanted {
  const revision = more.revision ?? 10;
  return {
    revision,
    full: true,
    fence: { leaseNumber: 1, revision },
    stateId: state1,
    stateIdConfirmed: true,
    heartbeatIntervalSeconds: 10,
    leaseSeconds: 30,
    draining: false,
    assignments: [],
    removed: [],
    collectionJobs: [],
    ...more,
  };
}

function accepted(stored: StoredWanted | undefined, wanted: Wanted, pinned = state1): StoredWanted {
  const result = mergeWanted(stored, wanted, pinned);
  if (result.type !== 'accepted') throw new Error(`${result.type}: ${result.reason}`);
  return result.next;
}

function names({ assignments }: StoredWanted): string[] {
  return assignments.map(({ workload }) => workload.key.vnfInstanceId).toSorted();
}

describe('taking over a wanted state', () => {
  const stored = accepted(undefined, answer({ assignments: [assignment('a', 3), assignment('b', 4)] }));

  it('replaces everything by a whole one', () => {
    expect(names(accepted(stored, answer({ revision: 11, assignments: [assignment('c', 11)] })))).toEqual([
      'c',
    ]);
  });

  it('applies changes to what is here', () => {
    const changes = answer({
      revision: 11,
      full: false,
      assignments: [assignment('c', 11)],
      removed: [assignment('a', 3).workload.key],
    });
    expect(names(accepted(stored, changes))).toEqual(['b', 'c']);
  });

  // MCO-O-023
  it('asks for the whole when only changes come of a state that is not here', () => {
    expect(mergeWanted(undefined, answer({ full: false }), state1).type).toBe('ask-whole');
    expect(mergeWanted(stored, answer({ full: false, stateId: state2 }), state1).type).toBe('ask-whole');
  });

  // MCO-O-022
  it('refuses an older leader and an older revision of the same one', () => {
    expect(mergeWanted(stored, answer({ fence: { leaseNumber: 0, revision: 99 } }), state1).type).toBe(
      'refused',
    );
    expect(mergeWanted(stored, answer({ fence: { leaseNumber: 1, revision: 9 } }), state1).type).toBe(
      'refused',
    );
  });

  // MCO-O-021
  it('keeps an assignment that is newer than the one that comes', () => {
    const result = mergeWanted(stored, answer({ revision: 12, assignments: [assignment('a', 2)] }), state1);
    expect(result).toMatchObject({ type: 'accepted', refused: ['a-main-g1'] });
    expect(result.type === 'accepted' && result.next.assignments[0]?.generation).toBe(3);
  });

  // MCO-C-052
  it('refuses another state until it is confirmed, and goes on from there with a fence that still grows', () => {
    expect(mergeWanted(stored, answer({ stateId: state2, stateIdConfirmed: false }), state1).type).toBe(
      'refused',
    );
    const fresh = answer({
      stateId: state2,
      revision: 1,
      fence: { leaseNumber: 0, revision: 1 },
      assignments: [assignment('a', 1)],
    });
    const next = accepted(stored, fresh);
    expect(names(next)).toEqual(['a']);
    expect(driverFence(next).leaseNumber).toBeGreaterThan(driverFence(stored).leaseNumber);
  });

  it('ends in what the newest answer says, whatever came before and whatever is repeated', () => {
    const step = fc.record({
      isFull: fc.boolean(),
      present: fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 4 }),
      isRepeated: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 15 }), (steps) => {
        let current = accepted(undefined, answer({ revision: 1 }));
        let revision = 1;
        for (const { isFull, present, isRepeated } of steps) {
          revision += 1;
          const here = names(current);
          const removed = isFull
            ? []
            : here
                .filter((name) => !present.some((each) => each === name))
                .map((name) => assignment(name, 1).workload.key);
          const message = answer({
            revision,
            full: isFull,
            removed,
            assignments: present.map((name) => assignment(name, revision)),
          });
          current = accepted(current, message);
          if (isRepeated) current = accepted(current, message);
          expect(names(current)).toEqual(present.toSorted());
          expect(current.assignments.every(({ generation }) => generation === revision)).toBe(true);
          expect(new Set(current.assignments.map(({ workload }) => workloadId(workload.key))).size).toBe(
            present.length,
          );
        }
      }),
    );
  });
});
