import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { find, nextFence, only, run, sampleWorkload, until } from '../conformance-site.ts';
import { workloadId } from '../contract.ts';
import { openProcessSite, tracesOf } from './testkit.ts';

it('an apply that fails half-way is known, goes on with the next one, and doubles nothing', async () => {
  const site = await openProcessSite();
  try {
    const workload = sampleWorkload(site, { slots: [0, 1] });
    const directory = join(site.directory, 'workloads', workloadId(workload.key));
    mkdirSync(directory);
    writeFileSync(join(directory, '1'), 'in the way');
    await expect(site.driver.apply(workload, nextFence())).rejects.toThrow(
      /EEXIST|ENOTDIR|in the way|exists/,
    );
    const first = only(await until(site, workload.key, ([one]) => one?.state === 'RUNNING'));
    rmSync(join(directory, '1'));
    const [zero] = await run(site, workload);
    expect(zero?.pid).toBe(first.pid);
    await site.driver.remove(workload.key, nextFence());
    expect(await find(site, workload.key)).toBeUndefined();
    expect(tracesOf(site.directory, [workload.key])).toEqual([]);
  } finally {
    await site.close();
  }
});
