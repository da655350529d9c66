import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { WorkloadId } from '../contract.ts';
import { HostedWorkload, readWorkloadRecord } from './hosted-workload.ts';
import { secretsDirectory, slotPaths, workloadDirectory, type Layout } from './layout.ts';
import { killLeftovers } from './leftovers.ts';
import { instanceMark } from './prepare-instance.ts';
import type { SlotContext } from './slot-context.ts';

/** Makes the directories of a state directory. */
export async function makeDirectories(layout: Layout): Promise<void> {
  for (const path of [layout.root, layout.workloads, layout.artifacts, layout.volumes, layout.secrets])
    await mkdir(path, { recursive: true, mode: 0o700 });
}

/** The workloads that an earlier run has left. What has no record was never taken over, or was already removed: the rest of it goes. */
export async function adoptWorkloads(context: SlotContext): Promise<readonly HostedWorkload[]> {
  const adopted: HostedWorkload[] = [];
  for (const name of await readdir(context.layout.workloads)) {
    const id = name as WorkloadId;
    const found = await readWorkloadRecord(context.layout, id);
    if (found === undefined) await discard(context, id);
    else adopted.push(new HostedWorkload(context, id, found.record, found.lacksBindings));
  }
  const known = new Set<string>(adopted.map(({ id }) => id));
  for (const name of await readdir(context.layout.secrets))
    if (!known.has(name))
      await rm(secretsDirectory(context.layout, name as WorkloadId), { recursive: true, force: true });
  return adopted;
}

async function discard(context: SlotContext, id: WorkloadId): Promise<void> {
  const directory = workloadDirectory(context.layout, id);
  context.log.warn({ workload: id }, 'removing what is left of a workload without a record');
  for (const name of await readdir(directory)) {
    if (!/^\d{1,9}$/.test(name)) continue;
    const { attemptFile } = slotPaths(context.layout, id, Number(name));
    await rm(attemptFile, { force: true });
    const mark = instanceMark(context.layout, id, Number(name));
    const slot = { mark, cgroup: `${id}-${name}` };
    await killLeftovers(slot, context.cgroups, context.scanner, context.clock);
    await context.cgroups.remove(slot.cgroup);
  }
  await rm(join(directory), { recursive: true, force: true });
}
