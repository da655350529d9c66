import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RunSchedule } from '../../descriptors/index.ts';
import { sampleWorkload } from '../conformance-site.ts';
import type { ObservedInstance, ObservedState, ObservedWorkload, Workload } from '../contract.ts';
import { instancesOf, planRuns } from './plan-runs.ts';
import { LANE } from './run-slots.ts';
import type { ScheduleRecord } from './schedule-record.ts';
import type { RunsInput } from './settle-runs.ts';

const ARTIFACT = { artifact: (command: readonly string[]) => ({ type: 'process', command }) as const };
const at = (time: string): number => Date.parse(`2026-06-01T${time}Z`);

function scheduled(schedule: Partial<RunSchedule> = {}, slots: readonly number[] = [0]): Workload {
  return sampleWorkload(ARTIFACT, {
    slots,
    spec: {
      stop: { signal: 'SIGTERM', graceSeconds: 5 },
      run: {
        mode: 'schedule',
        cron: '*/10 * * * *',
        timeZone: 'UTC',
        concurrency: 'forbid',
        atMost: schedule.concurrency === 'allow' ? 2 : 1,
        startWithinSeconds: 120,
        history: { completed: 3, failed: 3 },
        ...schedule,
      },
    },
  });
}

/** A host with its clock, its memory and what its driver has; every plan is carried out at once, unless it is told to die first. */
class Host {
  readonly starts: string[] = [];
  workloads: [Workload, ...Workload[]];
  record: ScheduleRecord | undefined;
  localTimeZone = 'UTC';
  problem: string | undefined;
  readonly instances = new Map<number, Map<number, ObservedInstance>>();
  now: number;

  constructor(workload: Workload, now: number) {
    this.workloads = [workload];
    this.now = now;
  }

  input(): RunsInput {
    const found = [...this.instances].map(([generation, slots]): [number, ObservedWorkload] => {
      const { key, specHash } = this.workloads[0];
      return [generation, { key: { ...key, generation }, specHash, instances: [...slots.values()] }];
    });
    return {
      now: this.now,
      localTimeZone: this.localTimeZone,
      wanted: this.workloads,
      observed: new Map(found),
      record: this.record,
      elapsed: (run) => this.now - run.startedAt,
      problemOf: () => this.problem,
    };
  }

  look(now: number, diesBefore?: 'noted' | 'started'): void {
    this.now = now;
    const input = this.input();
    const { record } = planRuns(input);
    if (diesBefore === 'noted') return;
    this.record = record;
    if (diesBefore === 'started') return;
    for (const workload of this.workloads) this.#apply(workload, instancesOf(input, workload, record));
  }

  #apply({ key }: Workload, wanted: readonly { readonly slot: number; readonly epoch: number }[]): void {
    const slots = this.instances.get(key.generation) ?? new Map<number, ObservedInstance>();
    this.instances.set(key.generation, slots);
    const names = new Set(wanted.map(({ slot }) => slot));
    for (const slot of slots.keys()) if (!names.has(slot)) slots.delete(slot);
    for (const { slot, epoch } of wanted) {
      if ((slots.get(slot)?.epoch ?? -1) >= epoch || this.problem !== undefined) continue;
      this.starts.push(`${new Date(this.now).toISOString().slice(11, 19)} ${slot}@${epoch}`);
      slots.set(slot, this.#instance(slot, epoch, 'RUNNING'));
    }
  }

  end(slot = 0, state: ObservedState = 'COMPLETED', more: Partial<ObservedInstance> = {}): void {
    for (const slots of this.instances.values()) {
      const known = slots.get(slot);
      if (known?.state === 'RUNNING')
        slots.set(slot, { ...this.#instance(slot, known.epoch, state), ...more });
    }
  }

  #instance(slot: number, epoch: number, state: ObservedState): ObservedInstance {
    return { slot, epoch, state, since: new Date(this.now).toISOString(), restarts: 0, ports: {} };
  }

  get results(): readonly string[] {
    return (this.record?.ended ?? []).map(
      ({ scheduledAt, state }) => `${new Date(scheduledAt).toISOString().slice(11, 16)} ${state}`,
    );
  }
}

describe('the runs of a schedule', () => {
  it('begin with the first time after the host has taken it over, each once', () => {
    const host = new Host(scheduled(), at('12:00:01'));
    for (const time of ['12:00:01', '12:09:59', '12:10:00', '12:10:01']) host.look(at(time));
    host.end();
    for (const time of ['12:10:20', '12:10:30', '12:20:00']) host.look(at(time));
    expect(host.starts).toEqual(['12:10:00 0@1', '12:20:00 0@2']);
    expect(host.results).toEqual(['12:10 COMPLETED']);
    expect(host.record).toMatchObject({ missed: 0, takenAt: at('12:09:59') });
  });

  // MCO-O-029
  it('are made up for, the latest only, where the host was off, and the others are counted as missed', () => {
    const host = new Host(scheduled(), at('12:00:01'));
    host.look(at('12:00:01'));
    host.look(at('12:31:30'));
    expect(host.starts).toEqual(['12:31:30 0@1']);
    expect(host.results).toEqual(['12:10 MISSED', '12:20 MISSED']);
    expect(host.record).toMatchObject({ missed: 2, open: [{ scheduledAt: at('12:30:00') }] });
  });

  // MCO-O-029
  it('are missed when it is later than startWithin', () => {
    const host = new Host(scheduled(), at('12:00:01'));
    host.look(at('12:00:01'));
    host.look(at('12:12:01'));
    expect(host.results).toEqual(['12:10 MISSED']);
    expect(host.record?.ended[0]?.reason).toMatch(/startWithin/);
  });

  it('wait for the run before with `forbid`, and start when it ends in time', () => {
    const host = new Host(scheduled(), at('12:00:01'));
    for (const time of ['12:00:01', '12:10:00', '12:20:00', '12:21:00']) host.look(at(time));
    expect(host.starts).toEqual(['12:10:00 0@1']);
    host.end();
    host.look(at('12:21:30'));
    expect(host.starts).toEqual(['12:10:00 0@1', '12:21:30 0@2']);
    expect(host.record?.missed).toBe(0);
  });

  it('are missed with `forbid` when the run before does not end in time', () => {
    const host = new Host(scheduled(), at('12:00:01'));
    for (const time of ['12:00:01', '12:10:00', '12:20:00', '12:22:01', '12:30:00']) host.look(at(time));
    host.end();
    host.look(at('12:30:01'));
    expect(host.starts).toEqual(['12:10:00 0@1', '12:30:01 0@2']);
    expect(host.results).toEqual(['12:20 MISSED', '12:10 COMPLETED']);
  });

  it('stop the run before with `replace`, and start once nothing of it is left', () => {
    const host = new Host(scheduled({ concurrency: 'replace' }), at('12:00:01'));
    for (const time of ['12:00:01', '12:10:00', '12:20:00']) host.look(at(time));
    expect(host.starts).toEqual(['12:10:00 0@1']);
    expect([...(host.instances.get(host.workloads[0].key.generation)?.keys() ?? [])]).toEqual([]);
    host.look(at('12:20:05'));
    expect(host.starts).toEqual(['12:10:00 0@1', '12:20:05 0@2']);
    expect(host.results).toEqual(['12:10 REPLACED']);
  });

  it('go on beside each other with `allow`, in slots of their own, as many as may', () => {
    const host = new Host(scheduled({ concurrency: 'allow' }, [0, 1]), at('12:00:01'));
    for (const time of ['12:00:01', '12:10:00', '12:20:00', '12:30:00']) host.look(at(time));
    const lane = [`12:20:00 ${LANE}@2`, `12:20:00 ${LANE + 1}@2`];
    expect(host.starts).toEqual(['12:10:00 0@1', '12:10:00 1@1', ...lane]);
    host.end(LANE);
    host.end(LANE + 1);
    host.look(at('12:30:01'));
    expect(host.starts.slice(4)).toEqual([`12:30:01 ${LANE}@3`, `12:30:01 ${LANE + 1}@3`]);
  });

  it('end at their time limit', () => {
    const host = new Host(scheduled({ timeLimitSeconds: 60 }), at('12:00:01'));
    for (const time of ['12:00:01', '12:10:00', '12:11:00', '12:11:01']) host.look(at(time));
    expect(host.results).toEqual(['12:10 TOO_LONG']);
    expect(host.record?.ended[0]?.reason).toBe('stopped after 60 s (timeLimit)');
  });

  it('fail with the reason of the copy that was given up, when all of them are over', () => {
    const host = new Host(scheduled({}, [0, 1]), at('12:00:01'));
    for (const time of ['12:00:01', '12:10:00']) host.look(at(time));
    host.end(0, 'FAILED', { reason: 'exited with code 3; not started again', exitCode: 3 });
    host.look(at('12:10:10'));
    expect(host.results).toEqual([]);
    host.end(1);
    host.look(at('12:10:20'));
    expect(host.record?.ended).toMatchObject([
      { state: 'FAILED', reason: 'exited with code 3; not started again', exitCode: 3 },
    ]);
  });

  it('that the driver cannot start fail with its reason, when it is too late', () => {
    const host = new Host(scheduled(), at('12:00:01'));
    host.look(at('12:00:01'));
    host.problem = 'no room for the artifact';
    for (const time of ['12:10:00', '12:11:00', '12:12:01']) host.look(at(time));
    expect(host.record?.ended).toMatchObject([{ state: 'FAILED', reason: 'no room for the artifact' }]);
  });

  it('do not start while an operator has paused them, and none is made up for', () => {
    const host = new Host(scheduled({ pausedBy: 'paused' }), at('12:00:01'));
    host.look(at('12:00:01'));
    const [workload] = host.workloads;
    host.workloads = [{ ...workload, bindings: { ...workload.bindings, config: { paused: true } } }];
    for (const time of ['12:09:00', '12:10:00']) host.look(at(time));
    host.workloads = [workload];
    for (const time of ['12:10:01', '12:20:00']) host.look(at(time));
    expect(host.starts).toEqual(['12:20:00 0@1']);
    expect(host.record?.missed).toBe(0);
  });

  it('start at once when a copy is asked for anew, in the place of what is going', () => {
    const host = new Host(scheduled(), at('12:00:01'));
    const [workload] = host.workloads;
    for (const time of ['12:00:01', '12:10:00']) host.look(at(time));
    host.workloads = [{ ...workload, instances: [{ slot: 0, epoch: 9 }] }];
    for (const time of ['12:13:00', '12:13:01', '12:13:02']) host.look(at(time));
    expect(host.starts).toEqual(['12:10:00 0@1', '12:13:01 0@2']);
    expect(host.record?.open).toMatchObject([{ cause: 'OPERATOR', scheduledAt: at('12:13:00') }]);
    expect(host.results).toEqual(['12:10 REPLACED']);
  });

  it('go over to the next version, which waits for the end of what the one before has going', () => {
    const host = new Host(scheduled(), at('12:00:01'));
    const [old] = host.workloads;
    for (const time of ['12:00:01', '12:10:00']) host.look(at(time));
    const next = { ...old, key: { ...old.key, generation: old.key.generation + 1 } };
    host.workloads = [old, next];
    for (const time of ['12:19:00', '12:20:00']) host.look(at(time));
    expect(host.starts).toHaveLength(1);
    host.workloads = [next];
    host.look(at('12:20:02'));
    host.instances.delete(old.key.generation);
    host.look(at('12:20:03'));
    expect(host.starts).toEqual(['12:10:00 0@1', '12:20:03 0@2']);
    expect(host.results).toEqual(['12:10 STOPPED']);
    expect([...host.instances.keys()]).toEqual([next.key.generation]);
  });

  it('that a host finds although it remembers nothing are runs that go on', () => {
    const host = new Host(scheduled(), at('12:00:01'));
    for (const time of ['12:00:01', '12:10:00']) host.look(at(time));
    host.record = undefined;
    host.look(at('12:10:30'));
    host.end();
    for (const time of ['12:10:40', '12:20:00']) host.look(at(time));
    expect(host.starts).toEqual(['12:10:00 0@1', '12:20:00 0@2']);
  });

  it('are told as many of as history says, the last ones of each sort', () => {
    const host = new Host(scheduled({ history: { completed: 1, failed: 2 } }), at('12:00:01'));
    host.look(at('12:00:01'));
    for (const hour of ['13', '14', '15']) {
      for (const time of [`${hour}:00:00`, `${hour}:09:00`]) host.look(at(time));
      host.end();
      host.look(at(`${hour}:09:30`));
    }
    expect(host.results).toEqual(['14:40 MISSED', '14:50 MISSED', '15:00 COMPLETED']);
    expect(host.record?.missed).toBe(15);
  });
});

describe('the clock of a schedule', () => {
  it.each([
    [
      'a time that spring leaves out comes at the first moment after the gap',
      '2026-03-28T12:00Z',
      '30 2 * * *',
      ['2026-03-29T01:00:00.000Z', '2026-03-30T00:30:00.000Z'],
    ],
    [
      'a time that autumn has twice comes the first time only',
      '2026-10-24T12:00Z',
      '30 2 * * *',
      ['2026-10-25T00:30:00.000Z', '2026-10-26T01:30:00.000Z'],
    ],
    [
      'a step goes on evenly when the clock goes back',
      '2026-10-25T00:10Z',
      '*/30 * * * *',
      ['2026-10-25T00:30:00.000Z', '2026-10-25T01:00:00.000Z'],
    ],
  ])('%s', (_, from, cron, expected) => {
    const host = new Host(scheduled({ cron, timeZone: 'local' }), Date.parse(from));
    host.localTimeZone = 'Europe/Berlin';
    const seen: string[] = [];
    for (let now = Date.parse(from); seen.length < 2; now += 600_000) {
      host.look(now);
      const [run] = host.record?.open ?? [];
      if (run !== undefined) seen.push(new Date(run.scheduledAt).toISOString());
      host.end();
      host.look(now + 1000);
    }
    expect(seen).toEqual(expected);
  });

  it('that is set back by less than three hours runs nothing again', () => {
    const host = new Host(scheduled(), at('12:00:01'));
    for (const time of ['12:00:01', '12:10:00']) host.look(at(time));
    host.end();
    for (const time of ['11:10:00', '11:50:00', '12:10:00', '12:20:00']) host.look(at(time));
    expect(host.starts).toEqual(['12:10:00 0@1', '12:20:00 0@2']);
  });

  it('that was far ahead and is put right goes on from the right time', () => {
    const host = new Host(scheduled(), at('12:00:01'));
    host.look(at('12:00:01'));
    host.look(Date.parse('2036-01-01T00:10:00Z'));
    host.end();
    host.look(at('12:05:00'));
    host.look(at('12:10:00'));
    expect(host.starts.at(-1)).toBe('12:10:00 0@2');
  });
});

it('whoever dies at any moment, however often, starts no time twice and loses none that he could start in time', () => {
  const moment = fc.record({
    afterSeconds: fc.integer({ min: 1, max: 400 }),
    dies: fc.constantFrom('noted', 'started', undefined, undefined),
    ends: fc.boolean(),
  });
  const concurrency = fc.constantFrom('forbid' as const, 'replace' as const, 'allow' as const);
  fc.assert(
    fc.property(fc.array(moment, { minLength: 1, maxLength: 40 }), concurrency, (moments, how) => {
      const host = new Host(scheduled({ concurrency: how }), at('00:00:01'));
      host.look(host.now);
      const times = new Map<number, number>();
      for (const { afterSeconds, dies, ends } of moments) {
        if (ends) for (const slot of [0, LANE]) host.end(slot);
        // A run that is replaced ends in one look, and its successor begins in the next.
        const wasIdle = (host.record?.open ?? []).length === 0;
        host.look(host.now + afterSeconds * 1000, dies);
        for (const { scheduledAt, epoch } of host.record?.open ?? []) {
          expect(times.get(scheduledAt) ?? epoch).toBe(epoch);
          times.set(scheduledAt, epoch);
        }
        const running = [...host.instances.values()].flatMap((slots) => [...slots.values()]);
        const going = running.filter(({ state }) => state === 'RUNNING').length;
        expect(going).toBeLessThanOrEqual(how === 'allow' ? 2 : 1);
        // What is over its time is decided: it has run, it is to run, or it is missed.
        const last = Math.floor(host.now / 600_000) * 600_000;
        const isLate = host.now - last > 125_000;
        const mustBeDecided = dies === undefined && (isLate || wasIdle);
        expect(mustBeDecided && (host.record?.decidedUntil ?? 0) < last).toBe(false);
      }
      expect(new Set(host.starts).size).toBe(host.starts.length);
      const starts = host.starts.map((start) => start.slice(start.indexOf(' ')));
      expect(new Set(starts).size).toBe(starts.length);
    }),
    { numRuns: 300 },
  );
});
