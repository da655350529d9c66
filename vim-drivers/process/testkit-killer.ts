/**
 * Lets drivers that run side by side in this process stop for good, each just before its n-th change to the world, as a kill would have it. Import
 * it before the driver: from its n-th step on, nothing that the driver asks of the system happens, and nothing is answered.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import childProcess from 'node:child_process';
import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';

/** How far one driver may still go. */
export interface Fuse {
  stepsLeft: number;
  lastStepAt: number;
}

const fuses = new AsyncLocalStorage<Fuse>();

/** Runs a driver, and all that follows from it, on a fuse. */
export function onFuse<T>(fuse: Fuse, task: () => T): T {
  return fuses.run(fuse, task);
}

/** Whether the step may be taken. */
function step(): boolean {
  const fuse = fuses.getStore();
  if (fuse === undefined) return true;
  if (fuse.stepsLeft <= 0) {
    fuse.stepsLeft = -1;
    return false;
  }
  fuse.stepsLeft -= 1;
  fuse.lastStepAt = performance.now();
  return true;
}

function isChange(flags: unknown): boolean {
  return flags !== 'r' && flags !== undefined;
}

const never = new Promise<never>(() => undefined);
const { open, rename, rm, mkdir } = fs;
const { spawn } = childProcess;
const { kill } = process;
Object.assign(fs, {
  open: (...words: Parameters<typeof open>) => (!isChange(words[1]) || step() ? open(...words) : never),
  rename: (...words: Parameters<typeof rename>) => (step() ? rename(...words) : never),
  rm: (...words: Parameters<typeof rm>) => (step() ? rm(...words) : never),
  mkdir: (...words: Parameters<typeof mkdir>) => (step() ? mkdir(...words) : never),
});
// What answers at once cannot hang: an error leads to the next step, which does.
Object.assign(childProcess, {
  spawn: (...words: Parameters<typeof spawn>) => {
    if (step()) return spawn(...words);
    throw new Error('killed');
  },
});
process.kill = (pid, signal) => {
  if (step()) return kill.call(process, pid, signal);
  throw new Error('killed');
};
syncBuiltinESMExports();
