/**
 * `npm run bench:lifecycle`: from a request until every instance runs, and from another until all are gone, for 1 and for 50 instances,
 * through the orchestrator and its drivers, beside the raw tool of each in the same run.
 */
import { parseArgs } from 'node:util';
import { IotmanoError } from '../kernel/index.ts';
import { describeEnvironment } from './environment.ts';
import { openOrchestrated } from './lifecycle/orchestrated.ts';
import type { Contender } from './lifecycle/program.ts';
import { RAW_TOOLS, type DriverName } from './lifecycle/raw-tools.ts';
import { median, rounded } from './statistics.ts';

const DRIVERS = Object.keys(RAW_TOOLS) as DriverName[];
const { values } = parseArgs({
  options: {
    scale: { type: 'string', default: '1' },
    driver: { type: 'string', multiple: true, default: DRIVERS },
    instances: { type: 'string', multiple: true, default: ['1', '50'] },
  },
});
const scale = Number(values.scale);
if (!(scale > 0)) throw new IotmanoError('invalid-parameter', '--scale must be a number above 0');
for (const name of values.driver)
  if (!DRIVERS.some((driver) => driver === name))
    throw new IotmanoError('invalid-parameter', `--driver ${name}: there are ${DRIVERS.join(', ')}`);
const drivers = DRIVERS.filter((name) => values.driver.includes(name));

const counts = values.instances.map(Number);
if (!counts.every((count) => Number.isInteger(count) && count > 0))
  throw new IotmanoError('invalid-parameter', '--instances must be whole numbers above 0');
const environment = { ...describeEnvironment(), scale };
const MOST_ROUNDS = Math.max(1, Math.round(5 * scale));
/** Rounds beyond the first are begun within it: 50 containers take so long that medians of five would take more than 3 minutes. */
const BUDGET_SECONDS = { process: 10, docker: 25, kubernetes: 25 } as const;

interface Round {
  readonly startMs: number;
  readonly stopMs: number;
}

interface Comparison {
  readonly rounds: number;
  readonly raw: Round;
  readonly ours: Round;
}

async function timed(work: () => Promise<void>): Promise<number> {
  const begin = performance.now();
  await work();
  return performance.now() - begin;
}

async function measure(contender: Contender, count: number): Promise<Round> {
  const startMs = await timed(() => contender.start(count));
  return { startMs, stopMs: await timed(() => contender.stop()) };
}

function medianRound(rounds: readonly Round[]): Round {
  const of = (key: keyof Round): number => rounded(median(rounds.map((round) => round[key])), 1);
  return { startMs: of('startMs'), stopMs: of('stopMs') };
}

/** One round of each after the other, so that both have the same machine. */
async function compare(
  driver: DriverName,
  count: number,
  { raw, ours }: { readonly raw: Contender; readonly ours: Contender },
): Promise<Comparison> {
  const end = performance.now() + BUDGET_SECONDS[driver] * 1000 * scale;
  const rounds: { raw: Round; ours: Round }[] = [];
  while (rounds.length === 0 || (rounds.length < MOST_ROUNDS && performance.now() < end)) {
    const round = { raw: await measure(raw, count), ours: await measure(ours, count) };
    rounds.push(round);
    process.stderr.write(
      `${driver} ${count}: raw ${tell(round.raw)}, through the orchestrator ${tell(round.ours)}\n`,
    );
  }
  return {
    rounds: rounds.length,
    raw: medianRound(rounds.map((round) => round.raw)),
    ours: medianRound(rounds.map((round) => round.ours)),
  };
}

const tell = ({ startMs, stopMs }: Round): string => `${Math.round(startMs)} + ${Math.round(stopMs)} ms`;

async function compareAll(driver: DriverName): Promise<Record<string, Comparison>> {
  process.stderr.write(`${driver}: ${RAW_TOOLS[driver].what}\n`);
  try {
    const ours = await openOrchestrated(driver, [...new Set([1, ...counts])]);
    open.add(ours);
    const raw = await RAW_TOOLS[driver].open();
    open.add(raw);
    // What is loaded at first use is no part of a median.
    await measure(ours, 1);
    const comparisons: Record<string, Comparison> = {};
    for (const count of counts) comparisons[count] = await compare(driver, count, { raw, ours });
    return comparisons;
  } finally {
    await closeAll();
  }
}

/** What is to be closed, also when the benchmark is stopped. */
const open = new Set<Contender>();
async function closeAll(): Promise<void> {
  const all = [...open];
  open.clear();
  await Promise.allSettled(all.map((contender) => contender.close()));
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.once(signal, () => void closeAll().finally(() => process.exit(1)));

const figures = {
  /** Through the orchestrator against the raw tool, by driver and instances. */
  ratioToRawTool: {} as Record<string, Record<string, { start: number; stop: number }>>,
  overheadMs: {} as Record<string, Record<string, { start: number; stop: number }>>,
  /** Medians. */
  rawMs: {} as Record<string, Record<string, Round>>,
  oursMs: {} as Record<string, Record<string, Round>>,
  rounds: {} as Record<string, Record<string, number>>,
};

for (const driver of drivers) {
  const comparisons = Object.entries(await compareAll(driver));
  const by = <T>(figure: (comparison: Comparison) => T): Record<string, T> =>
    Object.fromEntries(comparisons.map(([count, comparison]) => [count, figure(comparison)]));
  figures.ratioToRawTool[driver] = by(({ raw, ours }) => ({
    start: rounded(ours.startMs / raw.startMs),
    stop: rounded(ours.stopMs / raw.stopMs),
  }));
  figures.overheadMs[driver] = by(({ raw, ours }) => ({
    start: Math.round(ours.startMs - raw.startMs),
    stop: Math.round(ours.stopMs - raw.stopMs),
  }));
  figures.rawMs[driver] = by(({ raw }) => raw);
  figures.oursMs[driver] = by(({ ours }) => ours);
  figures.rounds[driver] = by(({ rounds }) => rounds);
  const few = comparisons.filter(([, { rounds }]) => rounds < 5);
  for (const [count, { rounds }] of few)
    process.stderr.write(`${driver} ${count}: ${rounds} rounds only, for lack of time\n`);
}
process.stdout.write(`${JSON.stringify({ bench: 'lifecycle', figures, environment })}\n`);
