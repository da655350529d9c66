import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { IotmanoError } from '../../../kernel/index.ts';

/** One nats-server process below this one. */
export interface NatsServer {
  readonly pid: number;
  /** Takes over the configuration file that was replaced. */
  reload(): void;
  /** Resolves when it is gone. */
  stop(): Promise<void>;
}

/**
 * Starts nats-server from PATH. It does not outlive this process: the kernel kills it with us where `setpriv` is there,
 * and one that was left behind anyway is found by its pid file and killed before the new one starts.
 * @param onExit called when it ends without being told to
 * @throws IotmanoError `artifact-unusable` when there is no nats-server
 */
export async function startNatsServer(
  directory: string,
  configFile: string,
  onExit: (reason: string) => void,
): Promise<NatsServer> {
  if (spawnSync('nats-server', ['--version'], { stdio: 'ignore' }).status !== 0) {
    throw new IotmanoError(
      'artifact-unusable',
      'nats-server is not on PATH: install it on this host (Debian: apt-get install nats-server)',
    );
  }
  const pidFile = join(directory, 'nats-server.pid');
  killLeftover(pidFile, configFile);
  const child = spawnBound(['nats-server', '-c', configFile]);
  let isStopping = false;
  const ended = new Promise<void>((resolve) => {
    child.once('exit', (code, signal) => {
      rmSync(pidFile, { force: true });
      resolve();
      if (!isStopping) onExit(`nats-server ended with ${signal ?? `code ${code}`}`);
    });
  });
  const pid = child.pid;
  if (pid === undefined) throw new IotmanoError('artifact-unusable', 'nats-server could not be started');
  writeFileSync(pidFile, `${pid}\n`);
  return {
    pid,
    reload: () => void child.kill('SIGHUP'),
    stop: async () => {
      isStopping = true;
      child.kill('SIGTERM');
      await ended;
    },
  };
}

function spawnBound(command: readonly string[]): ChildProcess {
  const hasSetpriv = spawnSync('setpriv', ['--pdeathsig', 'KILL', 'true'], { stdio: 'ignore' }).status === 0;
  const [program, ...args] = hasSetpriv ? ['setpriv', '--pdeathsig', 'KILL', ...command] : command;
  return spawn(program ?? 'nats-server', args, { stdio: ['ignore', 'inherit', 'inherit'] });
}

function killLeftover(pidFile: string, configFile: string): void {
  try {
    const pid = Number(readFileSync(pidFile, 'utf8'));
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    if (command.includes('nats-server') && command.includes(configFile)) process.kill(pid, 'SIGKILL');
  } catch {
    // No pid file, or the process is gone: nothing was left behind.
  }
}
