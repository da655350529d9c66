/**
 * `npm run bench:autoscale`: demand curves against each scaling policy and the rule of the Kubernetes HPA: every curve that the project carries
 * replayed in virtual time, and one played really, by simulated devices against the virtual CSE, with a plot of each play.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { IotmanoError } from '../kernel/index.ts';
import { HPA, policiesFor } from './autoscale/contenders.ts';
import { byTrace, verdicts, type Outcome } from './autoscale/outcome.ts';
import { outcomeTable } from './autoscale/outcome-table.ts';
import { perInstanceOf, playForReal, type PlayTerms } from './autoscale/play-for-real.ts';
import { plotPlay } from './autoscale/plot-play.ts';
import { replayTrace } from './autoscale/replay-traces.ts';
import { carriedTraces } from './autoscale/traces.ts';
import { describeEnvironment } from './environment.ts';
import { openRealCse, type RealCse } from './real-cse/open-real-cse.ts';
import { rounded } from './statistics.ts';

const POLICIES = [...Object.keys(policiesFor({ indicator: '', full: 1, speed: 1, stepSeconds: 1 })), HPA];
const PLOTS = join(import.meta.dirname, '../docs/performance');
const RECONNECTION = 'generated:reconnection-burst';
/** Second of the generated trace in which the power is back. */
const BACK_SECONDS = 248;
/** The devices come back half a sync period of the HPA after the play begins: what it is late by is what it is late by on average. */
const BURST = { fromSeconds: BACK_SECONDS - 8, forSeconds: 60 } as const;
const { values } = parseArgs({
  options: {
    /** How much shorter the periods of all rules are in real plays. */
    speed: { type: 'string', default: '1' },
    trace: { type: 'string', default: RECONNECTION },
    /** Seconds of the trace in one of a play in which periods are as they are. */
    pace: { type: 'string', default: '1' },
    from: { type: 'string', default: String(BURST.fromSeconds) },
    for: { type: 'string', default: String(BURST.forSeconds) },
    policy: { type: 'string', multiple: true, default: POLICIES },
    /** Of each recorded trace, for replays. */
    rows: { type: 'string', default: '200' },
    plots: { type: 'string', default: PLOTS },
    'no-play': { type: 'boolean', default: false },
    'no-replay': { type: 'boolean', default: false },
    short: { type: 'boolean', default: false },
  },
});

function above0(option: 'speed' | 'pace' | 'for' | 'rows'): number {
  const value = Number(values[option]);
  if (value > 0) return value;
  throw new IotmanoError('invalid-parameter', `--${option} must be a number above 0`);
}
for (const name of values.policy)
  if (!POLICIES.includes(name))
    throw new IotmanoError('invalid-parameter', `--policy ${name}: there are ${POLICIES.join(', ')}`);
const fromSeconds = Number(values.from);
if (!(fromSeconds >= 0)) throw new IotmanoError('invalid-parameter', '--from must be a number, 0 or above');

const speed = above0('speed');
/** What `--short` makes of it. */
const SHORT = { forSeconds: 15, policies: ['target'], rows: 60 } as const;
const terms: PlayTerms = {
  trace: values.trace,
  name: values.trace.replace(/^generated:|^.*\/|\.csv$/g, '') + (speed === 1 ? '' : ` x${speed}`),
  traceSpeed: speed * above0('pace'),
  periodSpeed: speed,
  fromSeconds,
  forSeconds: values.short ? SHORT.forSeconds : above0('for'),
  peakPerSecond: 200,
  declared: { serviceMilliseconds: 200, concurrency: 8 },
};
const policies = values.short ? SHORT.policies : values.policy;
/** What chance moves the figures of a real play by; replays have none. */
const PLAY_MARGIN = 0.1;

function replayAll(): readonly Outcome[] {
  return carriedTraces(values.short ? SHORT.rows : above0('rows')).flatMap((carried) => {
    process.stderr.write(`replaying ${carried.name}\n`);
    return replayTrace(carried);
  });
}

let cse: RealCse | undefined;
async function playAll(): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  cse = await openRealCse();
  for (const policy of policies) {
    process.stderr.write(`playing ${terms.name} against ${policy}\n`);
    const played = await playForReal(cse, terms, policy);
    outcomes.push(played.outcome);
    mkdirSync(values.plots, { recursive: true });
    writeFileSync(
      join(values.plots, `autoscale-${terms.name.replaceAll(' ', '-')}-${policy}.svg`),
      plotPlay(played, terms),
    );
    const { requests, playerLagMilliseconds: lag } = played.load;
    process.stderr.write(
      `  ${requests.due} requests, ${requests.late} late, ${requests.failed} failed ${JSON.stringify(requests.faults)}; the player itself: p99 ${lag.p99} ms\n`,
    );
  }
  return outcomes;
}

function figuresOf(outcomes: readonly Outcome[], margin: number): Readonly<Record<string, unknown>> {
  return {
    lateShare: byTrace(outcomes, ({ lateShare }) => rounded(lateShare, 5)),
    instanceSeconds: byTrace(outcomes, ({ instanceSeconds }) => Math.round(instanceSeconds)),
    reactionSeconds: byTrace(outcomes, ({ breaches, meanSeconds, longestSeconds, undecidedSeconds }) => ({
      breaches,
      mean: rounded(meanSeconds),
      longest: rounded(longestSeconds),
      ...(undecidedSeconds === undefined ? {} : { undecided: rounded(undecidedSeconds) }),
    })),
    besideHpa: verdicts(outcomes, margin),
  };
}

async function close(): Promise<void> {
  const open = cse;
  cse = undefined;
  await open?.close();
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.once(signal, () => void close().finally(() => process.exit(1)));

const environment = describeEnvironment();
try {
  const replayed = values['no-replay'] ? [] : replayAll();
  const played = values['no-play'] ? [] : await playAll();
  if (replayed.length > 0) process.stderr.write(`\nreplayed in virtual time\n${outcomeTable(replayed, 0)}\n`);
  if (played.length > 0)
    process.stderr.write(
      `\nplayed really; declared capacity: ${perInstanceOf(terms.declared)} requests/s for each instance\n${outcomeTable(played, PLAY_MARGIN)}\n`,
    );
  const figures = {
    played: { ...figuresOf(played, PLAY_MARGIN), terms },
    replayed: figuresOf(replayed, 0),
  };
  process.stdout.write(`${JSON.stringify({ bench: 'autoscale', figures, environment })}\n`);
} finally {
  await close();
}
