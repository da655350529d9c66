import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { run, sampleWorkload } from '../conformance-site.ts';
import { cgroupScope } from './cgroups.ts';
import { openDriver, openProcessSite } from './testkit.ts';

it('ends a command whose output is held open by a process that cannot be found any more', async () => {
  const site = await openProcessSite({ cgroupRoot: 'none' });
  const workload = sampleWorkload(site);
  await run(site, workload);
  const command = ['sh', '-c', 'env -i setsid sleep 600 & sleep 0.3; echo $!'];
  const events = site.driver.exec(workload.key, { slot: 0, command, signal: new AbortController().signal });
  let output = '';
  let exit: unknown;
  for await (const event of events)
    if (event.type === 'exit') exit = event;
    else output += Buffer.from(event.bytes).toString();
  process.kill(Number(output), 'SIGKILL');
  expect(exit).toEqual({ type: 'exit', exitCode: 0 });
  await site.close();
});

// MCO-D-011
it('ends what a command of a driver that was killed has left in its cgroup, also without its environment', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'iotmano-exec-'));
  const cgroupRoot = join(directory, 'cgroup');
  const scope = join(cgroupRoot, 'memory', 'iotmano', cgroupScope(directory));
  const group = join(scope, 'c1-main-g1-0-exec-1');
  await mkdir(group, { recursive: true });
  await writeFile(join(scope, 'memory.limit_in_bytes'), '');
  const left = spawn('sleep', ['600'], { env: { PATH: process.env['PATH'] ?? '' } });
  const file = join(group, 'cgroup.procs');
  await writeFile(file, `${left.pid ?? 0}\n`);
  // As the kernel does.
  const ended = once(left, 'exit').finally(() => writeFileSync(file, ''));
  const driver = await openDriver(directory, { cgroupRoot });
  expect(await ended).toEqual([null, 'SIGKILL']);
  await driver.close();
  await rm(directory, { recursive: true, force: true });
});
