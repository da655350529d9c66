import { createHash } from 'node:crypto';
import { accessSync, constants, existsSync } from 'node:fs';
import { mkdir, readdir, rmdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { readIfThere } from './state-files.ts';
import { sendSignal } from './system.ts';

export interface CgroupLimits {
  readonly cpuMillis: number;
  readonly memoryBytes: number;
}

/** Bounds of memory and CPU for the processes of an instance. Without cgroups every method does nothing. */
export interface Cgroups {
  readonly memory: boolean;
  readonly cpu: boolean;
  /** Makes the group with these limits. Returns the directories whose `cgroup.procs` a process enters. */
  prepare(name: string, limits: CgroupLimits): Promise<readonly string[]>;
  processesOf(name: string): Promise<readonly number[]>;
  /** Groups of this driver that are there, of an earlier run, too. */
  names(): Promise<readonly string[]>;
  memoryBytes(name: string): Promise<number | undefined>;
  /** Kills for lack of memory since the group was made. */
  oomKills(name: string): Promise<number>;
  killAll(name: string): Promise<void>;
  remove(name: string): Promise<void>;
  /** Removes the empty groups of this driver that are none of these: an earlier run may have died before it did. */
  sweep(names: ReadonlySet<string>): Promise<void>;
  /** Removes the group of this driver itself unless something is in it. */
  removeScope(): Promise<void>;
}

interface Controllers {
  /** Directory of the memory controller, where there is a writable one. */
  readonly memory?: string;
  readonly cpu?: string;
  readonly version: 1 | 2;
}

/** Name of the group below `iotmano` that belongs to one state directory. */
export function cgroupScope(stateDirectory: string): string {
  return createHash('sha256').update(stateDirectory).digest('hex').slice(0, 12);
}

/**
 * Finds what this host offers: the unified hierarchy (version 2), or the `memory` and `cpu` hierarchies (version 1).
 * @param scope from `cgroupScope`
 */
export async function detectCgroups(scope: string, root = '/sys/fs/cgroup'): Promise<Cgroups> {
  const controllers = (await versionTwo(root, scope)) ?? (await versionOne(root, scope));
  const directories = [...new Set([controllers.memory, controllers.cpu])].filter(
    (path) => path !== undefined,
  );
  const { memory, version } = controllers;
  const processesOf = async (name: string): Promise<readonly number[]> => {
    const files = directories.map((directory) => join(directory, name, 'cgroup.procs'));
    const lists = await Promise.all(files.map((file) => readIfThere(file).catch(() => '')));
    return [...new Set(lists.flatMap((text) => (text ?? '').split('\n').filter(Boolean).map(Number)))];
  };
  return {
    processesOf,
    memory: memory !== undefined,
    cpu: controllers.cpu !== undefined,
    async prepare(name, limits) {
      const groups = directories.map((directory) => join(directory, name));
      for (const group of groups) await mkdir(group, { recursive: true });
      await applyLimits(controllers, name, limits);
      return groups;
    },
    async memoryBytes(name) {
      if (memory === undefined) return undefined;
      const file = version === 2 ? 'memory.current' : 'memory.usage_in_bytes';
      const used = await readIfThere(join(memory, name, file)).catch(() => undefined);
      const statistics = await readIfThere(join(memory, name, 'memory.stat')).catch(() => undefined);
      if (used === undefined) return undefined;
      // Cached pages of files that nobody touched lately are given back on demand: they are not a need.
      const pattern = version === 2 ? /^inactive_file (\d+)$/m : /^total_inactive_file (\d+)$/m;
      const inactive = pattern.exec(statistics ?? '')?.[1] ?? 0;
      return Math.max(0, Number(used) - Number(inactive));
    },
    async oomKills(name) {
      if (memory === undefined) return 0;
      const file = version === 2 ? 'memory.events' : 'memory.oom_control';
      const text = await readIfThere(join(memory, name, file)).catch(() => undefined);
      return Number(/^oom_kill (\d+)$/m.exec(text ?? '')?.[1] ?? 0);
    },
    async killAll(name) {
      for (const pid of await processesOf(name)) sendSignal(pid, 'SIGKILL');
    },
    async remove(name) {
      for (const directory of directories) await removeGroup(join(directory, name));
    },
    async names() {
      const lists = await Promise.all(
        directories.map((directory) => readdir(directory, { withFileTypes: true }).catch(() => [])),
      );
      return [...new Set(lists.flat().flatMap((entry) => (entry.isDirectory() ? [entry.name] : [])))];
    },
    async sweep(names) {
      for (const directory of directories) {
        const entries = await readdir(directory, { withFileTypes: true });
        const strangers = entries.filter((entry) => entry.isDirectory() && !names.has(entry.name));
        for (const { name } of strangers) await rmdir(join(directory, name)).catch(() => undefined);
      }
    },
    async removeScope() {
      for (const directory of directories) await rmdir(directory).catch(() => undefined);
    },
  };
}

/** A group can be removed a moment after its last process has ended; one that stays is empty and harmless. */
async function removeGroup(path: string): Promise<void> {
  for (let turn = 0; turn < 20 && existsSync(path); turn += 1) {
    const isGone = await rmdir(path).then(
      () => true,
      () => false,
    );
    if (isGone) return;
    await new Promise((resolve) => setTimeout(resolve, 5 * (turn + 1)));
  }
}

async function versionOne(root: string, scope: string): Promise<Controllers> {
  const memory = await usableGroup(join(root, 'memory', 'iotmano', scope), 'memory.limit_in_bytes');
  const cpu = await usableGroup(join(root, 'cpu', 'iotmano', scope), 'cpu.shares');
  return { version: 1, ...(memory === undefined ? {} : { memory }), ...(cpu === undefined ? {} : { cpu }) };
}

async function versionTwo(root: string, scope: string): Promise<Controllers | undefined> {
  const offered = await readIfThere(join(root, 'cgroup.controllers')).catch(() => undefined);
  if (offered === undefined) return undefined;
  const wanted = ['memory', 'cpu'].filter((name) => offered.split(/\s+/).includes(name));
  const parent = join(root, 'iotmano');
  const group = await usableGroup(join(parent, scope), 'cgroup.procs');
  if (group === undefined) return { version: 2 };
  const enabling = wanted.map((name) => `+${name}`).join(' ');
  for (const directory of [root, parent, group])
    await writeFile(join(directory, 'cgroup.subtree_control'), enabling).catch(() => undefined);
  const enabled = (await readIfThere(join(group, 'cgroup.subtree_control')).catch(() => undefined)) ?? '';
  return {
    version: 2,
    ...(enabled.includes('memory') ? { memory: group } : {}),
    ...(enabled.includes('cpu') ? { cpu: group } : {}),
  };
}

/** The directory, made where need be, if this process may manage groups in it. */
async function usableGroup(path: string, file: string): Promise<string | undefined> {
  if (!existsSync(dirname(dirname(path)))) return undefined;
  try {
    await mkdir(path, { recursive: true });
    accessSync(path, constants.W_OK);
    accessSync(join(path, file), constants.W_OK);
    return path;
  } catch {
    return undefined;
  }
}

async function applyLimits(controllers: Controllers, name: string, limits: CgroupLimits): Promise<void> {
  const { memory, cpu, version } = controllers;
  const bytes = String(limits.memoryBytes);
  if (memory !== undefined) {
    const group = join(memory, name);
    await setLimit(join(group, version === 2 ? 'memory.max' : 'memory.limit_in_bytes'), bytes);
    // Swap would only hide the lack of memory; not every kernel accounts for it.
    const swap = version === 2 ? ['memory.swap.max', '0'] : ['memory.memsw.limit_in_bytes', bytes];
    await setLimit(join(group, swap[0] ?? ''), swap[1] ?? '');
    if (version === 2) await setLimit(join(group, 'memory.oom.group'), '1');
  }
  if (cpu !== undefined) {
    const weight = Math.min(10_000, Math.max(1, Math.round(limits.cpuMillis / 10)));
    const shares = Math.min(262_144, Math.max(2, Math.round((limits.cpuMillis * 1024) / 1000)));
    await setLimit(
      join(cpu, name, version === 2 ? 'cpu.weight' : 'cpu.shares'),
      String(version === 2 ? weight : shares),
    );
  }
}

async function setLimit(path: string, value: string): Promise<void> {
  await writeFile(path, value).catch(() => undefined);
}

/** For hosts without cgroups. */
export const noCgroups: Cgroups = {
  memory: false,
  cpu: false,
  prepare: async () => [],
  processesOf: async () => [],
  names: async () => [],
  memoryBytes: async () => undefined,
  oomKills: async () => 0,
  killAll: async () => undefined,
  remove: async () => undefined,
  sweep: async () => undefined,
  removeScope: async () => undefined,
};
