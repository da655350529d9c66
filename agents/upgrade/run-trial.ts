import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import type { Clock } from '../../kernel/index.ts';
import { INSTALLED, TRIAL, type TrialMessage } from './handover.ts';
import type { Trial } from './version-pointer.ts';

export interface TrialRun {
  readonly file: string;
  readonly trial: Trial;
  readonly installed: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
}

export interface TrialEnd {
  /** How it ended, for people. Whether it had confirmed is on disk. */
  readonly reason: string;
  /** This process was told to end meanwhile, and the version with it. */
  readonly isStopped: boolean;
}

/**
 * Runs a version on trial as a child, and resolves when it has ended: by itself, told by a signal of ours, or killed when its time was over.
 * What watches it has an event loop of its own, so a version that hangs ends, too.
 */
export async function runTrial({ file, trial, installed, args, env, clock }: TrialRun): Promise<TrialEnd> {
  const begin = clock.monotonic();
  const child = spawn(process.execPath, [...process.execArgv, file, ...args], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: { ...env, [INSTALLED]: installed, [TRIAL]: trial.orderId },
  });
  let waitsFor: string | undefined;
  let isStopped = false;
  let isOverdue = false;
  // Of a version of any age, and on trial: what it says may be anything.
  child.on('message', (message: Partial<TrialMessage> | null) => {
    const said: unknown = message?.waitsFor;
    if (typeof said === 'string') waitsFor = said.slice(0, 500);
  });
  const stop = (signal: NodeJS.Signals): void => {
    isStopped = true;
    // A terminal has told the child already.
    if (signal === 'SIGTERM' || !process.stdin.isTTY) child.kill(signal);
  };
  process.on('SIGTERM', stop).on('SIGINT', stop);
  const timer = setTimeout(() => {
    isOverdue = true;
    child.kill('SIGKILL');
  }, trial.confirmWithinSeconds * 1000);
  const how = await new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(`it could not be started: ${error.message}`));
    child.once('exit', (code, signal) => {
      const seconds = ((clock.monotonic() - begin) / 1000).toFixed(1);
      resolve(`it ended after ${seconds} s with ${signal ?? `exit code ${code ?? 0}`}`);
    });
  });
  clearTimeout(timer);
  process.off('SIGTERM', stop).off('SIGINT', stop);
  const waited = waitsFor === undefined ? '' : `; it waited for ${waitsFor}`;
  const reason = isStopped
    ? 'the agent was told to stop before the version had confirmed'
    : isOverdue
      ? `it did not confirm within ${trial.confirmWithinSeconds} s${waited}`
      : `${how}, before it had confirmed${waited}`;
  return { reason, isStopped };
}

/**
 * Ends what is left of a version on trial whose parent was killed: one that hangs does not see that.
 * @param file of the version, absolute: other agents of this machine may be on trial for the same order
 */
export function killLeftover(file: string, { orderId }: Pick<Trial, 'orderId'>): void {
  for (const pid of processIds()) {
    if (!wordsOf(pid, 'cmdline').includes(file)) continue;
    if (wordsOf(pid, 'environ').includes(`${TRIAL}=${orderId}`)) endNow(pid);
  }
}

/** Nothing where it has ended meanwhile. */
function endNow(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Nothing of a process that is gone, or another user's. */
function wordsOf(pid: number, name: 'cmdline' | 'environ'): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8').split('\0');
  } catch {
    return [];
  }
}

/** All but this one. */
function processIds(): readonly number[] {
  try {
    return readdirSync('/proc')
      .map(Number)
      .filter((pid) => Number.isInteger(pid) && pid !== process.pid);
  } catch {
    return [];
  }
}
