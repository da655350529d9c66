import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort, startProgram, until, type Running } from './processes.ts';

const PROGRAM = fileURLToPath(new URL('../../bin/iotmano.js', import.meta.url));

const STOP_SECONDS = 10;

/** One line of `iotmano ps -o json`. */
export interface FunctionInstance {
  readonly id: string;
  readonly name: string;
  readonly service?: string;
  /** Name of the constituent of the service. */
  readonly function: string;
  readonly vnfInstanceId: string;
  readonly unit: string;
  readonly hostId: string;
  readonly state: string;
  readonly restarts: number;
  readonly softwareVersion: string;
  /** `NAME=ADDRESS:PORT` of each port. */
  readonly endpoints: readonly string[];
}

/** The agents of the demo: of the cloud, where that is no VIM, and of the gateway. */
const AGENTS = {
  'cloud-1': ['--tier', 'cloud', '--label', 'site=centre', '--label', 'zone=centre'],
  'gw-1': ['--tier', 'device-edge', '--label', 'site=north', '--label', 'zone=north'],
} as const;
export type AgentName = keyof typeof AGENTS;
export const AGENT_NAMES = Object.keys(AGENTS) as readonly AgentName[];

/** An orchestrator and agents as separate processes, all below one folder. */
export interface Installation {
  readonly url: string;
  readonly folder: string;
  readonly environment: NodeJS.ProcessEnv;
  /** Aborted when the demo is stopped. */
  readonly signal: AbortSignal;
  orchestrator(): Running;
  agent(name: AgentName): Running;
  /** Those that have been enrolled. */
  agents(): readonly AgentName[];
  startOrchestrator(): Promise<void>;
  /** Starts an agent for the first time. @param address from where others reach what runs there */
  enrolAgent(name: AgentName, address: string): Promise<void>;
  /** Starts an agent once more. */
  startAgent(name: AgentName): void;
  /** Starts an `iotmano` command that goes on beside; its output is in the logs under that name. */
  start(name: string, ...args: string[]): Running;
  /** Stops the programs that it has started, agents first. */
  stop(): Promise<void>;
  /** Runs an `iotmano` command; its stdout. @throws RangeError with what the command said */
  iotmano(...args: string[]): Promise<string>;
  instances(): Promise<FunctionInstance[]>;
  /** Speaks to the API as the admin. @throws RangeError when it is refused */
  request<Body>(method: string, path: string, body?: object): Promise<Body>;
  /** The boot id with which the agent opened its latest session: each start has its own. */
  lastBoot(name: AgentName): Promise<string | undefined>;
}

export async function createInstallation(folder: string, signal: AbortSignal): Promise<Installation> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const data = join(folder, 'orchestrator');
  const logs = join(folder, 'logs');
  mkdirSync(logs, { recursive: true });
  const environment: NodeJS.ProcessEnv = {
    ...process.env,
    IOTMANO_URL: url,
    IOTMANO_DATA: data,
    IOTMANO_TOKEN: '',
  };
  const running = new Map<string, Running>();
  const addresses = new Map<AgentName, string>();
  const request = <Body>(method: string, path: string, body?: object): Promise<Body> =>
    askApi<Body>({ url, data, method, path, ...(body === undefined ? {} : { body }) });
  const start = (name: AgentName, enrolmentToken?: string): void => {
    const args = [PROGRAM, 'agent', 'run', '--server', url, '--host-id', name, '--data', join(folder, name)];
    const own = { ...environment, IOTMANO_ENROLMENT_TOKEN: enrolmentToken };
    const address = addresses.get(name) ?? '127.0.0.1';
    running.set(
      name,
      startProgram(
        `agent ${name}`,
        [...args, ...AGENTS[name], '--address', address],
        own,
        join(logs, `${name}.log`),
      ),
    );
  };

  const installation: Installation = {
    url,
    folder,
    environment,
    signal,
    orchestrator: () => get(running, 'orchestrator'),
    agent: (name) => get(running, name),
    agents: () => [...addresses.keys()],
    async startOrchestrator() {
      const args = [PROGRAM, 'up', '--listen', `127.0.0.1:${port}`, '--data', data];
      running.set(
        'orchestrator',
        startProgram('orchestrator', args, environment, join(logs, 'orchestrator.log')),
      );
      await until('the start of the orchestrator', 20, () => answers(`${url}/readyz`), signal);
    },
    async enrolAgent(name, address) {
      addresses.set(name, address);
      start(name, (await installation.iotmano('token', 'enrol', '--host-id', name)).trim());
    },
    startAgent: (name) => start(name),
    start: (name, ...args) => startProgram(name, [PROGRAM, ...args], environment, join(logs, `${name}.log`)),
    async stop() {
      const agents = [...running].filter(([name]) => name !== 'orchestrator').map(([, agent]) => agent);
      await Promise.all(agents.map((agent) => agent.stop(STOP_SECONDS)));
      await running.get('orchestrator')?.stop(STOP_SECONDS);
    },
    iotmano: (...args) => runProgram([PROGRAM, ...args], environment, signal),
    instances: () => request<FunctionInstance[]>('GET', '/iotmano/v1/vnfc_instances'),
    request,
    async lastBoot(name) {
      const { boots } = await request<{ boots: { bootId: string }[] }>('GET', `/iotmano/v1/hosts/${name}`);
      return boots.at(-1)?.bootId;
    },
  };
  return installation;
}

function get(running: ReadonlyMap<string, Running>, name: string): Running {
  const found = running.get(name);
  if (found === undefined) throw new RangeError(`${name} has not been started`);
  return found;
}

async function answers(url: string): Promise<boolean> {
  return fetch(url, { signal: AbortSignal.timeout(2000) }).then(
    (response) => response.ok,
    () => false,
  );
}

interface ApiQuestion {
  readonly url: string;
  /** Data directory of the orchestrator, where it has left the token of the admin. */
  readonly data: string;
  readonly method: string;
  readonly path: string;
  readonly body?: object;
}

async function askApi<Body>({ url, data, method, path, body }: ApiQuestion): Promise<Body> {
  const token = readFileSync(join(data, 'admin.token'), 'utf8').trim();
  const response = await fetch(`${url}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new RangeError(`${method} ${path} was answered with ${response.status}: ${text}`);
  return (text === '' ? undefined : JSON.parse(text)) as Body;
}

function runProgram(args: readonly string[], env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { env, signal, stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk));
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk));
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve(stdout);
      else reject(new RangeError(`iotmano ${args.slice(1).join(' ')} ended with ${code}: ${stderr}`));
    });
  });
}
