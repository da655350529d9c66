import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { StateId } from '../../kernel/index.ts';
import { workloadId, type ObservedWorkload } from '../../vim-drivers/index.ts';
import { assignmentOf } from '../testkit/assignment.ts';
import { ReportOutbox, type Report } from './report-outbox.ts';

function observed(name: string, restarts = 0): ObservedWorkload {
  const { key, specHash } = assignmentOf({ name }).workload;
  const since = '2026-11-22T18:00:00.000Z';
  return {
    key,
    specHash,
    instances: [{ slot: 0, epoch: 0, state: 'RUNNING', since, restarts, ports: {} }],
  } as unknown as ObservedWorkload;
}

describe('report outbox', () => {
  it('has nothing to tell before anything was observed', () => {
    expect(new ReportOutbox().next()).toBeUndefined();
  });

  it('tells all first, then changes only, then nothing', () => {
    const outbox = new ReportOutbox();
    outbox.observe([observed('a'), observed('b')]);
    expect(outbox.next()).toMatchObject({ full: true, removed: [] });
    outbox.acknowledged();
    expect(outbox.next()).toBeUndefined();
    outbox.observe([observed('b', 1)]);
    expect(outbox.next()).toEqual({
      full: false,
      workloads: [observed('b', 1)],
      removed: [observed('a').key],
    });
    outbox.acknowledged();
    expect(outbox.next()).toBeUndefined();
  });

  // MCO-O-036
  it('repeats what is under way unchanged, even when all is to be told again', () => {
    const outbox = new ReportOutbox();
    outbox.observe([observed('a')]);
    const first = outbox.next();
    outbox.observe([observed('a', 1)]);
    outbox.requireFull();
    expect(outbox.next()).toBe(first);
    outbox.acknowledged();
    expect(outbox.next()).toEqual({ full: true, workloads: [observed('a', 1)], removed: [] });
  });

  it('tells all anew after a refusal', () => {
    const outbox = new ReportOutbox();
    outbox.observe([observed('a')]);
    outbox.next();
    outbox.acknowledged();
    outbox.observe([observed('a', 1), observed('b')]);
    expect(outbox.next()?.full).toBe(false);
    outbox.refused();
    expect(outbox.next()).toMatchObject({ full: true, workloads: [observed('a', 1), observed('b')] });
  });

  // MCO-O-035
  it('tells of a wanted state that was taken over even where it changed nothing', () => {
    const outbox = new ReportOutbox();
    outbox.observe([]);
    outbox.next();
    outbox.acknowledged();
    outbox.observe([], { revision: 7, stateId: 'state-1' as StateId });
    expect(outbox.next()).toEqual({
      full: false,
      workloads: [],
      removed: [],
      appliedRevision: 7,
      appliedStateId: 'state-1',
    });
  });

  it('leaves the receiver with what is observed, whatever is lost, refused or repeated on the way', () => {
    const step = fc.oneof(
      fc.record({
        do: fc.constant('observe' as const),
        workloads: fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.nat(3)),
      }),
      fc.record({
        do: fc.constant('send' as const),
        fate: fc.constantFrom('taken', 'lost', 'answer-lost', 'refused'),
      }),
      fc.record({ do: fc.constant('return' as const) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const outbox = new ReportOutbox();
        let receiver = new Map<string, string>();
        let lastApplied: Report | undefined;
        let now: ObservedWorkload[] = [];
        outbox.observe(now);
        const apply = (report: Report): void => {
          if (report === lastApplied) return;
          lastApplied = report;
          if (report.full) receiver = new Map();
          for (const key of report.removed) receiver.delete(workloadId(key as never));
          for (const each of report.workloads)
            receiver.set(workloadId(each.key as never), JSON.stringify(each));
        };
        const send = (fate: string): void => {
          const report = outbox.next();
          if (report === undefined || fate === 'lost') return;
          if (fate === 'refused' && report !== lastApplied) return outbox.refused();
          apply(report);
          if (fate !== 'answer-lost') outbox.acknowledged();
        };
        for (const each of steps) {
          if (each.do === 'observe') {
            now = Object.entries(each.workloads).map(([name, restarts]) => observed(name, restarts));
            outbox.observe(now);
          } else if (each.do === 'send') send(each.fate);
          else outbox.requireFull();
        }
        while (outbox.next() !== undefined) send('taken');
        expect([...receiver.values()].toSorted()).toEqual(now.map((each) => JSON.stringify(each)).toSorted());
      }),
      { numRuns: 300 },
    );
  });
});
