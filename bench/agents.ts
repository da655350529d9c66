/**
 * `npm run bench:agents`: so many agents on one orchestrator, over real sockets: what they cost it while nothing changes, and how long a change takes that
 * concerns all of them. `--agents 1000,10000` says how many, `--binding` how they speak, `--seconds` how long nothing changes.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { IotmanoError } from '../kernel/index.ts';
import type { TestSystem } from '../test/kit/test-system.ts';
import { fillFleet, type Fleet } from './agents/fill-fleet.ts';
import { BINDINGS, openSystem, type Binding } from './agents/open-system.ts';
import { cpuSecondsOf, openFilesOf, residentBytesOf } from './agents/process-usage.ts';
import type { SimulatorNews, SimulatorOrder } from './agents/simulator.ts';
import { describeEnvironment } from './environment.ts';
import { rounded } from './statistics.ts';

const { values } = parseArgs({
  options: {
    agents: { type: 'string', default: '1000' },
    binding: { type: 'string', default: BINDINGS.join(',') },
    seconds: { type: 'string', default: '20' },
  },
});

const AGENTS_PER_PROCESS = 5000;
const STARTS_PER_SECOND = 250;
const PATIENCE_MILLISECONDS = 600_000;
const M2M_SP_ID = '//iotmano.example';

function demandNumber(text: string, option: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new IotmanoError(
    'invalid-parameter',
    `--${option} must be made of whole numbers above 0; got ${text}`,
  );
}

const counts = values.agents.split(',').map((text) => demandNumber(text, 'agents'));
const seconds = demandNumber(values.seconds, 'seconds');
const bindings = values.binding.split(',').map((name) => {
  const binding = BINDINGS.find((each) => each === name);
  if (binding !== undefined) return binding;
  throw new IotmanoError(
    'invalid-parameter',
    `--binding must be made of ${BINDINGS.join(' and ')}; got ${values.binding}`,
  );
});

interface Figures {
  readonly cpuCores: number;
  readonly bytesPerAgent: number;
  readonly fanOutP50Seconds: number;
  readonly fanOutP99Seconds: number;
  readonly fanOutAllSeconds: number;
  readonly fanOutCpuSeconds: number;
  readonly openFiles: number;
  readonly natsServerCpuCores?: number;
  readonly natsServerBytesPerAgent?: number;
}

/** News of all simulators, once each of them has it. */
class Simulators {
  readonly #children: ChildProcess[] = [];

  start(serverUrl: string, fleet: Fleet): void {
    const { hostIds, privateKeyPem, stateId, natsJwts } = fleet;
    const processes = Math.ceil(hostIds.length / AGENTS_PER_PROCESS);
    for (let at = 0; at < processes; at += 1) {
      const child = fork(join(import.meta.dirname, 'agents/simulator.ts'), {
        stdio: ['ignore', 2, 2, 'ipc'],
      });
      child.setMaxListeners(20);
      const isOwn = (_: string, index: number): boolean => index % processes === at;
      const startsPerSecond = STARTS_PER_SECOND / processes;
      child.send({
        serverUrl,
        hostIds: hostIds.filter(isOwn),
        natsJwts: natsJwts.filter(isOwn),
        privateKeyPem,
        stateId,
        m2mSpId: M2M_SP_ID,
        startsPerSecond,
      } satisfies SimulatorOrder);
      this.#children.push(child);
    }
  }

  async all(type: SimulatorNews['type']): Promise<SimulatorNews[]> {
    const signal = AbortSignal.timeout(PATIENCE_MILLISECONDS);
    return Promise.all(this.#children.map((child) => newsOf(child, type, signal)));
  }

  end(): void {
    for (const child of this.#children) child.kill('SIGKILL');
  }
}

function newsOf(
  child: ChildProcess,
  type: SimulatorNews['type'],
  signal: AbortSignal,
): Promise<SimulatorNews> {
  return new Promise((resolve, reject) => {
    child.on('message', (news: SimulatorNews) => {
      if (news.type === type) resolve(news);
    });
    signal.addEventListener('abort', () => {
      reject(new IotmanoError('timeout', `not all agents were "${type}" within ${PATIENCE_MILLISECONDS} ms`));
    });
  });
}

const say = (text: string): void => void process.stderr.write(`${text}\n`);

async function measure(binding: Binding, count: number): Promise<Figures> {
  const { system, serverUrl, nats, close } = await openSystem(binding);
  const simulators = new Simulators();
  try {
    await system.startOrchestrator();
    await system.onboard({ everywhere: { more: { healing: { lostAfter: '60s' } } } });
    await system.onboardServices({
      everywhere: [{ name: 'everywhere', coverage: { each: 'tier = device-edge' } }],
    });
    await system.orchestrator().stop(10);
    const fleet = await fillFleet(system.data, count, nats?.keys);
    await system.startOrchestrator();
    const { pid } = system.orchestrator();
    await sleep(3000);
    const residentAlone = residentBytesOf(pid);
    say(
      `${count} agents over ${binding}: orchestrator without them ${Math.round(residentAlone / 1024 ** 2)} MiB`,
    );
    const server =
      nats === undefined ? undefined : { pid: nats.pid, residentAlone: residentBytesOf(nats.pid) };
    simulators.start(serverUrl, fleet);
    await simulators.all('polling');
    const rest = await measureRest({ pid, residentAlone }, server, count);
    const change = await measureChange(system, simulators, pid);
    return { ...rest, ...change };
  } finally {
    simulators.end();
    await close();
  }
}

type Rest = Omit<Figures, `fanOut${string}`>;

interface Watched {
  readonly pid: number;
  readonly residentAlone: number;
}

/** Two heartbeats after the last agent has come, so that all that belongs to coming is over. */
async function measureRest(orchestrator: Watched, server: Watched | undefined, count: number): Promise<Rest> {
  await sleep(20_000);
  const startedAt = performance.now();
  const watched = server === undefined ? [orchestrator] : [orchestrator, server];
  const before = watched.map(({ pid }) => cpuSecondsOf(pid));
  await sleep(seconds * 1000);
  const took = (performance.now() - startedAt) / 1000;
  const [own, servers] = watched.map(({ pid, residentAlone }, index) => ({
    cpuCores: rounded((cpuSecondsOf(pid) - (before[index] ?? 0)) / took, 3),
    bytesPerAgent: Math.round((residentBytesOf(pid) - residentAlone) / count),
  }));
  const rest = {
    cpuCores: own?.cpuCores ?? Number.NaN,
    bytesPerAgent: own?.bytesPerAgent ?? Number.NaN,
    openFiles: openFilesOf(orchestrator.pid),
    ...(servers === undefined
      ? {}
      : { natsServerCpuCores: servers.cpuCores, natsServerBytesPerAgent: servers.bytesPerAgent }),
  };
  say(`${count} agents at rest: ${JSON.stringify(rest)}`);
  return rest;
}

async function measureChange(
  system: TestSystem,
  simulators: Simulators,
  pid: number,
): Promise<Omit<Figures, keyof Rest>> {
  const id = await system.createService('everywhere', []);
  const reported = simulators.all('reported');
  const cpu = cpuSecondsOf(pid);
  const began = Date.now();
  await system.begin(id, 'instantiate');
  const news = await reported;
  const fanOutCpuSeconds = rounded(cpuSecondsOf(pid) - cpu);
  const took = news
    .flatMap((each) => (each.type === 'reported' ? each.at : []))
    .map((at) => (at - began) / 1000)
    .toSorted((a, b) => a - b);
  const quantile = (share: number): number => rounded(took[Math.ceil(took.length * share) - 1] ?? Number.NaN);
  const change = {
    fanOutP50Seconds: quantile(0.5),
    fanOutP99Seconds: quantile(0.99),
    fanOutAllSeconds: quantile(1),
    fanOutCpuSeconds,
  };
  say(`a change for all of ${took.length}: ${JSON.stringify(change)}`);
  return change;
}

const environment = describeEnvironment();
const measured: { readonly binding: Binding; readonly count: number; readonly figures: Figures }[] = [];
for (const binding of bindings)
  for (const count of counts) measured.push({ binding, count, figures: await measure(binding, count) });
const figures: Record<string, Record<string, Record<string, number>>> = {};
for (const { binding, count, figures: own } of measured)
  for (const [key, value] of Object.entries(own)) ((figures[key] ??= {})[binding] ??= {})[count] = value;
process.stdout.write(`${JSON.stringify({ bench: 'agents', figures, environment })}\n`);
process.exit(0);
