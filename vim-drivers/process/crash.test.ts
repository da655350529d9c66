import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { nextFence, only, run, sampleWorkload, until, untilRunning } from '../conformance-site.ts';
import { workloadId, type Workload } from '../contract.ts';
import { openDriver, openProcessSite, processesWith, tracesOf, type ProcessSite } from './testkit.ts';

const AGENT = join(import.meta.dirname, 'testkit-agent.ts');

/** Programs of a workload that run now: exactly one for each slot is right. The shells around it have the same mark. */
function programsOf({ key }: Workload, slot: number): number {
  const marked = processesWith(`IOTMANO_INSTANCE=${workloadId(key)}-${slot}@`);
  return marked.filter((pid) => commandOf(pid) === 'sleep 600').length;
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
  } catch {
    return '';
  }
}

async function killAgent(agent: ChildProcess): Promise<void> {
  agent.kill('SIGKILL');
  if (agent.exitCode === null && agent.signalCode === null) await once(agent, 'exit');
}

/** Whether the agent carries its command out and is still there when all that follows from it is done, too. */
async function isRunningThrough(agent: ChildProcess): Promise<boolean> {
  const ended = once(agent, 'exit').then(() => false);
  const done = once(agent.stdout ?? agent, 'data').then(
    () => new Promise((resolve) => setTimeout(resolve, 250)),
  );
  return Promise.race([ended, done.then(() => agent.exitCode === null && agent.signalCode === null)]);
}

describe('a driver that is killed', () => {
  let site: ProcessSite;
  beforeEach(async () => {
    site = await openProcessSite();
  });
  afterEach(async () => {
    await site.close();
  });

  const agentFor = (
    workloads: readonly Workload[],
    action: string,
    renewMilliseconds = 0,
    killBeforeStep = Number.POSITIVE_INFINITY,
  ): ChildProcess => {
    const words = [
      JSON.stringify(workloads),
      String(renewMilliseconds),
      action,
      String(nextFence().revision),
    ];
    return spawn(process.execPath, [AGENT, site.directory, ...words], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, KILL_BEFORE_STEP: String(killBeforeStep) },
    });
  };

  /** Kills before the first, the second, … change that the command makes to the world, until it gets through. Gives the number of changes. */
  const killAtEveryStep = async (
    action: string,
    prepare: () => Promise<Workload>,
    check: (workload: Workload) => Promise<void>,
  ): Promise<number> => {
    for (let number = 0; number < 100; number += 1) {
      const workload = await prepare();
      await site.driver.close();
      const agent = agentFor([workload], action, 0, number);
      const isThrough = await isRunningThrough(agent);
      await killAgent(agent);
      await site.reopen();
      await check(workload);
      await site.driver.remove(workload.key, nextFence(), { graceSeconds: 0 });
      expect(tracesOf(site.directory, workload.key)).toEqual([]);
      if (isThrough) return number;
    }
    return 100;
  };

  it('before any single change that an apply makes leaves no double and no orphan', async () => {
    const steps = await killAtEveryStep(
      'apply',
      async () => sampleWorkload(site, { command: ['sh', '-c', 'exec sleep 600'] }),
      async (workload) => {
        await run(site, workload);
        await vi.waitFor(() => expect(programsOf(workload, 0)).toBe(1), { timeout: 3000, interval: 10 });
      },
    );
    expect(steps).toBeGreaterThan(10);
    expect(steps).toBeLessThan(100);
  }, 120_000);

  it('before any single change that a removal makes finishes it when it had begun, else leaves what runs', async () => {
    const steps = await killAtEveryStep(
      'remove',
      async () => {
        const workload = sampleWorkload(site, { command: ['sh', '-c', 'exec sleep 600'] });
        await run(site, workload);
        return workload;
      },
      async (workload) => {
        const left = (await site.driver.list()).flatMap(({ instances }) => instances);
        // Either it had not begun, and the one program runs on; or it had, and is finished.
        const isUntouched = left.some(({ state }) => state === 'RUNNING');
        const isRight = (): boolean =>
          isUntouched ? programsOf(workload, 0) === 1 : tracesOf(site.directory, workload.key).length === 0;
        await vi.waitFor(() => expect(isRight()).toBe(true), { timeout: 5000 });
      },
    );
    expect(steps).toBeGreaterThan(5);
    expect(steps).toBeLessThan(100);
  }, 120_000);

  it('at any moment of an apply leaves no double and no orphan', async () => {
    const sleeper = ['sh', '-c', 'exec sleep 600'];
    for (let round = 0; round < 5; round += 1) {
      const workload = sampleWorkload(site, { slots: [0, 1, 2], command: sleeper });
      await site.driver.close();
      const agent = agentFor([workload], 'apply');
      // From before the state is opened to after the last instance is there.
      await new Promise((resolve) => setTimeout(resolve, 120 + round * 30));
      await killAgent(agent);
      await site.reopen();
      await run(site, workload);
      const programs = (): readonly number[] => [0, 1, 2].map((slot) => programsOf(workload, slot));
      await vi.waitFor(() => expect(programs()).toEqual([1, 1, 1]), { timeout: 3000, interval: 10 });
      await new Promise((resolve) => setTimeout(resolve, 60)); // a late wrapper would show itself
      expect(programs()).toEqual([1, 1, 1]);
      await site.driver.remove(workload.key, nextFence());
      expect(tracesOf(site.directory, workload.key)).toEqual([]);
    }
  }, 60_000);

  it('at any moment of a removal is no obstacle to the next one', async () => {
    for (let round = 0; round < 3; round += 1) {
      const workload = sampleWorkload(site, {
        slots: [0, 1],
        command: ['sh', '-c', 'trap "" TERM; sleep 600; sleep 601'],
      });
      await run(site, workload);
      await site.driver.close();
      const agent = agentFor([workload], 'remove');
      await new Promise((resolve) => setTimeout(resolve, 150 + round * 450));
      await killAgent(agent);
      await site.reopen();
      await site.driver.remove(workload.key, nextFence(), { graceSeconds: 0 });
      expect(tracesOf(site.directory, workload.key)).toEqual([]);
    }
  }, 60_000);

  it('leaves what runs running, and learns afterwards how an instance ended meanwhile', async () => {
    const restart = { withinSeconds: 60, times: 0, backoffMinSeconds: 1, backoffMaxSeconds: 1 };
    const ends = sampleWorkload(site, { command: ['sh', '-c', 'sleep 0.6; exit 7'], spec: { restart } });
    const stays = sampleWorkload(site, { command: ['sh', '-c', 'exec sleep 600'] });
    await site.driver.close();
    const agent = agentFor([ends, stays], 'apply');
    await once(agent.stdout ?? agent, 'data');
    await new Promise((resolve) => setTimeout(resolve, 150));
    await killAgent(agent);
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(programsOf(stays, 0)).toBe(1);
    await site.reopen();
    const failed = only(await until(site, ends.key, ([one]) => one?.state === 'FAILED'));
    expect(failed).toMatchObject({ exitCode: 7, restarts: 0 });
    expect(only(await untilRunning(site, stays)).restarts).toBe(0);
  });

  it.each(['SIGKILL', 'SIGSTOP'] as const)(
    'or stopped (%s) has what is bound by the lease stopped in time, and nothing else',
    async (signal) => {
      const command = ['sh', '-c', 'exec sleep 600'];
      const bound = sampleWorkload(site, { command, spec: { stopAfterSeconds: 1.5 } });
      const free = sampleWorkload(site, { command });
      await site.driver.close();
      const agent = agentFor([bound, free], 'apply', 200);
      await once(agent.stdout ?? agent, 'data');
      await vi.waitFor(() => expect(programsOf(bound, 0)).toBe(1), { timeout: 5000, interval: 20 });
      await new Promise((resolve) => setTimeout(resolve, 2000));
      expect(programsOf(bound, 0)).toBe(1);
      const cutAt = performance.now();
      agent.kill(signal);
      await vi.waitFor(() => expect(programsOf(bound, 0)).toBe(0), { timeout: 5000, interval: 20 });
      expect(performance.now() - cutAt).toBeGreaterThan(500);
      expect(programsOf(free, 0)).toBe(1);
      await killAgent(agent);
      await site.reopen();
      const stopped = only(await until(site, bound.key, ([one]) => one?.state === 'STOPPED'));
      expect(stopped.reason).toMatch(/lease was not renewed/);
      await site.driver.renewed();
      await run(site, bound);
    },
  );
});

describe('after a reboot of the host', () => {
  it('what may start cold starts, and the rest waits until the orchestrator is heard', async () => {
    const site = await openProcessSite();
    try {
      const cold = sampleWorkload(site);
      const warm = sampleWorkload(site, { spec: { coldBoot: false } });
      await run(site, cold);
      await run(site, warm);
      await site.driver.close();
      await pretendReboot(site.directory, [cold, warm]);
      await site.reopen();
      const started = only(await untilRunning(site, cold));
      expect(started.restarts).toBe(1);
      const waiting = only(await until(site, warm.key, ([one]) => one?.state === 'PENDING'));
      expect(waiting.reason).toContain('waiting until the orchestrator is heard');
      await site.driver.apply(warm, nextFence());
      expect(
        only(
          (await site.driver.list())
            .filter(({ key }) => key.vnfInstanceId === warm.key.vnfInstanceId)
            .flatMap(({ instances }) => instances),
        ).state,
      ).toBe('PENDING');
      await site.driver.renewed();
      await run(site, warm);
    } finally {
      await site.close();
    }
  });
});

/** Ends what runs and gives the records the id of an earlier boot: as a host looks that lost its power. */
async function pretendReboot(directory: string, workloads: readonly Workload[]): Promise<void> {
  for (const { key } of workloads) {
    const id = workloadId(key);
    for (const pid of processesWith(`IOTMANO_INSTANCE=${id}-`)) process.kill(pid, 'SIGKILL');
    await vi.waitFor(() => expect(processesWith(`IOTMANO_INSTANCE=${id}-`)).toEqual([]), { timeout: 3000 });
    const slot = join(directory, 'workloads', id, '0');
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    for (const name of ['slot.json', 'run']) {
      const path = join(slot, name);
      writeFileSync(
        path,
        readFileSync(path, 'utf8').replaceAll(boot, '00000000-0000-0000-0000-000000000000'),
      );
    }
    rmSync(join(slot, 'exit'), { force: true });
  }
}

describe('a state directory', () => {
  it('is refused while another process has it', async () => {
    const site = await openProcessSite();
    try {
      await site.driver.close();
      const agent = spawn(process.execPath, [AGENT, site.directory, '[]'], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      await once(agent.stdout, 'data');
      await expect(openDriver(site.directory)).rejects.toMatchObject({ code: 'conflict' });
      await killAgent(agent);
      await site.reopen();
      expect(await site.driver.list()).toEqual([]);
    } finally {
      await site.close();
    }
  });
});
