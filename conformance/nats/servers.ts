import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { IotmanoError, messageOf, type Clock } from '../../kernel/index.ts';
import { accountsOf, type KitKeys } from './users.ts';

/** Servers of NATS that believe the kit: one, or a cluster. */
export interface KitServers {
  /** `host:port` of each. */
  readonly addresses: readonly string[];
  /** Names, by the same index. */
  readonly names: readonly string[];
  /** Without warning (SIGKILL). */
  kill(index: number): Promise<void>;
  /** Starts one that was killed, over what it has on disk. */
  start(index: number): Promise<void>;
  stop(): Promise<void>;
}

export interface KitServersOptions {
  readonly address: string;
  /** Of the first one; 0 takes a free one. */
  readonly port: number;
  readonly count: number;
  /** The program `nats-server`, version 2.9 or newer. */
  readonly program: string;
  readonly keys: KitKeys;
  readonly clock: Clock;
}

const START_MILLISECONDS = 20_000;
const LOOK_MILLISECONDS = 20;
const STORE_BYTES = 256 * 1024 * 1024;

/** @throws IotmanoError `invalid-parameter` where the program is not there or cannot listen */
export async function startKitServers(options: KitServersOptions): Promise<KitServers> {
  const { address, port, count, program, clock } = options;
  const folder = mkdtempSync(join(tmpdir(), 'mco-kit-nats-'));
  const names = Array.from({ length: count }, (_, index) => `kit-${index + 1}`);
  const ports: number[] = [];
  for (const index of names.keys()) ports.push(index === 0 && port > 0 ? port : await freePort(address));
  const routes: number[] = [];
  if (count > 1) for (const _ of names) routes.push(await freePort('127.0.0.1'));
  const running = new Map<number, ChildProcess>();
  for (const [index, name] of names.entries()) {
    const directory = join(folder, name);
    mkdirSync(directory);
    const text = await configuration(options, { name, directory, port: ports[index] ?? 0, index, routes });
    writeFileSync(join(directory, 'nats-server.conf'), text);
  }

  async function start(index: number): Promise<void> {
    const file = join(folder, names[index] ?? '', 'nats-server.conf');
    const child = spawn(program, ['-c', file], { stdio: ['ignore', 'ignore', 'pipe'] });
    running.set(index, child);
    let said = '';
    let fault: string | undefined;
    child.stderr.setEncoding('utf8').on('data', (part: string) => (said = (said + part).slice(-2000)));
    child.once('error', (error) => (fault = messageOf(error)));
    child.once('exit', () => (fault ??= said));
    const end = clock.monotonic() + START_MILLISECONDS;
    while (!(await answers(address, ports[index] ?? 0))) {
      if (fault !== undefined || clock.monotonic() > end) throw doesNotStart(program, fault ?? said);
      await clock.sleep(LOOK_MILLISECONDS);
    }
    if (fault !== undefined) throw doesNotStart(program, fault);
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

  const stop = async (): Promise<void> => {
    await Promise.all(names.map((_, index) => kill(index)));
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await Promise.all(names.map((_, index) => start(index)));
  } catch (error) {
    await stop();
    throw error;
  }
  return { addresses: ports.map((each) => `${address}:${each}`), names, kill, start, stop };
}

function doesNotStart(program: string, said: string): IotmanoError {
  return new IotmanoError(
    'invalid-parameter',
    `${program} does not start: ${said.trim() || 'it says nothing'}; the binding to NATS needs nats-server 2.9 or newer (Debian: apt-get install nats-server), on the PATH or named with --nats-server, and a free port with --listen`,
    { parameter: 'nats-server' },
  );
}

interface OneServer {
  readonly name: string;
  readonly directory: string;
  readonly port: number;
  readonly index: number;
  readonly routes: readonly number[];
}

async function configuration(
  { address, keys }: KitServersOptions,
  { name, directory, port, index, routes }: OneServer,
): Promise<string> {
  const { operatorJwt, systemKey, accounts } = await accountsOf(keys);
  return [
    `server_name: ${name}`,
    `listen: "${address}:${port}"`,
    'max_payload: 1048576',
    `operator: ${operatorJwt}`,
    `system_account: ${systemKey}`,
    'resolver: MEMORY',
    'resolver_preload: {',
    ...Object.entries(accounts).map(([key, jwt]) => `  ${key}: ${jwt}`),
    '}',
    `jetstream: { store_dir: ${JSON.stringify(`${directory}/jetstream`)}, max_memory_store: 0, max_file_store: ${STORE_BYTES} }`,
    ...(routes.length === 0
      ? []
      : [
          'cluster: {',
          '  name: kit',
          `  listen: "127.0.0.1:${routes[index] ?? 0}"`,
          `  routes: [${routes.map((each) => `"nats-route://127.0.0.1:${each}"`).join(', ')}]`,
          '}',
        ]),
    '',
  ].join('\n');
}

function freePort(address: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, address, () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

function answers(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, host);
    socket.once('data', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
