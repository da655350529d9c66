import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { nextFence, only, run, sampleWorkload, until, untilRunning } from '../conformance-site.ts';
import { workloadId, type Workload } from '../contract.ts';
import type { AgentCourse } from './testkit-agent.ts';
import { openDriver, openProcessSite, processesWith, tracesOf, type ProcessSite } from './testkit.ts';

const SLEEPER = ['sh', '-c', 'exec sleep 600'];
/** More changes than the command makes to the world: the last drivers get through, save one that must signal again and again on a busy machine. */
const APPLY_STEPS = 30;
const REMOVAL_STEPS = 20;
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

/** A process with a driver for each course. */
function startAgent(...courses: readonly Omit<AgentCourse, 'revision'>[]): ChildProcess {
  const words = JSON.stringify(courses.map((course) => ({ ...course, revision: nextFence().revision })));
  return spawn(process.execPath, [AGENT, words], { stdio: ['ignore', 'pipe', 'inherit'] });
}

/** Waits until every driver has come as far as it can, kills all of them, and gives which had got through. */
async function killWhenSettled(agent: ChildProcess): Promise<readonly boolean[]> {
  const [line] = (await once(agent.stdout ?? agent, 'data')) as [Buffer];
  await killAgent(agent);
  return JSON.parse(line.toString()) as readonly boolean[];
}

/** Hosts side by side, one for each of the first changes that a command makes to the world, and a few more. */
async function withSites(
  number: number,
  use: (sites: readonly ProcessSite[]) => Promise<void>,
): Promise<void> {
  const sites = await Promise.all(Array.from({ length: number }, () => openProcessSite()));
  const used = await Promise.allSettled([use(sites)]);
  const closed = await Promise.allSettled(sites.map((site) => site.close()));
  // What went wrong first: a site that was left in the middle of it may not close.
  const fault = [...used, ...closed].find(({ status }) => status === 'rejected');
  if (fault?.status === 'rejected') throw fault.reason;
}

/** Kills a driver before the first, the second, … change that its command makes to the world. Gives which of them got through. */
async function killAtEveryStep(
  sites: readonly ProcessSite[],
  action: 'apply' | 'remove',
  prepare: (site: ProcessSite) => Promise<Workload>,
  check: (site: ProcessSite, workload: Workload) => Promise<void>,
): Promise<readonly boolean[]> {
  const courses = await Promise.all(
    sites.map(async (site, killBeforeStep) => {
      const workload = await prepare(site);
      await site.driver.close();
      return { directory: site.directory, workloads: [workload], action, killBeforeStep };
    }),
  );
  const gotThrough = await killWhenSettled(startAgent(...courses));
  // Each to its end, also where one fails, as closing must not come in between.
  const checks = await Promise.allSettled(
    sites.map(async (site, number) => {
      const workload = courses[number]?.workloads[0];
      if (workload === undefined) throw new Error('a site has no workload');
      await site.reopen();
      await check(site, workload);
      await site.driver.remove(workload.key, nextFence(), { graceSeconds: 0 });
      expect(tracesOf(site.directory, [workload.key])).toEqual([]);
    }),
  );
  for (const check of checks) if (check.status === 'rejected') throw check.reason;
  return gotThrough;
}

describe('a driver that is killed', () => {
  let site: ProcessSite;
  beforeEach(async () => {
    site = await openProcessSite();
  });
  afterEach(async () => {
    await site.close();
  });

  it('before any single change that an apply makes leaves no double and no orphan', async () => {
    await withSites(APPLY_STEPS, async (sites) => {
      const gotThrough = await killAtEveryStep(
        sites,
        'apply',
        async (site) => sampleWorkload(site, { command: SLEEPER }),
        async (site, workload) => {
          await run(site, workload);
          await vi.waitFor(() => expect(programsOf(workload, 0)).toBe(1), { timeout: 3000, interval: 50 });
        },
      );
      expect(gotThrough.indexOf(true)).toBeGreaterThan(10);
    });
  }, 60_000);

  it('before any single change that a removal makes finishes it when it had begun, else leaves what runs', async () => {
    await withSites(REMOVAL_STEPS, async (sites) => {
      const gotThrough = await killAtEveryStep(
        sites,
        'remove',
        async (site) => {
          // It does not heed the signal, so that the grace and what follows it are among the moments, too.
          const workload = sampleWorkload(site, {
            command: ['sh', '-c', 'trap "" TERM; sleep 600; sleep 600'],
          });
          await run(site, workload);
          return workload;
        },
        async (site, workload) => {
          const left = (await site.driver.list()).flatMap(({ instances }) => instances);
          // Either it had not begun, and the one program runs on; or it had, and is finished.
          const isUntouched = left.some(({ state }) => state === 'RUNNING');
          // The last that goes; a look at all processes of the host is dear, and these drivers share their thread with it.
          const isFinished = (): boolean =>
            !existsSync(join(site.directory, 'workloads', workloadId(workload.key))) &&
            tracesOf(site.directory, [workload.key]).length === 0;
          const isRight = (): boolean => (isUntouched ? programsOf(workload, 0) === 1 : isFinished());
          await vi.waitFor(() => expect(isRight()).toBe(true), { timeout: 8000, interval: 50 });
        },
      );
      expect(gotThrough.indexOf(true)).toBeGreaterThan(5);
    });
  }, 60_000);

  it('while it starts several instances at once leaves no double and no orphan', async () => {
    await withSites(4, async (sites) => {
      const workloads = sites.map((site) => sampleWorkload(site, { slots: [0, 1, 2], command: SLEEPER }));
      const courses = await Promise.all(
        sites.map(async (site, number) => {
          await site.driver.close();
          const own = workloads.slice(number, number + 1);
          return {
            directory: site.directory,
            workloads: own,
            action: 'apply',
            killBeforeStep: 9 + 7 * number,
          } as const;
        }),
      );
      expect(await killWhenSettled(startAgent(...courses))).toContain(false);
      await Promise.all(
        sites.map(async (site, number) => {
          await site.reopen();
          for (const workload of workloads.slice(number, number + 1)) {
            await run(site, workload);
            const programs = (): readonly number[] => [0, 1, 2].map((slot) => programsOf(workload, slot));
            await vi.waitFor(() => expect(programs()).toEqual([1, 1, 1]), { timeout: 3000, interval: 50 });
            await new Promise((resolve) => setTimeout(resolve, 60)); // a late wrapper would show itself
            expect(programs()).toEqual([1, 1, 1]);
          }
        }),
      );
    });
  }, 60_000);

  it('leaves what runs running, and learns afterwards how an instance ended meanwhile', async () => {
    const restart = { withinSeconds: 60, times: 0, backoffMinSeconds: 1, backoffMaxSeconds: 1 };
    const ends = sampleWorkload(site, { command: ['sh', '-c', 'sleep 0.6; exit 7'], spec: { restart } });
    const stays = sampleWorkload(site, { command: SLEEPER });
    await site.driver.close();
    const agent = startAgent({ directory: site.directory, workloads: [ends, stays], action: 'apply' });
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

  // MCO-O-047
  it('or stopped has what is bound by the lease stopped in time, and nothing else', async () => {
    const other = await openProcessSite();
    try {
      await Promise.all([losesItsDriver(site, 'SIGKILL'), losesItsDriver(other, 'SIGSTOP')]);
    } finally {
      await other.close();
    }
  });
});

/** A host whose driver renews its lease for longer than that lasts, and then no more. */
async function losesItsDriver(site: ProcessSite, signal: NodeJS.Signals): Promise<void> {
  const bound = sampleWorkload(site, { command: SLEEPER, spec: { stopAfterSeconds: 1.5 } });
  const free = sampleWorkload(site, { command: SLEEPER });
  await site.driver.close();
  const agent = startAgent({
    directory: site.directory,
    workloads: [bound, free],
    action: 'apply',
    renewMilliseconds: 200,
  });
  await once(agent.stdout ?? agent, 'data');
  await vi.waitFor(() => expect(programsOf(bound, 0)).toBe(1), { timeout: 5000, interval: 20 });
  await new Promise((resolve) => setTimeout(resolve, 1700));
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
}

describe('after a reboot of the host', () => {
  // MCO-O-051
  it('what may start cold starts, and the rest waits until the orchestrator is heard', async () => {
    const site = await openProcessSite();
    try {
      const cold = sampleWorkload(site);
      const warm = sampleWorkload(site, { spec: { coldBoot: false } });
      const torn = sampleWorkload(site, { spec: { coldBoot: false } });
      for (const workload of [cold, warm, torn]) await run(site, workload);
      await site.driver.close();
      await pretendReboot(site.directory, [cold, warm, torn]);
      writeFileSync(join(site.directory, 'workloads', workloadId(torn.key), '0', 'slot.json'), '');
      await site.reopen();
      const started = only(await untilRunning(site, cold));
      expect(started.restarts).toBe(1);
      for (const { key } of [warm, torn]) await untilItWaits(site, key);
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
      await run(site, torn);
    } finally {
      await site.close();
    }
  });
});

describe('secrets of a workload', () => {
  const secret = { config: { password: 's3cret-of-a-test' }, requires: {}, clients: [] };
  const spec = {
    env: { BINDINGS: '{{ bindings.path }}' },
    bindings: { path: 'conf/bindings.json', onChange: 'restart' },
  } as const;

  it('are in the directory for secrets alone, and gone with the workload', async () => {
    const memory = mkdtempSync(join(tmpdir(), 'iotmano-memory-'));
    const site = await openProcessSite({ secretsDirectory: memory });
    try {
      const workload = { ...sampleWorkload(site, { spec }), bindings: secret };
      await run(site, workload);
      expect(filesWith(site.directory, 's3cret-of-a-test')).toEqual([]);
      expect(filesWith(memory, 's3cret-of-a-test')).not.toEqual([]);
      const path = join(
        site.directory,
        'workloads',
        workloadId(workload.key),
        '0/instance/conf/bindings.json',
      );
      expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual(secret);
      await site.reopen();
      await untilRunning(site, workload);
      await site.driver.remove(workload.key, nextFence());
      expect(filesWith(memory, 's3cret-of-a-test')).toEqual([]);
    } finally {
      await site.close();
      rmSync(memory, { recursive: true, force: true });
    }
  });

  // MCO-O-051 MCO-O-080
  it('are gone after a reboot, and nothing starts without them; told again, what may start cold starts on its port', async () => {
    const memory = mkdtempSync(join(tmpdir(), 'iotmano-memory-'));
    const site = await openProcessSite({ secretsDirectory: memory });
    try {
      const ports = [{ name: 'http', protocol: 'tcp', expose: true }] as const;
      const cold = { ...sampleWorkload(site, { spec: { ...spec, ports } }), bindings: secret };
      const warm = { ...sampleWorkload(site, { spec: { ...spec, coldBoot: false } }), bindings: secret };
      const before = only(await run(site, cold));
      await run(site, warm);
      await site.driver.close();
      await pretendReboot(site.directory, [cold, warm]);
      rmSync(memory, { recursive: true });
      await site.reopen();
      expect((await site.driver.list()).flatMap(({ instances }) => instances)).toEqual([]);
      await site.driver.apply(cold, nextFence());
      await site.driver.apply(warm, nextFence());
      expect(only(await untilRunning(site, cold)).ports).toEqual(before.ports);
      await untilItWaits(site, warm.key);
      await site.driver.renewed();
      await run(site, warm);
      expect(filesWith(site.directory, 's3cret-of-a-test')).toEqual([]);
    } finally {
      await site.close();
      rmSync(memory, { recursive: true, force: true });
    }
  });

  it('are taken out of the record of a version that kept them in it', async () => {
    const site = await openProcessSite();
    try {
      const workload = { ...sampleWorkload(site, { spec }), bindings: secret };
      await run(site, workload);
      const file = join(site.directory, 'workloads', workloadId(workload.key), 'workload.json');
      writeFileSync(file, JSON.stringify({ workload }));
      await site.reopen();
      await run(site, workload);
      expect(readFileSync(file, 'utf8')).not.toContain('s3cret-of-a-test');
    } finally {
      await site.close();
    }
  });
});

/** Files below the directory that hold the text; links are not followed. */
function filesWith(directory: string, text: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
    .filter((path) => readFileSync(path).includes(text));
}

/** A copy that was just found has only ended, until the driver has taken note of the reboot. */
async function untilItWaits(site: ProcessSite, key: Workload['key']): Promise<void> {
  const isWaiting = 'waiting until the orchestrator is heard';
  const waiting = await until(site, key, ([one]) => one?.reason?.includes(isWaiting) === true);
  expect(only(waiting).state).toBe('PENDING');
}

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
      const agent = startAgent({ directory: site.directory, workloads: [], action: 'apply' });
      await once(agent.stdout ?? agent, 'data');
      await expect(openDriver(site.directory)).rejects.toMatchObject({ code: 'conflict' });
      await killAgent(agent);
      await site.reopen();
      expect(await site.driver.list()).toEqual([]);
    } finally {
      await site.close();
    }
  });
});
