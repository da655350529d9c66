import { mkdir, rename, rm } from 'node:fs/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { only, run, sampleWorkload, until, untilRunning } from '../conformance-site.ts';
import { workloadId } from '../contract.ts';
import { layoutOf, slotPaths } from './layout.ts';
import { openProcessSite, type ProcessSite } from './testkit.ts';

let site: ProcessSite;

beforeEach(async () => {
  site = await openProcessSite();
});
afterEach(() => site.close());

it('a slot that cannot write says why it does not get on, and gets on once it can', async () => {
  const workload = sampleWorkload(site);
  const { pid = 0 } = only(await run(site, workload));
  const { recordFile } = slotPaths(layoutOf(site.directory), workloadId(workload.key), 0);
  // A folder in its place cannot be replaced by a file: as good as a full disk.
  await rename(recordFile, `${recordFile}.aside`);
  await mkdir(`${recordFile}/in-the-way`, { recursive: true });
  process.kill(pid, 'SIGKILL');
  const [stuck] = await until(site, workload.key, ([instance]) =>
    /cannot write/.test(instance?.reason ?? ''),
  );
  expect(stuck).not.toHaveProperty('pid');
  await rm(recordFile, { recursive: true });
  await rename(`${recordFile}.aside`, recordFile);
  const [again] = await untilRunning(site, workload);
  expect(again?.pid).not.toBe(pid);
  expect(again).not.toHaveProperty('reason');
}, 20_000);
