import { afterEach, beforeEach, expect, it } from 'vitest';
import { run, sampleWorkload } from '../conformance-site.ts';
import { openProcessSite, type ProcessSite } from './testkit.ts';

let site: ProcessSite;

beforeEach(async () => {
  site = await openProcessSite({ cgroupRoot: 'none' });
});

afterEach(() => site.close());

it('ends a command whose output is held open by a process that cannot be found any more', async () => {
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
});
