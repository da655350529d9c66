import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { detectCgroups } from './cgroups.ts';

const LIMITS = { cpuMillis: 250, memoryBytes: 64 * 1024 ** 2 };

/** The files that a kernel would make; a plain directory stands for the file system of cgroups. */
describe('cgroups', () => {
  let root: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'iotmano-cgroup-'));
  });
  afterEach(async () => {
    await rm(root, { recursive: true });
  });

  it('of version 2 bound memory without swap, and CPU by weight', async () => {
    await writeFile(join(root, 'cgroup.controllers'), 'cpu io memory\n');
    const scope = join(root, 'iotmano', 'scope');
    await mkdir(scope, { recursive: true });
    await writeFile(join(scope, 'cgroup.procs'), '');
    const cgroups = await detectCgroups('scope', root);
    expect([cgroups.memory, cgroups.cpu]).toEqual([true, true]);
    expect(await readFile(join(root, 'cgroup.subtree_control'), 'utf8')).toBe('+memory +cpu');
    const groups = await cgroups.prepare('one', LIMITS);
    expect(groups).toEqual([join(scope, 'one')]);
    expect(await readFile(join(scope, 'one', 'cpu.weight'), 'utf8')).toBe('25');
    expect(await readFile(join(scope, 'one', 'memory.max'), 'utf8')).toBe(String(LIMITS.memoryBytes));
    expect(await readFile(join(scope, 'one', 'memory.swap.max'), 'utf8')).toBe('0');
    await writeFile(join(scope, 'one', 'cgroup.procs'), '12\n34\n');
    expect(await cgroups.processesOf('one')).toEqual([12, 34]);
  });

  it('of version 1 bound memory and CPU in two hierarchies', async () => {
    for (const [controller, file] of [
      ['memory', 'memory.limit_in_bytes'],
      ['cpu', 'cpu.shares'],
    ] as const) {
      await mkdir(join(root, controller, 'iotmano', 'scope'), { recursive: true });
      await writeFile(join(root, controller, 'iotmano', 'scope', file), '');
    }
    const cgroups = await detectCgroups('scope', root);
    expect([cgroups.memory, cgroups.cpu]).toEqual([true, true]);
    await cgroups.prepare('one', LIMITS);
    const group = join(root, 'memory', 'iotmano', 'scope', 'one');
    expect(await readFile(join(group, 'memory.limit_in_bytes'), 'utf8')).toBe(String(LIMITS.memoryBytes));
    expect(await readFile(join(root, 'cpu', 'iotmano', 'scope', 'one', 'cpu.shares'), 'utf8')).toBe('256');
    await writeFile(join(group, 'memory.oom_control'), 'oom_kill_disable 0\nunder_oom 0\noom_kill 3\n');
    expect(await cgroups.oomKills('one')).toBe(3);
    await writeFile(join(group, 'memory.usage_in_bytes'), '1000\n');
    await writeFile(join(group, 'memory.stat'), 'cache 5\ninactive_file 7\ntotal_inactive_file 300\n');
    expect(await cgroups.memoryBytes('one')).toBe(700);
  });

  it('that a dead run has left are removed, but none that is used or not empty', async () => {
    const scope = join(root, 'memory', 'iotmano', 'scope');
    for (const name of ['own', 'left', 'busy/child']) await mkdir(join(scope, name), { recursive: true });
    await writeFile(join(scope, 'memory.limit_in_bytes'), '');
    const cgroups = await detectCgroups('scope', root);
    await cgroups.sweep(new Set(['own']));
    expect((await readdir(scope)).toSorted()).toEqual(['busy', 'memory.limit_in_bytes', 'own']);
  });

  it('that are not there, or not writable, bound nothing and are no error', async () => {
    const cgroups = await detectCgroups('scope', join(root, 'nowhere'));
    expect([cgroups.memory, cgroups.cpu]).toEqual([false, false]);
    expect(await cgroups.prepare('one', LIMITS)).toEqual([]);
    expect(await cgroups.processesOf('one')).toEqual([]);
    expect(await cgroups.oomKills('one')).toBe(0);
    await cgroups.remove('one');
  });
});
