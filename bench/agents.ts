/**
 * `npm run bench:agents`: so many agents on one orchestrator, over real sockets: what they cost it while nothing changes, and how long a change takes that
 * concerns all of them. `--agents 1000,10000` says how many, `--binding` how they speak, `--seconds` how long nothing changes.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { IotmanoError } from '../kernel/index.ts';
import { createTestSystem, type TestSystem } from '../test/kit/test-system.ts';
import { fillFleet, type Fleet } from './agents/fill-fleet.ts';
import { cpuSecondsOf, openFilesOf, residentBytesOf } from './agents/process-usage.ts';
import type { SimulatorNews, SimulatorOrder } from './agents/simulator.ts';
import { describeEnvironment } from './environment.ts';
import { rounded } from './statistics.ts';

const { values } = parseArgs({
  options: {
    agents: { type: 'string', default: '1000' },
    binding: { type: 'string', default: 'http' },
    seconds: { type: 'string', default: '20' },
  },
});

/** Bindings of Mco, and where agents find an orchestrator by each. */
const BINDINGS: Readonly<Record<string, (system: TestSystem) => string>> = { http: ({ url }) => url };
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
const serverUrlOf = BINDINGS[values.binding];
if (serverUrlOf === undefined)
  throw new IotmanoError(
    'invalid-parameter',
    `--binding must be one of ${Object.keys(BINDINGS).join(', ')}; got ${values.binding}`,
  );
const addressOf = serverUrlOf;

interface Figures {
  readonly cpuCores: number;
  readonly bytesPerAgent: number;
  readonly fanOutP50Seconds: number;
  readonly fanOutP99Seconds: number;
  readonly fanOutAllSeconds: number;
  readonly fanOutCpuSeconds: number;
  readonly openFiles: number;
}

/** News of all simulators, once each of them has it. */
class Simulators {
  readonly #children: ChildProcess[] = [];

  start(system: TestSystem, fleet: Fleet): void {
    const { hostIds, privateKeyPem, stateId } = fleet;
    const processes = Math.ceil(hostIds.length / AGENTS_PER_PROCESS);
    for (let at = 0; at < processes; at += 1) {
      const child = fork(join(import.meta.dirname, 'agents/simulator.ts'), {
        stdio: ['ignore', 2, 2, 'ipc'],
      });
      child.setMaxListeners(20);
      const own = hostIds.filter((_, index) => index % processes === at);
      const startsPerSecond = STARTS_PER_SECOND / processes;
      child.send({
        serverUrl: addressOf(system),
        hostIds: own,
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

async function measure(count: number): Promise<Figures> {
  const system = await createTestSystem();
  const simulators = new Simulators();
  try {
    await system.startOrchestrator();
    await system.onboard({ everywhere: { more: { healing: { lostAfter: '60s' } } } });
    await system.onboardServices({
      everywhere: [{ name: 'everywhere', coverage: { each: 'tier = device-edge' } }],
    });
    await system.orchestrator().stop(10);
    const fleet = await fillFleet(system.data, count);
    await system.startOrchestrator();
    const { pid } = system.orchestrator();
    await sleep(3000);
    const residentAlone = residentBytesOf(pid);
    say(`${count} agents: orchestrator without them ${Math.round(residentAlone / 1024 ** 2)} MiB`);
    simulators.start(system, fleet);
    await simulators.all('polling');
    const rest = await measureRest(pid, count, residentAlone);
    const change = await measureChange(system, simulators, pid);
    return { ...rest, ...change };
  } finally {
    simulators.end();
    await system.cleanUp();
  }
}

type Rest = Pick<Figures, 'cpuCores' | 'bytesPerAgent' | 'openFiles'>;

/** A heartbeat after the last agent has come, so that all that belongs to coming is over. */
async function measureRest(pid: number, count: number, residentAlone: number): Promise<Rest> {
  await sleep(10_000);
  const before = { at: performance.now(), cpu: cpuSecondsOf(pid) };
  await sleep(seconds * 1000);
  const took = (performance.now() - before.at) / 1000;
  const rest = {
    cpuCores: rounded((cpuSecondsOf(pid) - before.cpu) / took, 3),
    bytesPerAgent: Math.round((residentBytesOf(pid) - residentAlone) / count),
    openFiles: openFilesOf(pid),
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
const byCount: Record<string, Figures> = {};
for (const count of counts) byCount[count] = await measure(count);
const keys = Object.keys(Object.values(byCount)[0] ?? {}) as (keyof Figures)[];
const figures = Object.fromEntries(
  keys.map((key) => [
    key,
    {
      [values.binding]: Object.fromEntries(Object.entries(byCount).map(([count, own]) => [count, own[key]])),
    },
  ]),
);
process.stdout.write(`${JSON.stringify({ bench: 'agents', figures, environment })}\n`);
process.exit(0);
