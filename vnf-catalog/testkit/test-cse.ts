import { spawn, type ChildProcess } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';

const FUNCTIONS = join(import.meta.dirname, '..', 'functions');

export type FunctionName =
  | 'message-broker'
  | 'data-storage'
  | 'request-processing'
  | 'subscription-notification'
  | 'field-device-http'
  | 'road-traffic';

export interface TestKey {
  /** 32 bytes, base64url. */
  readonly seed: string;
  readonly publicKey: string;
}

interface Member {
  readonly name: string;
  readonly function: FunctionName;
  readonly directory: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly metricsPort: number;
  process?: ChildProcess;
}

export interface TestCseOptions {
  /** Folder of the built functions; absent: their sources are run. */
  readonly built?: string;
  /** Options of Node for every function. */
  readonly nodeOptions?: string;
  readonly processing?: number;
  readonly gateways?: number;
  readonly config?: Readonly<Partial<Record<FunctionName, Readonly<Record<string, unknown>>>>>;
}

/** Clients of the broker: the functions that require it. */
const CLIENTS: readonly FunctionName[] = [
  'data-storage',
  'request-processing',
  'subscription-notification',
  'field-device-http',
];

/** The functions of the virtual CSE as real processes with bindings files written by hand, without an orchestrator. */
export class TestCse {
  readonly directory = mkdtempSync(join(tmpdir(), 'virtual-cse-'));
  readonly keys = Object.fromEntries(CLIENTS.map((name) => [name, newKey()])) as Record<
    FunctionName,
    TestKey
  >;
  readonly gateways: string[] = [];
  brokerPort = 0;
  trafficUrl = '';
  readonly #members = new Map<string, Member>([]);
  readonly #options: TestCseOptions;

  private constructor(options: TestCseOptions) {
    this.#options = options;
  }

  /** Starts everything and waits until all of it is ready. */
  static async start(options: TestCseOptions = {}): Promise<TestCse> {
    const cse = new TestCse(options);
    try {
      await cse.#layOut();
      for (const name of cse.#members.keys()) cse.run(name);
      for (const name of cse.#members.keys()) await cse.untilReady(name);
      return cse;
    } catch (error) {
      const logs = [...cse.#members.keys()].map((name) => `--- ${name}\n${cse.log(name).slice(-2_000)}`);
      await cse.stop();
      throw new Error(`the test CSE did not start\n${logs.join('\n')}`, { cause: error });
    }
  }

  members(): readonly string[] {
    return [...this.#members.keys()];
  }

  run(name: string): void {
    const member = this.#member(name);
    const output = openSync(join(member.directory, 'log'), 'a');
    const built = this.#options.built;
    const main = join(built ?? FUNCTIONS, member.function, built === undefined ? 'main.ts' : 'main.js');
    member.process = spawn(process.execPath, [main], {
      cwd: built ?? FUNCTIONS,
      env: {
        PATH: process.env['PATH'] ?? '',
        NODE_NO_WARNINGS: '1',
        NODE_OPTIONS: this.#options.nodeOptions ?? '',
        ...member.environment,
      },
      stdio: ['ignore', output, output],
    });
    closeSync(output);
  }

  /** Sends the signal and waits until the process is gone. */
  async kill(name: string, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const child = this.#member(name).process;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => {
      child.once('exit', resolve);
    });
    child.kill(signal);
    await gone;
  }

  signal(name: string, signal: NodeJS.Signals): void {
    this.#member(name).process?.kill(signal);
  }

  pid(name: string): number {
    return this.#member(name).process?.pid ?? 0;
  }

  natsServerPid(): number {
    return Number(readFileSync(join(this.#member('broker').directory, 'nats-server.pid'), 'utf8'));
  }

  readyUrl(name: string): string {
    return `http://127.0.0.1:${this.#member(name).metricsPort}/ready`;
  }

  hasEnded(name: string): boolean {
    const child = this.#member(name).process;
    return child === undefined || child.exitCode !== null || child.signalCode !== null;
  }

  log(name: string): string {
    return readFileSync(join(this.#member(name).directory, 'log'), 'utf8');
  }

  async untilReady(name: string, milliseconds = 15_000): Promise<void> {
    const url = this.readyUrl(name);
    const end = performance.now() + milliseconds;
    for (;;) {
      const answer = await fetch(url).catch(() => undefined);
      if (answer?.ok === true) return;
      if (performance.now() > end)
        throw new Error(`${name} is not ready: ${(await answer?.text()) ?? 'no answer'}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async metrics(name: string): Promise<string> {
    const answer = await fetch(`http://127.0.0.1:${this.#member(name).metricsPort}/metrics`);
    return answer.text();
  }

  /** Replaces the bindings file of a member and tells it. */
  rebind(name: string, change: (bindings: Record<string, unknown>) => Record<string, unknown>): void {
    const member = this.#member(name);
    const file = join(member.directory, 'bindings.json');
    const bindings = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
    writeFileSync(`${file}.new`, JSON.stringify(change(bindings)));
    renameSync(`${file}.new`, file);
    member.process?.kill('SIGHUP');
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#members.keys()].map((name) => this.kill(name, 'SIGKILL')));
    await this.#untilNatsServerIsGone();
    rmSync(this.directory, { recursive: true, force: true });
  }

  #member(name: string): Member {
    const member = this.#members.get(name);
    if (member === undefined) throw new RangeError(`no member ${name}`);
    return member;
  }

  async #layOut(): Promise<void> {
    const { processing = 1, gateways = 1 } = this.#options;
    const ports = await freePorts(20);
    const port = (): number => ports.pop() ?? 0;
    this.brokerPort = port();
    this.#add('broker', 'message-broker', port(), {
      NATS_PORT: `${this.brokerPort}`,
      MONITOR_PORT: `${port()}`,
    });
    this.#add('storage', 'data-storage', port(), {});
    for (let index = 0; index < processing; index += 1) {
      this.#add(`processing-${index}`, 'request-processing', port(), {});
    }
    this.#add('notification', 'subscription-notification', port(), {});
    for (let index = 0; index < gateways; index += 1) {
      const httpPort = port();
      this.gateways.push(`http://127.0.0.1:${httpPort}`);
      this.#add(`gateway-${index}`, 'field-device-http', port(), { HTTP_PORT: `${httpPort}` });
    }
    const trafficPort = port();
    this.trafficUrl = `http://127.0.0.1:${trafficPort}`;
    // As in a container, where it listens on another address than it is reached at.
    const addresses = { LISTEN_ADDRESS: '0.0.0.0', PUBLIC_ADDRESS: '127.0.0.1' };
    this.#add('road-traffic', 'road-traffic', port(), { HTTP_PORT: `${trafficPort}`, ...addresses });
  }

  #add(
    name: string,
    of: FunctionName,
    metricsPort: number,
    environment: Readonly<Record<string, string>>,
  ): void {
    const directory = join(this.directory, name);
    mkdirSync(directory, { recursive: true });
    const bindings = join(directory, 'bindings.json');
    writeFileSync(bindings, JSON.stringify(this.#bindingsOf(of)));
    this.#members.set(name, {
      name,
      function: of,
      directory,
      metricsPort,
      environment: {
        INSTANCE_ID: name,
        METRICS_PORT: `${metricsPort}`,
        BINDINGS_FILE: bindings,
        WORK_DIRECTORY: directory,
        DATA_DIRECTORY: directory,
        ...environment,
      },
    });
  }

  #bindingsOf(name: FunctionName): Record<string, unknown> {
    const config = this.#options.config?.[name] ?? {};
    const endpointOf = (port: number): object => ({ host: '127.0.0.1', port, instance: 'test' });
    if (name === 'message-broker') {
      const clients = CLIENTS.map((client) => ({
        id: client,
        capability: 'message-broker',
        publicKey: this.keys[client].publicKey,
        access: accessOf(client),
        function: `urn:iotmano:function:${client}`,
      }));
      return { config, requires: {}, clients };
    }
    if (name === 'road-traffic') {
      const endpoints = this.gateways.map((url) => endpointOf(Number(new URL(url).port)));
      return {
        config,
        requires: { mca: { capability: 'onem2m-mca', protocol: 'http', endpoints } },
        clients: [],
      };
    }
    const credential = { id: name, seed: this.keys[name].seed };
    const broker = {
      capability: 'message-broker',
      protocol: 'nats',
      endpoints: [endpointOf(this.brokerPort)],
      credential,
    };
    return { config, requires: { broker }, clients: [] };
  }

  /** The kernel kills it with its parent; this waits until the port is free again. */
  async #untilNatsServerIsGone(): Promise<void> {
    for (let tries = 0; tries < 100; tries += 1) {
      if (await isFree(this.brokerPort)) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

/** What the descriptor of the function asks of the broker. */
function accessOf(name: FunctionName): unknown {
  const descriptor = parse(readFileSync(join(FUNCTIONS, name, 'descriptor.yaml'), 'utf8')) as {
    requires: { broker: { access: unknown } };
  };
  return descriptor.requires.broker.access;
}

export function newKey(): TestKey {
  const { d = '', x = '' } = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  return { seed: d, publicKey: x };
}

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<ReturnType<typeof createServer>>((resolve) => {
          const server = createServer().listen(0, '127.0.0.1', () => resolve(server));
        }),
    ),
  );
  return servers.map((server) => {
    const address = server.address();
    server.close();
    return typeof address === 'object' && address !== null ? address.port : 0;
  });
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
      .once('error', () => resolve(false))
      .once('listening', () => server.close(() => resolve(true)))
      .listen(port, '127.0.0.1');
  });
}
