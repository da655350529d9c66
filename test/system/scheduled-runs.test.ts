/** Functions that run by a schedule, on a real host: over deaths of agent and orchestrator, with overlaps, failures, pauses and runs on demand. */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { overlapsOf, readJournal } from '../kit/journal.ts';
import { createTestSystem, eventually, type Copy, type TestSystem } from '../kit/test-system.ts';

interface ScheduledCopy extends Copy {
  readonly schedule?: {
    readonly nextAt?: string;
    readonly isPaused: boolean;
    readonly missed: number;
    readonly runs: readonly {
      readonly scheduledAt: string;
      readonly cause: string;
      readonly state: string;
      readonly reason?: string;
    }[];
  };
}

const EVERY_SECOND = '* * * * * *';
const NEVER_SOON = '0 0 29 2 *';

let system: TestSystem;
const file = (name: string): string => join(system.folder, name);

beforeAll(async () => {
  system = await createTestSystem();
  await system.startOrchestrator();
  await system.addHosts('host-a');
  const history = { completed: 20, failed: 20 };
  const pausing = {
    config: {
      type: 'object',
      properties: { paused: { type: 'boolean', default: false } },
      apply: { paused: 'reload' },
    },
  };
  await system.onboard({
    often: {
      args: ['work', '200'],
      journal: file('often'),
      more: { run: { mode: 'schedule', cron: EVERY_SECOND, startWithin: '30s', history } },
    },
    replacing: {
      args: ['work', '60000'],
      journal: file('replacing'),
      more: { run: { mode: 'schedule', cron: '*/2 * * * * *', concurrency: 'replace', history } },
    },
    failing: {
      args: ['work', '50', file('must-fail')],
      more: {
        run: { mode: 'schedule', cron: EVERY_SECOND, history },
        healing: { restart: { within: '60s', times: 1, backoff: '10ms..20ms' }, lostAfter: '30s' },
      },
    },
    asked: {
      args: ['work', '300'],
      more: { run: { mode: 'schedule', cron: NEVER_SOON, history, pausedBy: 'paused' }, ...pausing },
    },
  });
}, 60_000);

afterAll(() => system.cleanUp(), 30_000);

async function copyOf(service: string): Promise<ScheduledCopy> {
  const [copy] = (await system.copies(service)) as readonly ScheduledCopy[];
  if (copy === undefined) throw new Error(`${service} has no copy`);
  return copy;
}

async function runsOf(service: string): Promise<NonNullable<ScheduledCopy['schedule']>['runs']> {
  return (await copyOf(service)).schedule?.runs ?? [];
}

async function terminate(id: string): Promise<void> {
  const { operationState } = await system.ended(await system.begin(id, 'terminate'));
  expect(operationState).toBe('COMPLETED');
}

const restarted = async (): Promise<void> => {
  process.kill(system.agent('host-a').pid, 'SIGKILL');
  await system.startAgent('host-a');
};

describe('a function that runs every second', () => {
  // MCO-O-028 MCO-O-029 MCO-O-039
  it('goes on without the orchestrator, over deaths of its agent, and never runs a time twice', async () => {
    const id = await system.deploy('often', [{ name: 'often' }]);
    await eventually('it has completed', async () =>
      (await runsOf('often')).some(({ state }) => state === 'COMPLETED'),
    );
    process.kill(system.orchestrator().pid, 'SIGKILL');
    const before = readJournal(file('often')).length;
    await eventually('it goes on', () => readJournal(file('often')).length >= before + 2);
    await restarted();
    const between = readJournal(file('often')).length;
    await eventually(
      'it goes on after its agent has died',
      () => readJournal(file('often')).length >= between + 2,
    );
    await system.startOrchestrator();
    const copy = await eventually(
      'it tells again',
      async () => {
        const told = await copyOf('often');
        return told.state !== 'LOST' && (told.schedule?.runs.length ?? 0) >= 5 && told;
      },
      40,
    );
    const times = copy.schedule?.runs.map(({ scheduledAt }) => scheduledAt) ?? [];
    expect(new Set(times).size).toBe(times.length);
    expect(copy.schedule?.nextAt).toBeDefined();
    expect(overlapsOf(readJournal(file('often')))).toEqual([]);
    await terminate(id);
  }, 120_000);
});

describe('a run whose successor is due', () => {
  it('is stopped first with `replace`, and told as replaced', async () => {
    const id = await system.deploy('replacing', [{ name: 'replacing' }]);
    await eventually(
      'two were replaced',
      async () => (await runsOf('replacing')).filter(({ state }) => state === 'REPLACED').length >= 2,
    );
    const spans = await eventually('several have come to work', () => {
      const found = readJournal(file('replacing'));
      return found.length >= 3 && found;
    });
    await terminate(id);
    expect(overlapsOf(spans)).toEqual([]);
  }, 60_000);
});

describe('a run that fails', () => {
  it('is told with its reason and raises an alarm, which the next one that completes clears', async () => {
    writeFileSync(file('must-fail'), '');
    const id = await system.deploy('failing', [{ name: 'failing' }]);
    const standing = async (): Promise<boolean> => {
      const alarms = await system.get<{ name: string; alarmClearedTime?: string }[]>('/iotmano/v1/alarms');
      return alarms.some(
        ({ name, alarmClearedTime }) => name === 'scheduled-run-failed' && alarmClearedTime === undefined,
      );
    };
    await eventually('the alarm is raised', standing);
    const failed = (await runsOf('failing')).find(({ state }) => state === 'FAILED');
    expect(failed?.reason).toMatch(/exited with code 1.*not started again/);
    rmSync(file('must-fail'));
    await eventually('the alarm is cleared', async () => !(await standing()));
    await terminate(id);
  }, 60_000);
});

describe('a run on demand', () => {
  it('starts when an operator heals the function, also while the schedule is paused', async () => {
    const id = await system.deploy('asked', [{ name: 'asked' }]);
    const { vnfInstanceId } = await copyOf('asked');
    const { status } = await system.request('PATCH', `/vnflcm/v2/vnf_instances/${vnfInstanceId}`, {
      vnfConfigurableProperties: { paused: true },
    });
    expect(status).toBe(202);
    await eventually('it is paused', async () => (await copyOf('asked')).schedule?.isPaused);
    await eventually('it is not busy', async () => {
      const heal = await system.request('POST', `/vnflcm/v2/vnf_instances/${vnfInstanceId}/heal`, {
        cause: 'now',
      });
      return heal.status === 202;
    });
    const [run] = await eventually('it has run', async () => {
      const runs = await runsOf('asked');
      return runs[0]?.state === 'COMPLETED' && runs;
    });
    expect(run).toMatchObject({ cause: 'OPERATOR' });
    const { stdout } = await system.iotmano(['service', 'show', 'asked']);
    expect(stdout).toMatch(/SCHEDULED/);
    expect(stdout).toMatch(/paused/);
    expect(stdout).toMatch(/OPERATOR\s+COMPLETED/);
    await terminate(id);
  }, 60_000);
});
