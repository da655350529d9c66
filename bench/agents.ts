/**
 * `npm run bench:agents`: so many agents on one orchestrator, over real sockets: what they cost it while nothing changes, and how long a change takes that
 * concerns all of them. `--agents 1000,10000` says how many, `--binding` how they speak, `--seconds` how long nothing changes.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { IotmanoError } from '../kernel/index.ts';
import type { TestSystem } from '../test/kit/test-system.ts';
import { fillFleet } from './agents/fill-fleet.ts';
import { BINDINGS, openSystem, type Binding } from './agents/open-system.ts';
import { cpuSecondsOf, openFilesOf, residentBytesOf } from './agents/process-usage.ts';
import { Simulators } from './agents/simulators.ts';
import { describeEnvironment } from './environment.ts';
import { rounded } from './statistics.ts';

const { values } = parseArgs({
  options: {
    agents: { type: 'string', default: '1000' },
    binding: { type: 'string', default: BINDINGS.join(',') },
    seconds: { type: 'string', default: '20' },
  },
});

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
  const [own, ofServer] = await Promise.all([
    usageOf(orchestrator, count),
    server === undefined ? undefined : usageOf(server, count),
  ]);
  const rest = {
    ...own,
    openFiles: openFilesOf(orchestrator.pid),
    ...(ofServer === undefined
      ? {}
      : { natsServerCpuCores: ofServer.cpuCores, natsServerBytesPerAgent: ofServer.bytesPerAgent }),
  };
  say(`${count} agents at rest: ${JSON.stringify(rest)}`);
  return rest;
}

async function usageOf(
  { pid, residentAlone }: Watched,
  count: number,
): Promise<Pick<Figures, 'cpuCores' | 'bytesPerAgent'>> {
  const startedAt = performance.now();
  const before = cpuSecondsOf(pid);
  await sleep(seconds * 1000);
  const took = (performance.now() - startedAt) / 1000;
  return {
    cpuCores: rounded((cpuSecondsOf(pid) - before) / took, 3),
    bytesPerAgent: Math.round((residentBytesOf(pid) - residentAlone) / count),
  };
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
