import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { IotmanoError } from '../../kernel/index.ts';

export interface OutsideProgramOptions {
  /** As it is called on PATH. */
  readonly program: string;
  readonly args: readonly string[];
  /** Arguments with which it tells its version and ends with 0. */
  readonly versionArgs: readonly string[];
  /** How a person gets it, e.g. `Debian: apt-get install nats-server`. */
  readonly remedy: string;
  /** Holds its pid file; it is started there. */
  readonly directory: string;
  /** One of its arguments, by which one that was left behind is known. */
  readonly mark: string;
  /** Called when it ends without being told to. */
  readonly onExit: (reason: string) => void;
}

/** One process of a program of others below this one. */
export interface OutsideProgram {
  readonly pid: number;
  signal(signal: NodeJS.Signals): void;
  /** Sends the signal and resolves when it is gone. */
  stop(signal?: NodeJS.Signals): Promise<void>;
}

/**
 * Starts a program from PATH. It does not outlive this process: the kernel kills it with us where `setpriv` is there,
 * and one that was left behind anyway is found by its pid file and killed before the new one starts.
 * @throws IotmanoError `artifact-unusable` when the program is not there
 */
export function startOutsideProgram(options: OutsideProgramOptions): OutsideProgram {
  const { program, args, versionArgs, remedy, directory, mark, onExit } = options;
  if (spawnSync(program, versionArgs, { stdio: 'ignore' }).status !== 0) {
    throw new IotmanoError(
      'artifact-unusable',
      `${program} is not on PATH: install it on this host (${remedy})`,
    );
  }
  const pidFile = join(directory, `${program}.pid`);
  killLeftover(pidFile, program, mark);
  const child = spawnBound(program, args, directory);
  let isStopping = false;
  const ended = new Promise<void>((resolve) => {
    child.once('exit', (code, signal) => {
      rmSync(pidFile, { force: true });
      resolve();
      if (!isStopping) onExit(`${program} ended with ${signal ?? `code ${code}`}`);
    });
  });
  const { pid } = child;
  if (pid === undefined) throw new IotmanoError('artifact-unusable', `${program} could not be started`);
  writeFileSync(pidFile, `${pid}\n`);
  return {
    pid,
    signal: (signal) => void child.kill(signal),
    stop: async (signal = 'SIGTERM') => {
      isStopping = true;
      child.kill(signal);
      await ended;
    },
  };
}

function spawnBound(program: string, args: readonly string[], cwd: string): ChildProcess {
  const options = { cwd, stdio: ['ignore', 'inherit', 'inherit'] as const };
  const hasSetpriv = spawnSync('setpriv', ['--pdeathsig', 'KILL', 'true'], { stdio: 'ignore' }).status === 0;
  return hasSetpriv
    ? spawn('setpriv', ['--pdeathsig', 'KILL', program, ...args], { ...options, stdio: [...options.stdio] })
    : spawn(program, args, { ...options, stdio: [...options.stdio] });
}

function killLeftover(pidFile: string, program: string, mark: string): void {
  try {
    const pid = Number(readFileSync(pidFile, 'utf8'));
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    if (command.includes(program) && command.includes(mark)) process.kill(pid, 'SIGKILL');
  } catch {
    // No pid file, or the process is gone: nothing was left behind.
  }
}
