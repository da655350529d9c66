/** How the suite looks at the world, and waits for it. */
import { vi } from 'vitest';
import type { ConformanceSite, ProgramSite } from './site.ts';
import {
  isLeaseKeeper,
  workloadId,
  type ObservedInstance,
  type ObservedWorkload,
  type Workload,
  type WorkloadKey,
} from '../contract.ts';
import { nextFence } from './workloads.ts';

const slownessOf = new WeakMap<ConformanceSite, number>();

/** Has everything that waits at this site wait that many times longer. */
export function setSlowness(site: ConformanceSite, slowness: number): void {
  slownessOf.set(site, slowness);
}

/** How long to wait at this site for what a process host does within that time. */
export function patience(site: ConformanceSite, milliseconds: number): number {
  return milliseconds * (slownessOf.get(site) ?? 1);
}

export async function find(
  site: Pick<ConformanceSite, 'driver'>,
  key: WorkloadKey,
): Promise<ObservedWorkload | undefined> {
  const all = await site.driver.list();
  return all.find((workload) => workloadId(workload.key) === workloadId(key));
}

/** Waits until the task does not fail any more, and gives what it gives. */
export function eventually<T>(
  site: ConformanceSite,
  task: () => Promise<T>,
  timeoutMilliseconds = 12_000,
): Promise<T> {
  const interval = Math.min(250, patience(site, 20));
  return vi.waitFor(task, { timeout: patience(site, timeoutMilliseconds), interval });
}

/** Waits until the instances of the workload are as the check says, and gives them. */
export async function until(
  site: ConformanceSite,
  key: WorkloadKey,
  isSo: (instances: readonly ObservedInstance[]) => boolean,
  timeoutMilliseconds = 12_000,
): Promise<readonly ObservedInstance[]> {
  return eventually(
    site,
    async () => {
      const observed = await find(site, key);
      const instances = observed?.instances ?? [];
      if (!isSo(instances)) throw new Error(`still ${JSON.stringify(observed)}`);
      return instances;
    },
    timeoutMilliseconds,
  );
}

export async function untilRunning(
  site: ConformanceSite,
  { key, instances }: Workload,
): Promise<readonly ObservedInstance[]> {
  const slots = JSON.stringify(instances.map(({ slot }) => slot));
  return until(
    site,
    key,
    (observed) =>
      JSON.stringify(observed.map(({ slot }) => slot)) === slots &&
      observed.every(({ state }) => state === 'RUNNING'),
  );
}

/** Applies and waits until all of it runs. */
export async function run(site: ConformanceSite, workload: Workload): Promise<readonly ObservedInstance[]> {
  await site.driver.apply(workload, nextFence());
  return untilRunning(site, workload);
}

/** The run in each of the slots, in their order; fails where none runs. */
export async function runsOf(
  site: ConformanceSite,
  key: WorkloadKey,
  slots: readonly number[] = [0],
): Promise<readonly string[]> {
  const runs = await Promise.all(slots.map((slot) => site.runOf(key, slot)));
  return runs.map((one, index) => {
    if (one === undefined) throw new Error(`nothing runs in slot ${slots[index]} of ${workloadId(key)}`);
    return one;
  });
}

/** Waits until another run than that one is RUNNING in the slot, and gives its instance. */
export async function untilOtherRun(
  site: ConformanceSite,
  key: WorkloadKey,
  before: string | undefined,
  slot = 0,
): Promise<ObservedInstance> {
  return eventually(site, async () => {
    const now = await site.runOf(key, slot);
    const instance = (await find(site, key))?.instances.find((one) => one.slot === slot);
    if (now === undefined || now === before || instance?.state !== 'RUNNING')
      throw new Error(`still the run ${now}, ${JSON.stringify(instance)}`);
    return instance;
  });
}

/** The first instance; a test that asks has one. */
export function only(instances: readonly ObservedInstance[]): ObservedInstance {
  const [instance] = instances;
  if (instance === undefined) throw new Error('there is no instance');
  return instance;
}

/** What programs can be asked on a site that runs some; only tests of programs ask. */
export function programsOf(site: ConformanceSite): ProgramSite {
  if (site.programs === undefined) throw new Error('no programs run at this site');
  return site.programs;
}

/** Sends a signal to the program in slot 0, once one runs there. */
export function signal(site: ConformanceSite, key: WorkloadKey, name: NodeJS.Signals): Promise<void> {
  return eventually(site, () => programsOf(site).signal(key, 0, name));
}

export async function outputOf(site: ConformanceSite, key: WorkloadKey, slot = 0): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of site.driver.logs(key, { slot, follow: false })) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

/** Waits until the output holds the text, and gives all of it. */
export async function untilOutput(
  site: ConformanceSite,
  key: WorkloadKey,
  text: string | RegExp,
): Promise<string> {
  return eventually(site, async () => {
    const output = await outputOf(site, key);
    if (!(typeof text === 'string' ? output.includes(text) : text.test(output)))
      throw new Error(`the output is still ${JSON.stringify(output)}`);
    return output;
  });
}

/** Renews the lease of the host, as an agent does that was answered. */
export async function renew(site: ConformanceSite): Promise<void> {
  if (!isLeaseKeeper(site.driver)) throw new Error('this driver keeps no lease');
  await site.driver.renewed();
}
