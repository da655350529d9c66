import { spawn } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** A program that the demo has started and may kill. */
export interface Running {
  readonly name: string;
  readonly pid: number;
  hasEnded(): boolean;
  /** SIGKILL, and wait until it is gone. */
  kill(): Promise<void>;
  /** SIGTERM, and SIGKILL when it does not go within `seconds`. */
  stop(seconds: number): Promise<void>;
}

/**
 * Starts Node on a script; its output goes to a file. It may outlive the demo, which ends it unless told to keep it.
 * @param launcher command that becomes Node by `exec`, so that the pid stays the same
 */
export function startProgram(
  name: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  logFile: string,
  launcher: readonly string[] = [],
): Running {
  const output = openSync(logFile, 'a');
  const [command = '', ...words] = [...launcher, process.execPath, ...args];
  const child = spawn(command, words, { env, stdio: ['ignore', output, output], detached: true });
  closeSync(output);
  const { pid } = child;
  if (pid === undefined) throw new RangeError(`${name} could not be started; see ${logFile}`);
  child.unref();
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null;
  return {
    name,
    pid,
    hasEnded,
    async kill() {
      child.ref();
      child.kill('SIGKILL');
      await gone;
    },
    async stop(seconds) {
      child.ref();
      child.kill('SIGTERM');
      const patience = setTimeout(() => child.kill('SIGKILL'), seconds * 1000);
      await gone;
      clearTimeout(patience);
    },
  };
}

/** Waits until the condition holds. @throws RangeError naming what did not happen */
export async function until(
  what: string,
  seconds: number,
  condition: () => Promise<boolean>,
  signal: AbortSignal,
): Promise<void> {
  const end = performance.now() + seconds * 1000;
  while (!(await condition())) {
    signal.throwIfAborted();
    if (performance.now() > end) throw new RangeError(`${what} did not happen within ${seconds} s`);
    await sleep(50);
  }
}

/** Ports that were free a moment ago. */
export async function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

/**
 * Processes that belong to the demo: those whose environment or command line names its folder. Adopted functions are no
 * children of ours, so this is how the demo makes sure that it leaves none behind.
 */
export function processesOf(folder: string): number[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry) && Number(entry) !== process.pid)
    .filter((pid) =>
      ['cmdline', 'environ'].some((file) => readOrEmpty(join('/proc', pid, file)).includes(folder)),
    )
    .map(Number);
}

/** Command line of a process, empty when it is gone. */
export function argumentsOf(pid: number): readonly string[] {
  return readOrEmpty(join('/proc', `${pid}`, 'cmdline'))
    .split('\0')
    .filter((argument) => argument !== '');
}

/** Resident memory of a process. */
export function rssMiBOf(pid: number): number {
  const kibibytes = /VmRSS:\s+(\d+)/.exec(readOrEmpty(join('/proc', `${pid}`, 'status')))?.[1] ?? 0;
  return Math.round(Number(kibibytes) / 102.4) / 10;
}

function readOrEmpty(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/** Ends what is left of the demo. @returns how many there were */
export async function endProcessesOf(folder: string): Promise<number> {
  const left = processesOf(folder);
  for (const pid of left) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It went by itself meanwhile.
    }
  }
  for (let wait = 0; wait < 40 && processesOf(folder).length > 0; wait += 1) await sleep(50);
  return left.length;
}
