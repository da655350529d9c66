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
  readonly unit: string;
  readonly hostId: string;
  readonly state: string;
  readonly restarts: number;
  /** `NAME=ADDRESS:PORT` of each port. */
  readonly endpoints: readonly string[];
}

/** The agents of the demo: a cloud host and a gateway. */
export const AGENTS = {
  'cloud-1': [
    '--tier',
    'cloud',
    '--label',
    'site=centre',
    '--label',
    'zone=centre',
    '--address',
    '127.0.0.1',
  ],
  'gw-1': [
    '--tier',
    'device-edge',
    '--label',
    'site=north',
    '--label',
    'zone=north',
    '--address',
    '127.0.0.1',
  ],
} as const;
export type AgentName = keyof typeof AGENTS;

/** An orchestrator and two agents as separate processes, all below one folder. */
export interface Installation {
  readonly url: string;
  readonly folder: string;
  readonly environment: NodeJS.ProcessEnv;
  orchestrator(): Running;
  agent(name: AgentName): Running;
  startOrchestrator(): Promise<void>;
  startAgent(name: AgentName, enrolmentToken?: string): void;
  /** Stops the programs that it has started, agents first. */
  stop(): Promise<void>;
  /** Runs an `iotmano` command; its stdout. @throws RangeError with what the command said */
  iotmano(...args: string[]): Promise<string>;
  instances(): Promise<FunctionInstance[]>;
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

  const installation: Installation = {
    url,
    folder,
    environment,
    orchestrator: () => get(running, 'orchestrator'),
    agent: (name) => get(running, name),
    async startOrchestrator() {
      const args = [PROGRAM, 'up', '--listen', `127.0.0.1:${port}`, '--data', data];
      running.set(
        'orchestrator',
        startProgram('orchestrator', args, environment, join(logs, 'orchestrator.log')),
      );
      await until('the start of the orchestrator', 20, () => answers(`${url}/readyz`), signal);
    },
    startAgent(name, enrolmentToken) {
      const args = [
        PROGRAM,
        'agent',
        'run',
        '--server',
        url,
        '--host-id',
        name,
        '--data',
        join(folder, name),
        ...AGENTS[name],
      ];
      const own = { ...environment, IOTMANO_ENROLMENT_TOKEN: enrolmentToken };
      running.set(name, startProgram(`agent ${name}`, args, own, join(logs, `${name}.log`)));
    },
    async stop() {
      const agents = [...running].filter(([name]) => name !== 'orchestrator').map(([, agent]) => agent);
      await Promise.all(agents.map((agent) => agent.stop(STOP_SECONDS)));
      await running.get('orchestrator')?.stop(STOP_SECONDS);
    },
    iotmano: (...args) => runProgram([PROGRAM, ...args], environment, signal),
    instances: () => getJson<FunctionInstance[]>(url, data, '/iotmano/v1/vnfc_instances'),
    async lastBoot(name) {
      const { boots } = await getJson<{ boots: { bootId: string }[] }>(
        url,
        data,
        `/iotmano/v1/hosts/${name}`,
      );
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

/** Reads as the admin whose token the orchestrator has left in its data directory. */
async function getJson<Body>(url: string, data: string, path: string): Promise<Body> {
  const token = readFileSync(join(data, 'admin.token'), 'utf8').trim();
  const response = await fetch(`${url}${path}`, { headers: { authorization: `Bearer ${token}` } });
  if (!response.ok)
    throw new RangeError(`GET ${path} was answered with ${response.status}: ${await response.text()}`);
  return (await response.json()) as Body;
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
