/** An engine of a test's own, which may be killed and started: with a socket, directories and a network of its own, beside the one at hand. */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { existsSync, openSync, closeSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { docker } from './testkit.ts';

const run = promisify(execFile);

/** It starts within this, or something is wrong. */
const START_MILLISECONDS = 60_000;

export interface OwnEngine {
  readonly dockerHost: string;
  /** Ends the engine at once; what runs in its containers runs on without it. */
  kill(): Promise<void>;
  start(): Promise<void>;
  /** Ends it with everything in it, and removes its directories. */
  close(): Promise<void>;
}

/** Why no engine can be started here; nothing when one can. */
export async function whyNoOwnEngine(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return 'an engine of its own needs root';
  const isThere = await run('dockerd', ['--version']).then(
    () => true,
    () => false,
  );
  return isThere ? undefined : 'there is no dockerd to start';
}

/** Starts an engine like the one at hand, with one of its images. */
export async function startOwnEngine(likeHost: string, image: string): Promise<OwnEngine> {
  const root = await mkdtemp(join(tmpdir(), 'iotmano-engine-'));
  const dockerHost = `unix://${root}/engine.sock`;
  const words = [...(await runtimeWords(likeHost)), ...directoryWords(root), '-H', dockerHost];
  let daemon: ChildProcess | undefined;
  const start = async (): Promise<void> => {
    const log = openSync(join(root, 'log'), 'a');
    // In a network of its own: an engine takes docker0, and its address, away from the engine at hand.
    const inOwnNetwork = ['--net', 'sh', '-c', 'ip link set lo up; exec dockerd "$@"', 'dockerd', ...words];
    daemon = spawn('unshare', inOwnNetwork, { stdio: ['ignore', log, log], detached: true });
    closeSync(log);
    const begun = performance.now();
    while (!(await isUp(dockerHost))) {
      if (daemon.exitCode !== null || performance.now() - begun > START_MILLISECONDS)
        throw new Error(`dockerd did not start: ${readFileSync(join(root, 'log'), 'utf8').slice(-2000)}`);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  };
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    const ending = daemon;
    daemon = undefined;
    if (ending === undefined || ending.exitCode !== null || ending.signalCode !== null) return;
    const ended = new Promise((resolve) => ending.once('exit', resolve));
    ending.kill(signal);
    await ended;
  };
  const engine: OwnEngine = {
    dockerHost,
    start,
    async kill() {
      await end('SIGKILL');
      await forgetContainerd(root);
    },
    async close() {
      if (daemon === undefined) await start().catch(() => undefined);
      const left = await docker(dockerHost, 'ps', '--all', '--quiet').catch(() => '');
      if (left !== '') await docker(dockerHost, 'rm', '--force', ...left.split('\n')).catch(() => undefined);
      await end('SIGTERM');
      endContainerd(root);
      await unmount(root);
      await rm(root, { recursive: true, force: true });
    },
  };
  try {
    await start();
    await copyImage(likeHost, dockerHost, image);
    return engine;
  } catch (error) {
    await engine.close();
    throw error;
  }
}

/** The runtime that works on this machine: that of the engine at hand. */
async function runtimeWords(likeHost: string): Promise<readonly string[]> {
  const info = JSON.parse(await docker(likeHost, 'info', '--format', '{{json .}}')) as {
    readonly DefaultRuntime: string;
    readonly Runtimes: Readonly<Record<string, { readonly path?: string }>>;
  };
  const path = info.Runtimes[info.DefaultRuntime]?.path;
  if (path === undefined || ['runc', ''].includes(info.DefaultRuntime)) return [];
  if (info.DefaultRuntime.startsWith('io.containerd.')) return [];
  return ['--add-runtime', `${info.DefaultRuntime}=${path}`, '--default-runtime', info.DefaultRuntime];
}

function directoryWords(root: string): readonly string[] {
  return [
    ['--data-root', join(root, 'data')],
    ['--exec-root', join(root, 'exec')],
    ['--pidfile', join(root, 'pid')],
    ['--iptables=false', '--ip6tables=false', '--ip-masq=false', '--ip-forward=false'],
  ].flat();
}

async function isUp(dockerHost: string): Promise<boolean> {
  return docker(dockerHost, 'version').then(
    () => true,
    () => false,
  );
}

async function copyImage(from: string, to: string, image: string): Promise<void> {
  const words = ['-c', 'docker -H "$1" save "$3" | docker -H "$2" load', 'sh', from, to, image];
  await run('sh', words);
}

/** It dies with its engine; where nobody buries it, the next engine would take it for alive and wait for it. */
async function forgetContainerd(root: string): Promise<void> {
  const file = containerdFile(root);
  if (!existsSync(file)) return;
  const pid = readFileSync(file, 'utf8').trim();
  for (let turn = 0; turn < 100; turn += 1) {
    const stat = existsSync(`/proc/${pid}/stat`) ? readFileSync(`/proc/${pid}/stat`, 'utf8') : ') Z';
    if (/\) Z/.test(stat)) return rm(file, { force: true });
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function containerdFile(root: string): string {
  return join(root, 'exec', 'containerd', 'containerd.pid');
}

/** What an engine that was killed may have left running. */
function endContainerd(root: string): void {
  const file = containerdFile(root);
  if (!existsSync(file)) return;
  const pid = Number(readFileSync(file, 'utf8'));
  try {
    const isOurs = readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(root);
    if (isOurs) process.kill(pid, 'SIGTERM');
  } catch {
    // it has ended by itself
  }
}

async function unmount(root: string): Promise<void> {
  const points = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
    .filter((point) => point.startsWith(`${root}/`));
  for (const point of points.toReversed()) await run('umount', ['--lazy', point]).catch(() => undefined);
}
