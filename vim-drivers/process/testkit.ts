import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { IotmanoError, silentLogger, systemClock, type HostId } from '../../kernel/index.ts';
import { find, type ConformanceSite } from '../conformance-site.ts';
import { instanceName, workloadId, type ArtifactSource, type WorkloadKey } from '../contract.ts';
import { cgroupScope } from './cgroups.ts';
import { createProcessDriver, type ProcessDriver, type ProcessDriverOptions } from './index.ts';

export const NO_ARTIFACTS: ArtifactSource = {
  open: async ({ digest }) => {
    throw new IotmanoError('artifact-unusable', `there is no artifact ${digest}`);
  },
};

/** Where cgroups are kept out, in the tests of a host without them. */
export type SiteOptions = Partial<
  Pick<ProcessDriverOptions, 'cgroupRoot' | 'outputLimitBytes' | 'outputCheckSeconds' | 'artifacts'>
>;

export interface ProcessSite extends ConformanceSite {
  readonly directory: string;
  readonly driver: ProcessDriver;
}

export function openDriver(directory: string, options: SiteOptions = {}): Promise<ProcessDriver> {
  return createProcessDriver({
    directory,
    hostId: 'host-1' as HostId,
    artifacts: NO_ARTIFACTS,
    clock: systemClock,
    log: silentLogger,
    address: '127.0.0.1',
    ...options,
  });
}

/** A host of its own: a state directory that is gone afterwards, with everything that was started from it. */
export async function openProcessSite(options: SiteOptions = {}): Promise<ProcessSite> {
  const directory = await mkdtemp(join(tmpdir(), 'iotmano-process-'));
  let driver = await openDriver(directory, options);
  const foreign: (() => void)[] = [];
  return {
    directory,
    get driver() {
      return driver;
    },
    async reopen() {
      await driver.close();
      driver = await openDriver(directory, options);
    },
    artifact: (command) => ({ type: 'process', command }),
    async crash(_key, { pid }) {
      if (pid !== undefined) process.kill(pid, 'SIGKILL');
    },
    async takeAway(key, slot) {
      for (const pid of processesWith(markOf(key, slot))) process.kill(pid, 'SIGKILL');
    },
    async runOf(key, slot) {
      const pid = await pidOf({ driver }, key, slot);
      return pid === undefined ? undefined : `${pid} ${startTimeOf(pid)}`;
    },
    programs: {
      address: '127.0.0.1',
      missingArtifact: () => ({
        type: 'process',
        command: ['sh'],
        files: { digest: `sha256:${'0'.repeat(64)}`, sizeBytes: 1 },
      }),
      async signal(key, slot, name) {
        const pid = await pidOf({ driver }, key, slot);
        if (pid === undefined) throw new Error(`no program runs in slot ${slot}`);
        process.kill(pid, name);
      },
      // What anybody on the host is shown; the environment of a process is its user's alone.
      shownByTool: async (key) => `${workloadId(key)}\n${commandLinesOf(key)}`,
      async usageByTool(key, slot) {
        return usageByPs(processesWith(markOf(key, slot)));
      },
    },
    async plantForeign() {
      const child = spawn('sleep', ['600'], { stdio: 'ignore' });
      foreign.push(() => child.kill('SIGKILL'));
      return async () => child.exitCode === null && child.signalCode === null;
    },
    traces: async (...keys) => tracesOf(directory, keys),
    async close() {
      for (const end of foreign) end();
      await removeEverything(driver);
      await driver.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function pidOf(
  site: Pick<ConformanceSite, 'driver'>,
  key: WorkloadKey,
  slot: number,
): Promise<number | undefined> {
  return (await find(site, key))?.instances.find((one) => one.slot === slot)?.pid;
}

/** Field 22 of `/proc/PID/stat`: with it a pid names one process for ever. */
function startTimeOf(pid: number): string {
  return (
    readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ')[19] ?? ''
  );
}

/** The variable that every process of an instance carries. */
function markOf(key: WorkloadKey, slot: number): string {
  return `IOTMANO_INSTANCE=${instanceName(key, slot)}@`;
}

function commandLinesOf(key: WorkloadKey): string {
  const pids = processesWith(`IOTMANO_INSTANCE=${workloadId(key)}-`);
  return execFileSync('ps', ['-o', 'args=', '-p', pids.join(',')], { encoding: 'utf8' });
}

/** Sums over the processes of the instance, as `ps` tells them. */
function usageByPs(pids: readonly number[]): { memoryBytes: number; cpuSeconds: number } {
  const lines = execFileSync('ps', ['-o', 'rss=,cputimes=', '-p', pids.join(',')], { encoding: 'utf8' });
  const figures = lines
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/ +/).map(Number));
  return {
    memoryBytes: figures.reduce((sum, [kibibytes = 0]) => sum + kibibytes * 1024, 0),
    cpuSeconds: figures.reduce((sum, [, seconds = 0]) => sum + seconds, 0),
  };
}

async function removeEverything(driver: ProcessDriver): Promise<void> {
  const fence = { leaseNumber: Number.MAX_SAFE_INTEGER, revision: 0 };
  const all = await driver.list();
  await Promise.all(
    all.map(({ key }) => driver.remove(key, fence, { graceSeconds: 0, deleteKeptVolumes: true })),
  );
}

/** Processes, directories and cgroups of workloads, found in one look at the host. */
export function tracesOf(directory: string, keys: readonly WorkloadKey[]): readonly string[] {
  const ids = keys.map(workloadId);
  const processes = processesWith(...ids.map((id) => `IOTMANO_INSTANCE=${id}-`));
  const directories = ids.map((id) => join(directory, 'workloads', id)).filter((path) => existsSync(path));
  const groups = groupsOfDirectory(directory).filter((name) => ids.some((id) => name.startsWith(`${id}-`)));
  return [
    ...processes.map((pid) => `process ${pid}`),
    ...directories,
    ...groups.map((name) => `cgroup ${name}`),
  ];
}

/** Names of the groups that the driver of a state directory has made. */
export function groupsOfDirectory(directory: string): readonly string[] {
  return ['memory/iotmano', 'cpu/iotmano', 'iotmano']
    .map((parent) => join('/sys/fs/cgroup', parent, cgroupScope(realpathSync(directory))))
    .filter((scope) => existsSync(scope))
    .flatMap((scope) => readdirSync(scope, { withFileTypes: true }))
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
}

/** Every living process whose environment holds a variable that begins so. */
export function processesWith(...variables: readonly string[]): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, 'utf8')
          .split('\0')
          .some((entry) => variables.some((variable) => entry.startsWith(variable)));
      } catch {
        return false;
      }
    });
}
