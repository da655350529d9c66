import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { endProcessesOf, freePort, startProgram, type Running } from '../../scripts/demo/processes.ts';
import { buildTinyFunction, tinyService, type TinyFunctionOptions } from './tiny-function.ts';

const PROGRAM = join(import.meta.dirname, '../../bin/iotmano.js');
const PATIENCE_SECONDS = 20;

/** What a command left. */
export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ApiReply<Body = unknown> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Body;
}

/** A line of `/iotmano/v1/vnfc_instances`, as far as tests look at it. */
export interface Copy {
  readonly id: string;
  readonly name: string;
  readonly service?: string;
  readonly function: string;
  readonly vnfInstanceId: string;
  readonly hostId: string;
  readonly vimType: string;
  readonly state: string;
  readonly reason?: string;
  readonly restarts: number;
  readonly ports: Readonly<Record<string, number>>;
  /** `name=address:port` */
  readonly endpoints: readonly string[];
}

/** An orchestrator and agents as processes of their own, on loopback and below one folder. */
export interface TestSystem {
  readonly folder: string;
  readonly url: string;
  /** Data directory of the orchestrator. */
  readonly data: string;
  readonly environment: NodeJS.ProcessEnv;
  orchestrator(): Running;
  agent(hostId: string): Running;
  startOrchestrator(): Promise<void>;
  /** Removes all that the orchestrator keeps; it must not run. */
  forgetState(): void;
  /** Starts an agent; with `enrol`, with a token of its own. */
  startAgent(hostId: string, options?: AgentStart): Promise<void>;
  /** Enrols hosts, and waits until they are READY with their facts. */
  addHosts(...hostIds: string[]): Promise<void>;
  /** Waits until the hosts are READY and have told their facts. */
  readyHosts(...hostIds: string[]): Promise<void>;
  /** Runs an `iotmano` command; it does not throw when that fails. */
  iotmano(args: readonly string[], environment?: NodeJS.ProcessEnv): Promise<CommandResult>;
  /** Speaks to the API as the admin. */
  request<Body = unknown>(
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<ApiReply<Body>>;
  get<Body>(path: string): Promise<Body>;
  /** Builds and onboards tiny functions, by name. */
  onboard(functions: Readonly<Record<string, TinyFunctionOptions>>): Promise<void>;
  /** Onboards services, all with one command; `createService` onboards those that are not yet. */
  onboardServices(all: Readonly<Record<string, readonly Readonly<Record<string, unknown>>[]>>): Promise<void>;
  /** Onboards a service and creates an instance of the same name. @returns the id of the instance */
  createService(name: string, functions: readonly Readonly<Record<string, unknown>>[]): Promise<string>;
  /** Starts an operation of a service instance. @returns the path of its occurrence */
  begin(id: string, operation: 'instantiate' | 'terminate' | 'heal', body?: object): Promise<string>;
  /** Waits until the operation has ended. @returns its state and the reason where it failed */
  ended(path: string): Promise<{ readonly operationState: string; readonly error?: { detail: string } }>;
  /** Onboards, creates, instantiates, and waits until it is done. @returns the id of the instance */
  deploy(name: string, functions: readonly Readonly<Record<string, unknown>>[]): Promise<string>;
  copies(service?: string): Promise<Copy[]>;
  /** Waits until exactly so many copies of a service run, and nothing else of it is there. */
  running(service: string, count: number): Promise<readonly Copy[]>;
  /** What a copy says of itself. */
  ask(copy: Copy): Promise<Told>;
  /** Kills everything below the folder and removes it. */
  cleanUp(): Promise<void>;
}

export interface Told {
  readonly pid: number;
  readonly host: string;
  readonly reloads: number;
  readonly bindings?: {
    readonly requires: Readonly<
      Record<string, { readonly endpoints: readonly { readonly address: string; readonly port: number }[] }>
    >;
  };
}

export interface AgentStart {
  readonly enrol?: boolean;
  readonly data?: string;
  readonly tier?: string;
  /** Name under which `agent()` finds it. */
  readonly as?: string;
  /** Where it finds the orchestrator, when not at its own address. */
  readonly server?: string;
  /** Beside `site`, which is the host's id. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Beside that of the system. */
  readonly environment?: NodeJS.ProcessEnv;
  /** Command that becomes the agent by `exec`. */
  readonly launcher?: readonly string[];
}

/** Looks until there is something to see. @throws Error with what was waited for */
export async function eventually<T>(
  what: string,
  look: () => T | undefined | false | Promise<T | undefined | false>,
  seconds = PATIENCE_SECONDS,
): Promise<T> {
  const end = performance.now() + seconds * 1000;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > end) throw new Error(`it never came to pass that ${what}`);
    await sleep(50);
  }
}

/** Whether a process is there, and not a zombie. */
export function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

export interface TestSystemOptions {
  /** Server of NATS through which orchestrator and agents speak; absent: HTTP. */
  readonly nats?: string;
}

export async function createTestSystem({ nats }: TestSystemOptions = {}): Promise<TestSystem> {
  const folder = mkdtempSync(join(tmpdir(), 'iotmano-system-'));
  const data = join(folder, 'orchestrator');
  const logs = join(folder, 'logs');
  mkdirSync(logs);
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const environment = { ...process.env, IOTMANO_URL: url, IOTMANO_DATA: data, IOTMANO_TOKEN: '' };
  const programs = new Map<string, Running>();
  /** Ids of onboarded services, by name. */
  const services = new Map<string, string>();
  const program = (name: string): Running => {
    const found = programs.get(name);
    if (found === undefined) throw new RangeError(`${name} was not started`);
    return found;
  };
  const start = (
    name: string,
    args: readonly string[],
    more: NodeJS.ProcessEnv = {},
    launcher?: readonly string[],
  ): void => {
    const log = join(logs, `${name}.log`);
    programs.set(name, startProgram(name, [PROGRAM, ...args], { ...environment, ...more }, log, launcher));
  };
  const token = (): string => readFileSync(join(data, 'admin.token'), 'utf8').trim();

  async function request<Body>(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<ApiReply<Body>> {
    const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
    const response = await fetch(new URL(path, url), {
      method,
      headers: {
        authorization: `Bearer ${token()}`,
        ...(body === undefined ? {} : { 'content-type': type }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: (text === '' ? undefined : JSON.parse(text)) as Body,
    };
  }

  async function get<Body>(path: string): Promise<Body> {
    const { status, body } = await request<Body>('GET', path);
    if (status !== 200)
      throw new RangeError(`GET ${path} was answered with ${status}: ${JSON.stringify(body)}`);
    return body;
  }

  async function newEnrolmentToken(hostId: string): Promise<string> {
    const { status, body } = await request<{ token: string; natsCredential?: string }>(
      'POST',
      '/iotmano/v1/enrolment_tokens',
      { hostId },
    );
    if (status !== 201) throw new RangeError(`there is no token for ${hostId}: ${JSON.stringify(body)}`);
    return (nats === undefined ? undefined : body.natsCredential) ?? body.token;
  }

  async function succeed(args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await system.iotmano(args);
    if (code !== 0) throw new RangeError(`iotmano ${args.join(' ')} ended with ${code}: ${stderr}`);
    return stdout;
  }

  const system: TestSystem = {
    folder,
    url,
    data,
    environment,
    orchestrator: () => program('orchestrator'),
    agent: program,
    request,
    get,
    forgetState: () => rmSync(data, { recursive: true, force: true, maxRetries: 5 }),
    async startOrchestrator() {
      const more = nats === undefined ? [] : ['--nats', nats];
      start('orchestrator', ['up', '--listen', `127.0.0.1:${port}`, '--data', data, ...more]);
      await eventually('the orchestrator is ready', () =>
        fetch(`${url}/readyz`).then(
          ({ ok }) => ok,
          () => false,
        ),
      );
    },
    async startAgent(hostId, options = {}) {
      const { enrol = false, data: own, tier = 'device-edge', as = hostId, labels = {} } = options;
      const enrolment = enrol ? ['--token', await newEnrolmentToken(hostId)] : [];
      const flags = `--host-id ${hostId} --tier ${tier} --label site=${hostId} --address 127.0.0.1`.split(
        ' ',
      );
      const labelled = Object.entries(labels).flatMap(([name, value]) => ['--label', `${name}=${value}`]);
      const binding = nats === undefined ? ['--server', options.server ?? url] : ['--mco', nats];
      const where = [...binding, '--data', own ?? join(folder, hostId)];
      start(
        as,
        ['agent', 'run', ...flags, ...labelled, ...where, ...enrolment],
        options.environment,
        options.launcher,
      );
    },
    async addHosts(...hostIds) {
      await Promise.all(hostIds.map((hostId) => system.startAgent(hostId, { enrol: true })));
      await system.readyHosts(...hostIds);
    },
    async readyHosts(...hostIds) {
      await eventually(`${hostIds.join(' and ')} are READY`, async () => {
        const hosts = await get<{ hostId: string; state: string; facts?: object }[]>('/iotmano/v1/hosts');
        const ready = hosts.filter(({ state, facts }) => state === 'READY' && facts !== undefined);
        return hostIds.every((hostId) => ready.some((host) => host.hostId === hostId));
      });
    },
    iotmano: (args, env = environment) =>
      new Promise((resolve, reject) => {
        const child = spawn(process.execPath, [PROGRAM, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
        let stdout = '';
        let stderr = '';
        child.stdout.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk));
        child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk));
        child.once('error', reject);
        child.once('close', (code) => resolve({ code, stdout, stderr }));
      }),
    async onboard(functions) {
      const packages = join(folder, 'packages');
      const files = await Promise.all(
        Object.entries(functions).map(([name, options]) => buildTinyFunction(packages, name, options)),
      );
      await succeed(['package', 'onboard', ...files]);
    },
    async onboardServices(all) {
      const names = Object.keys(all);
      const files = names.map((name) => join(folder, `${name}.yaml`));
      for (const [index, file] of files.entries()) {
        const name = names[index] ?? '';
        writeFileSync(file, JSON.stringify(tinyService(name, all[name] ?? [])));
      }
      const told = await succeed(['package', 'onboard', ...files, '-o', 'json']);
      for (const [index, { id }] of (JSON.parse(told) as { id: string }[]).entries())
        services.set(names[index] ?? '', id);
    },
    async createService(name, functions) {
      if (!services.has(name)) await system.onboardServices({ [name]: functions });
      const { status, body } = await request<{ id: string }>('POST', '/nslcm/v2/ns_instances', {
        nsdId: services.get(name),
        nsName: name,
        nsDescription: '',
      });
      if (status !== 201) throw new RangeError(`${name} was not created: ${JSON.stringify(body)}`);
      return body.id;
    },
    async begin(id, operation, body = {}) {
      const reply = await request(
        'POST',
        `/nslcm/v2/ns_instances/${id}/${operation}`,
        operation === 'instantiate' ? { nsFlavourId: 'default', ...body } : body,
      );
      const location = reply.headers.get('location');
      if (reply.status !== 202 || location === null)
        throw new RangeError(`${operation} was answered with ${reply.status}: ${JSON.stringify(reply.body)}`);
      return new URL(location).pathname;
    },
    ended: (path) =>
      eventually(
        `the operation ${path} ends`,
        async () => {
          const occurrence = await get<{ operationState: string; error?: { detail: string } }>(path);
          return (
            !['STARTING', 'PROCESSING', 'ROLLING_BACK'].includes(occurrence.operationState) && occurrence
          );
        },
        40,
      ),
    async deploy(name, functions) {
      const id = await system.createService(name, functions);
      const { operationState, error } = await system.ended(await system.begin(id, 'instantiate'));
      if (operationState !== 'COMPLETED')
        throw new RangeError(`${name} is ${operationState}: ${error?.detail ?? ''}`);
      return id;
    },
    async copies(service) {
      const all = await get<Copy[]>('/iotmano/v1/vnfc_instances');
      return all.filter((copy) => service === undefined || copy.service === service);
    },
    running: (service, count) =>
      eventually(
        `${count} copies of ${service} run`,
        async () => {
          const copies = await system.copies(service);
          return copies.length === count && copies.every(({ state }) => state === 'RUNNING') && copies;
        },
        30,
      ),
    async ask(copy) {
      const response = await fetch(`http://127.0.0.1:${copy.ports['http'] ?? 0}/`);
      return (await response.json()) as Told;
    },
    async cleanUp() {
      await endProcessesOf(folder);
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
  return system;
}
