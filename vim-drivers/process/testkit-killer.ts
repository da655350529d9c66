/**
 * Preload for the killed driver: ends this process with SIGKILL just before the n-th thing that it does to the world, counted from
 * when `globalThis.countSteps` is called. Environment: KILL_BEFORE_STEP.
 */
import childProcess from 'node:child_process';
import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';

let left = Number.POSITIVE_INFINITY;

function step(): void {
  left -= 1;
  if (left < 0) process.kill(process.pid, 'SIGKILL');
}

function before<A extends unknown[], R>(
  act: (...args: A) => R,
  isChange: (...args: A) => boolean,
): (...args: A) => R {
  return (...args) => {
    if (isChange(...args)) step();
    return act(...args);
  };
}

const always = (): boolean => true;
Object.assign(fs, {
  open: before(fs.open, (_path, flags) => flags !== 'r'),
  rename: before(fs.rename, always),
  rm: before(fs.rm, always),
  mkdir: before(fs.mkdir, always),
});
Object.assign(childProcess, { spawn: before(childProcess.spawn as (...args: unknown[]) => unknown, always) });
const { kill } = process;
process.kill = (pid, signal) => {
  if (pid !== process.pid) step();
  return kill.call(process, pid, signal);
};
syncBuiltinESMExports();

/** Begins to count. */
export function countSteps(): void {
  left = Number(process.env['KILL_BEFORE_STEP'] ?? Number.POSITIVE_INFINITY);
}
