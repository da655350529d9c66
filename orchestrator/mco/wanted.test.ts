import { describe, expect, it } from 'vitest';
import * as fc from 'fast-check';
import type { HostId } from '../../kernel/index.ts';
import type { HostDocument } from '../domain/index.ts';
import { createMemoryStore, type MemoryStore } from '../store/index.ts';
import { workloadId, type WorkloadKey } from '../../vim-drivers/index.ts';
import { computeWanted } from './compute-wanted.ts';
import { assignmentOf, keyOf } from './testkit/assignments.ts';
import { createWantedChanges, type WantedChanges } from './wanted-changes.ts';

const HOST = 'gw-1' as HostId;
const TERMS = { heartbeatSeconds: 10, leaseSeconds: 20, patienceSeconds: 30 };
const DOCUMENT: HostDocument = {
  state: 'READY',
  roles: ['orchestration'],
  publicKey: {},
  enrolledAt: '2030-01-01T00:00:00.000Z',
  tenants: [],
  draining: false,
  disputed: false,
  boots: [],
};

/** A leader, and an agent that follows it as the specification says. */
interface Pair {
  store: MemoryStore;
  changes: WantedChanges;
  readonly held: Map<string, number>;
  since: number | undefined;
  /** Leaves the leader when all that was accepted before it is durable. */
  pending?: { readonly answer: ReturnType<typeof computeWanted>; readonly accepted: number } | undefined;
}

type Step =
  | { readonly type: 'assign' | 'remove' | 'other'; readonly number: number }
  | { readonly type: 'poll' | 'crash' | 'slow-disk' | 'fast-disk' };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      type: fc.constantFrom('assign' as const, 'remove' as const, 'other' as const),
      number: fc.nat(2),
    }),
  },
  { weight: 4, arbitrary: fc.constant({ type: 'poll' as const }) },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constantFrom('crash' as const, 'slow-disk' as const, 'fast-disk' as const),
    }),
  },
);

const NO_DIAGNOSTICS = { requestsFor: () => [], changedAt: () => 0 };
const NO_JOBS = { collectionJobsFor: () => [] };

function poll(pair: Pair): void {
  if (pair.pending !== undefined) return;
  const context = {
    store: pair.store,
    changes: pair.changes,
    terms: TERMS,
    host: DOCUMENT,
    monitoring: NO_JOBS,
    diagnostics: NO_DIAGNOSTICS,
  };
  const answer = computeWanted(context, HOST, pair.since);
  pair.pending = { answer: answer, accepted: pair.store.acceptedRevision };
}

function receive(pair: Pair): void {
  if (pair.pending === undefined || pair.store.durableRevision < pair.pending.accepted) return;
  const { answer } = pair.pending;
  pair.pending = undefined;
  if (answer === 'unchanged') return;
  if (answer === 'too-old') {
    pair.since = undefined;
    return;
  }
  if (answer.full) pair.held.clear();
  for (const key of answer.removed) pair.held.delete(workloadId(key as WorkloadKey));
  for (const { workload, generation } of answer.assignments) {
    const id = workloadId(workload.key as WorkloadKey);
    expect(generation).toBeGreaterThanOrEqual(pair.held.get(id) ?? 0);
    pair.held.set(id, generation);
  }
  pair.since = answer.revision;
}

function take(pair: Pair, action: Step, changeLogLimit: number): void {
  const { store } = pair;
  switch (action.type) {
    case 'poll':
      poll(pair);
      break;
    case 'slow-disk':
      store.disk.hold();
      break;
    case 'fast-disk':
      store.disk.release();
      break;
    case 'crash':
      // What was not durable is lost, and so is the answer that waited for it.
      pair.store = createMemoryStore({ disk: store.disk, changeLogLimit });
      pair.changes = createWantedChanges(pair.store);
      pair.pending = undefined;
      break;
    default:
      change(store, action.type, action.number);
  }
}

function change(store: MemoryStore, type: 'assign' | 'remove' | 'other', number: number): void {
  const id = `gw-1.${workloadId(keyOf(number))}`;
  const known = store.get('assignment', id);
  if (type === 'assign') store.commit([assignmentOf(HOST, keyOf(number))]);
  else if (type === 'other') store.commit([assignmentOf('gw-10' as HostId, keyOf(number))]);
  else if (known !== undefined)
    store.commit([{ op: 'delete', kind: 'assignment', id, expectedRevision: known.revision }]);
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('an agent that follows its wanted state', () => {
  // MCO-O-016
  it('ends with exactly what is assigned to it, whatever changed when, over new leaders and short change logs', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 10, maxLength: 60, size: 'max' }),
        fc.constantFrom(2, 10_000),
        async (steps, limit) => {
          const store = createMemoryStore({ changeLogLimit: limit });
          const pair: Pair = {
            store,
            changes: createWantedChanges(store),
            held: new Map(),
            since: undefined,
          };
          for (const action of steps) {
            take(pair, action, limit);
            await settled();
            receive(pair);
          }
          pair.store.disk.release();
          for (let turn = 0; turn < 4; turn += 1) {
            await pair.store.whenDurable();
            receive(pair);
            poll(pair);
          }
          const assigned = [...pair.store.listByPrefix('assignment', 'gw-1.')];
          const wanted = assigned.map(({ document, revision }): [string, number] => [
            workloadId(document.workload.key),
            revision,
          ]);
          expect(pair.held).toEqual(new Map(wanted));
        },
      ),
      { numRuns: 300 },
    );
  });

  it('is told once what more removals there were than are remembered, by 410', async () => {
    const store = createMemoryStore();
    const changes = createWantedChanges(store);
    const shared = { terms: TERMS, host: DOCUMENT, monitoring: NO_JOBS, diagnostics: NO_DIAGNOSTICS };
    const context = { store, changes, ...shared };
    const { revision } = store.commit([assignmentOf(HOST, keyOf(1))]);
    await store.whenDurable();
    for (let number = 0; number < 300; number += 1) {
      store.commit([assignmentOf(HOST, keyOf(1000 + number))]);
      const id = `gw-1.${workloadId(keyOf(1000 + number))}`;
      const expectedRevision = store.get('assignment', id)?.revision ?? 0;
      store.commit([{ op: 'delete', kind: 'assignment', id, expectedRevision }]);
    }
    await store.whenDurable();
    expect(computeWanted(context, HOST, revision)).toBe('too-old');
    expect(computeWanted(context, HOST, changes.revision)).toBe('unchanged');
  });
});
