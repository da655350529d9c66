import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { nextFence, NO_BINDINGS, only, run, sampleWorkload, until } from '../conformance-site.ts';
import { workloadId } from '../contract.ts';
import { openProcessSite } from './testkit.ts';

it('says so when a program that is to reload its bindings never handles SIGHUP, and leaves it running', async () => {
  const site = await openProcessSite();
  try {
    const workload = sampleWorkload(site, {
      spec: { bindings: { path: 'bindings.json', onChange: 'reload' } },
    });
    const before = only(await run(site, workload));
    const bindings = { ...NO_BINDINGS, config: { level: 'debug' } };
    await site.driver.apply({ ...workload, bindings }, nextFence());
    const after = only(await until(site, workload.key, ([one]) => one?.reason !== undefined));
    expect(after).toMatchObject({ state: 'RUNNING', pid: before.pid, restarts: 0 });
    expect(after.reason).toContain('does not handle SIGHUP');
    await site.driver.apply(workload, nextFence());
    const back = only(await until(site, workload.key, ([one]) => one?.reason === undefined));
    expect(back.pid).toBe(before.pid);
    const slot = join(site.directory, 'workloads', workloadId(workload.key), '0');
    expect(readFileSync(join(slot, 'instance/bindings.json'), 'utf8')).not.toContain('debug');
  } finally {
    await site.close();
  }
});
