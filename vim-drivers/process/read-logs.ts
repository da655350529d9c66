import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../kernel/index.ts';
import { workloadId, type LogOptions, type Workload } from '../contract.ts';
import { layoutOf, slotPaths, workloadFile } from './layout.ts';
import { readOutput } from './logs.ts';
import { isMissing, readRecord } from './state-files.ts';

/** One copy whose output lies below a state directory. */
export interface LoggedInstance {
  readonly workload: Workload;
  readonly slot: number;
}

/** The copies that a driver's state directory knows, whether or not the driver runs. Reads only. */
export async function listLogged(directory: string): Promise<readonly LoggedInstance[]> {
  const layout = layoutOf(directory);
  const found: LoggedInstance[] = [];
  for (const id of await entriesOf(layout.workloads)) {
    const record = await readRecord<{ workload: Workload }>(
      workloadFile(layout, id as ReturnType<typeof workloadId>),
    );
    if (record === undefined) continue;
    const slots = (await entriesOf(join(layout.workloads, id))).filter((name) => /^\d+$/.test(name));
    found.push(...slots.map((slot) => ({ workload: record.workload, slot: Number(slot) })));
  }
  return found;
}

/** Output of a copy, straight from the files, over rotation. Ends at the signal, or when all is read and it does not follow. */
export function readLogged(
  directory: string,
  { workload, slot }: LoggedInstance,
  options: Omit<LogOptions, 'slot'>,
  clock: Clock,
): AsyncIterable<Uint8Array> {
  const { output } = slotPaths(layoutOf(directory), workloadId(workload.key), slot);
  return readOutput(output, { ...options, slot }, clock, () => true);
}

async function entriesOf(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory)).toSorted();
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}
