/** A look at the host that programs of the process driver run on, by other means than the driver's. */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { find, type ConformanceSite } from '../conformance-site.ts';
import { instanceName, workloadId, type WorkloadKey } from '../contract.ts';
import { cgroupScope } from './cgroups.ts';

type Site = Pick<ConformanceSite, 'driver'>;

/** What the suite asks of a host where processes run, whoever started them. */
export function lookAtHost(
  site: Site,
  directory: string,
): Pick<ConformanceSite, 'artifact' | 'crash' | 'takeAway' | 'runOf' | 'programs' | 'traces'> {
  return {
    artifact: (command) => ({ type: 'process', command }),
    async crash(_key, { pid }) {
      if (pid !== undefined) process.kill(pid, 'SIGKILL');
    },
    async takeAway(key, slot) {
      for (const pid of processesWith(markOf(key, slot))) process.kill(pid, 'SIGKILL');
    },
    async runOf(key, slot) {
      const pid = await pidOf(site, key, slot);
      const startTime = pid === undefined ? undefined : startTimeOf(pid);
      return startTime === undefined ? undefined : `${pid} ${startTime}`;
    },
    programs: {
      address: '127.0.0.1',
      missingArtifact: () => ({
        type: 'process',
        command: ['sh'],
        files: { digest: `sha256:${'0'.repeat(64)}`, sizeBytes: 1 },
      }),
      async signal(key, slot, name) {
        const pid = await pidOf(site, key, slot);
        if (pid === undefined) throw new Error(`no program runs in slot ${slot}`);
        process.kill(pid, name);
      },
      // What anybody on the host is shown; the environment of a process is its user's alone.
      shownByTool: async (key) => psOf(processesWith(`IOTMANO_INSTANCE=${workloadId(key)}-`), 'args='),
      usageByTool: async (key, slot) => usageByPs(processesWith(markOf(key, slot))),
    },
    traces: async (...keys) => tracesOf(directory, keys),
  };
}

/** A process that is not ours; tells whether it is there, and ends it. */
export function startForeign(): { isThere(): boolean; end(): void } {
  const child = spawn('sleep', ['600'], { stdio: 'ignore' });
  return {
    isThere: () => child.exitCode === null && child.signalCode === null,
    end: () => child.kill('SIGKILL'),
  };
}

async function pidOf(site: Site, key: WorkloadKey, slot: number): Promise<number | undefined> {
  return (await find(site, key))?.instances.find((one) => one.slot === slot)?.pid;
}

/** Field 22 of `/proc/PID/stat`: with it a pid names one process for ever. Undefined: there is none. */
function startTimeOf(pid: number): string | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

/** The variable that every process of an instance carries. */
function markOf(key: WorkloadKey, slot: number): string {
  return `IOTMANO_INSTANCE=${instanceName(key, slot)}@`;
}

function psOf(pids: readonly number[], columns: string): string {
  return execFileSync('ps', ['-o', columns, '-p', pids.join(',')], { encoding: 'utf8' });
}

/** Sums over the processes of the instance, as `ps` tells them. */
function usageByPs(pids: readonly number[]): { memoryBytes: number; cpuSeconds: number } {
  const lines = psOf(pids, 'rss=,cputimes=').trim().split('\n');
  const figures = lines.map((line) => line.trim().split(/ +/).map(Number));
  return {
    memoryBytes: figures.reduce((sum, [kibibytes = 0]) => sum + kibibytes * 1024, 0),
    cpuSeconds: figures.reduce((sum, [, seconds = 0]) => sum + seconds, 0),
  };
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
