import { describe, expect, it } from 'vitest';
import * as fc from 'fast-check';
import { systemClock, type HostId } from '../../kernel/index.ts';
import type { VnfInstanceDocument, Withdrawal } from '../domain/index.ts';
import { createMemoryStore, type Write } from '../store/index.ts';
import type { ObservedWorkload } from '../../vim-drivers/index.ts';
import { assignmentOf, keyOf, observedOf } from '../mco/testkit/assignments.ts';
import { takeReport, type HostReport } from './take-report.ts';

const HOST = 'gw-1' as HostId;
const NUMBERS = [0, 1, 2, 3];

/** What a host runs: number of a workload → its restarts. */
const running = fc.dictionary(fc.constantFrom(...NUMBERS.map(String)), fc.nat(2));

function workloadsOf(state: Readonly<Record<string, number>>): ObservedWorkload[] {
  return Object.entries(state).map(([number, restarts]) => observedOf(keyOf(Number(number)), restarts));
}

/** What has to be said to somebody who knows `before`. */
function difference(
  before: Readonly<Record<string, number>>,
  after: Readonly<Record<string, number>>,
): HostReport {
  const changed = Object.fromEntries(Object.entries(after).filter(([number, n]) => before[number] !== n));
  const gone = Object.keys(before).filter((number) => after[number] === undefined);
  return {
    full: false,
    workloads: workloadsOf(changed),
    removed: gone.map((number) => keyOf(Number(number))),
  };
}

describe('reports of a host', () => {
  // MCO-O-032
  it('leave exactly what it runs as observed, in full or by what changed, and write only that', () => {
    const report = fc.record({ state: running, full: fc.boolean() });
    fc.assert(
      fc.property(fc.array(report, { maxLength: 15 }), (reports) => {
        const store = createMemoryStore();
        store.commit(NUMBERS.map((number) => assignmentOf(HOST, keyOf(number))));
        let before: Readonly<Record<string, number>> = {};
        for (const { state, full } of reports) {
          const message = full
            ? { full, workloads: workloadsOf(state), removed: [] }
            : difference(before, state);
          const { acceptedRevision } = store;
          const ignored = takeReport(store, systemClock, HOST, message);
          const isSame = JSON.stringify(workloadsOf(before)) === JSON.stringify(workloadsOf(state));
          expect([ignored, store.acceptedRevision]).toEqual([
            0,
            isSame ? acceptedRevision : acceptedRevision + 1,
          ]);
          const observed = [...store.listByPrefix('observed', 'gw-1.')].map(
            ({ document }) => document.workload,
          );
          expect(observed).toEqual(workloadsOf(state));
          before = state;
        }
      }),
    );
  });

  it('say which wanted state they reflect: kept as far as it is of this store and newer', () => {
    const store = createMemoryStore();
    const report = (appliedRevision: number, appliedStateId: string = store.stateId) =>
      takeReport(store, systemClock, HOST, {
        full: true,
        workloads: [],
        removed: [],
        appliedRevision,
        appliedStateId,
      });
    const applied = () => store.get('host-applied', HOST)?.document.revision;
    report(7, 'another-state');
    expect(applied()).toBeUndefined();
    report(5);
    expect(applied()).toBe(5);
    const { acceptedRevision } = store;
    report(5);
    report(4);
    expect([applied(), store.acceptedRevision]).toEqual([5, acceptedRevision]);
    report(6);
    expect(applied()).toBe(6);
  });

  // MCO-O-038
  it('are believed of what was taken from the host before it was reported first, until it is gone', () => {
    const store = createMemoryStore();
    const key = keyOf(1);
    const instance = (withdrawn: readonly Withdrawal[]): Write => ({
      op: 'put',
      kind: 'vnf-instance',
      id: key.vnfInstanceId,
      tenant: key.tenant,
      document: { name: 'one', withdrawn } as unknown as VnfInstanceDocument,
    });
    const report = () =>
      takeReport(store, systemClock, HOST, {
        full: true,
        workloads: [observedOf(key, 0)],
        removed: [],
      });
    store.commit([instance([{ hostId: 'gw-2' as HostId, revision: 1 }])]);
    expect([report(), store.count('observed')]).toEqual([1, 0]);
    store.commit([instance([{ hostId: HOST, revision: 1 }])]);
    expect([report(), store.count('observed')]).toEqual([0, 1]);
  });
});
