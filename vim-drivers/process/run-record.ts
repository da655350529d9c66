import { stat } from 'node:fs/promises';
import type { SlotPaths } from './layout.ts';
import { readIfThere } from './state-files.ts';
import type { ProcessIdentity } from './system.ts';

/** One start of an instance, as its wrapper wrote it down. */
export interface Run {
  readonly attempt: number;
  readonly bootId: string;
  readonly program: ProcessIdentity;
  readonly wrapperPid: number;
}

/** How a run ended. */
export interface RunExit {
  readonly attempt: number;
  /** As the shell has it: 128 + number for a signal. */
  readonly code: number;
  /** Wall-clock milliseconds. */
  readonly at: number;
}

/** The run that the slot saw last; nothing while the record is missing or half written. */
export async function readRun(paths: SlotPaths): Promise<Run | undefined> {
  const words = (await readIfThere(paths.runFile))?.trim().split(' ') ?? [];
  if (words.length !== 7 || words[0] !== 'run' || words[6] !== 'end') return undefined;
  const [, attempt, bootId = '', pid, startTicks, wrapperPid] = words;
  return {
    attempt: Number(attempt),
    bootId,
    program: { pid: Number(pid), startTicks: Number(startTicks) },
    wrapperPid: Number(wrapperPid),
  };
}

export async function readExit(paths: SlotPaths): Promise<RunExit | undefined> {
  const words = (await readIfThere(paths.exitFile))?.trim().split(' ') ?? [];
  if (words.length !== 5 || words[0] !== 'exit' || words[4] !== 'end') return undefined;
  const written = await stat(paths.exitFile).catch(() => undefined);
  return { attempt: Number(words[1]), code: Number(words[2]), at: written?.mtimeMs ?? 0 };
}

/** Whether the dead-man's rule ended that attempt. */
export async function hasLeaseLapsed(paths: SlotPaths, attempt: number): Promise<boolean> {
  return (await readIfThere(`${paths.directory}/lease-lapsed`))?.trim() === String(attempt);
}
