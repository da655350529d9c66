import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync, openSync, closeSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { renderServerConfig, type AccountKeys } from '../../orchestrator/mco/nats/index.ts';
import { freePort } from '../../scripts/demo/processes.ts';

/** Real servers of NATS on loopback, one or a cluster, configured as an operator's are. */
export interface NatsServers {
  /** `nats://127.0.0.1:port` of each, or `tls://`. */
  readonly urls: readonly string[];
  /** Starts one that does not run, from what it has on disk. */
  start(index: number): Promise<void>;
  kill(index: number): Promise<void>;
  /** What they have logged. */
  logs(): string;
  stop(): Promise<void>;
}

export interface NatsServersOptions {
  readonly count?: number;
  /** The servers speak TLS only. */
  readonly tls?: { readonly certFile: string; readonly keyFile: string };
}

export async function startNatsServers(
  keys: AccountKeys,
  folder: string,
  { count = 1, tls }: NatsServersOptions = {},
): Promise<NatsServers> {
  const ports: { client: number; route: number }[] = [];
  for (let index = 0; index < count; index += 1)
    ports.push({ client: await freePort(), route: await freePort() });
  const running = new Map<number, ChildProcess>();
  const fileOf = (index: number): string => join(folder, `nats-${index}`, 'nats-server.conf');
  const logOf = (index: number): string => join(folder, `nats-${index}`, 'log');
  for (const [index, { client, route }] of ports.entries()) {
    const directory = join(folder, `nats-${index}`);
    mkdirSync(directory, { recursive: true });
    const text = await renderServerConfig(keys, {
      name: `nats-${index}`,
      listen: { host: '127.0.0.1', port: client },
      directory,
      maxStoreBytes: 256 * 1024 * 1024,
      ...(tls === undefined ? {} : { tls }),
      ...(count === 1
        ? {}
        : {
            cluster: {
              listen: { host: '127.0.0.1', port: route },
              routes: ports.map((each) => `nats-route://127.0.0.1:${each.route}`),
            },
          }),
    });
    writeFileSync(fileOf(index), text);
  }

  async function start(index: number): Promise<void> {
    const log = openSync(logOf(index), 'a');
    const child = spawn('nats-server', ['-c', fileOf(index)], { stdio: ['ignore', log, log] });
    closeSync(log);
    running.set(index, child);
    const end = performance.now() + 20_000;
    while (!(await answers(ports[index]?.client ?? 0))) {
      if (performance.now() > end || child.exitCode !== null)
        throw new Error(
          `nats-server ${index} does not start: ${readFileSync(logOf(index), 'utf8').slice(-2000)}`,
        );
      await sleep(20);
    }
  }

  async function kill(index: number): Promise<void> {
    const child = running.get(index);
    running.delete(index);
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => {
      child.once('exit', resolve);
    });
    child.kill('SIGKILL');
    await gone;
  }

  await Promise.all(ports.map((_, index) => start(index)));
  return {
    urls: ports.map(({ client }) => `${tls === undefined ? 'nats' : 'tls'}://127.0.0.1:${client}`),
    start,
    kill,
    logs: () => ports.map((_, index) => readFileSync(logOf(index), 'utf8')).join('\n'),
    stop: async () => {
      await Promise.all(ports.map((_, index) => kill(index)));
      for (const index of ports.keys())
        rmSync(join(folder, `nats-${index}`), { recursive: true, force: true });
    },
  };
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('data', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
