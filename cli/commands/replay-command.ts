import { basename } from 'node:path';
import type { Command } from 'commander';
import { buildScalingPolicy, type WrittenPolicy } from '../../descriptors/index.ts';
import {
  REPLAY_INDICATOR,
  parseDemandTrace,
  peakOf,
  replay,
  usualSpacing,
  type DemandTrace,
  type ReplayOptions,
  type ReplayResult,
  type Replayed,
} from '../../orchestrator/scaling/replay/index.ts';
import { CliFailure, EXIT } from '../failure.ts';
import { printJson, printRows, say, type OutputFormat } from '../output.ts';
import { readPolicyFile, readText } from '../read-policy.ts';

interface ReplayFlags {
  readonly trace: string;
  readonly policy: readonly string[];
  readonly speed?: number;
  readonly perInstance?: number;
  readonly full: number;
  readonly min: number;
  readonly max: number;
  readonly start: number;
  readonly patience: number;
  readonly collect: number;
}

/** Of one row of a trace, when nobody says how fast it is played. */
const ROW_SECONDS = 60;
const PEAK_INSTANCES = 8;

/** `iotmano scaling replay`: what policies would have done, without an orchestrator. */
export function addReplayCommand(group: Command): void {
  group
    .command('replay')
    .description(
      'play a demand trace (CSV of timestamp,value) against scaling policies, beside the rule of the Kubernetes HPA; in no time and without an orchestrator',
    )
    .requiredOption('--trace <file>', 'rows of timestamp,value; demand per second')
    .option(
      '--policy <file>',
      `a policy (YAML or JSON) over the indicator \`${REPLAY_INDICATOR}\`, the demand on each instance (repeatable; default: one of each type)`,
      collect,
      [],
    )
    .option(
      '--speed <n>',
      `seconds of the trace in one (default: a row in ${ROW_SECONDS} s)`,
      above0('--speed'),
    )
    .option(
      '--per-instance <n>',
      `demand that one instance serves (default: the peak takes ${PEAK_INSTANCES})`,
      above0('--per-instance'),
    )
    .option(
      '--full <share>',
      'how full instances are to be, for the default policies and the HPA',
      above0('--full'),
      0.7,
    )
    .option('--min <n>', 'least number of instances', above0('--min'), 1)
    .option('--max <n>', 'greatest number of instances', above0('--max'), 20)
    .option('--start <seconds>', 'from a step until its instances serve', above0('--start'), 3)
    .option('--patience <seconds>', 'what waits for longer is late', above0('--patience'), 1)
    .option('--collect <seconds>', 'between two measurements', above0('--collect'), 1)
    .action((flags: ReplayFlags, command: Command) => {
      const { output } = command.optsWithGlobals<{ output?: OutputFormat }>();
      const trace = parseDemandTrace(readText(flags.trace), basename(flags.trace));
      const options = optionsFor(flags, trace);
      const results = contenders(flags, options).map((one) => replay(options, one));
      print(results, options, output ?? 'table');
    });
}

function optionsFor(flags: ReplayFlags, trace: DemandTrace): ReplayOptions {
  const peak = peakOf(trace);
  if (peak <= 0) throw new CliFailure(EXIT.usage, `${flags.trace} has no demand above zero`);
  if (flags.min > flags.max)
    throw new CliFailure(EXIT.usage, `--min ${flags.min} is above --max ${flags.max}`);
  return {
    trace,
    speed: flags.speed ?? usualSpacing(trace) / ROW_SECONDS,
    perInstance: flags.perInstance ?? peak / PEAK_INSTANCES,
    min: Math.round(flags.min),
    max: Math.round(flags.max),
    startSeconds: flags.start,
    patienceSeconds: flags.patience,
    collectSeconds: flags.collect,
  };
}

function contenders(flags: ReplayFlags, { perInstance }: ReplayOptions): readonly Replayed[] {
  const target = perInstance * flags.full;
  const written: readonly (readonly [string, WrittenPolicy])[] =
    flags.policy.length > 0
      ? flags.policy.map((file) => [basename(file), readPolicyFile(file)] as const)
      : defaultsFor(perInstance, target).map((policy) => [String(policy['type']), policy] as const);
  return [
    ...written.map(([name, policy]): Replayed => ({
      type: 'policy',
      name,
      policy: buildScalingPolicy(policy),
    })),
    { type: 'hpa', name: 'HPA rule', target },
  ];
}

function defaultsFor(perInstance: number, target: number): readonly WrittenPolicy[] {
  const tracking = { indicator: REPLAY_INDICATOR, target };
  return [
    { type: 'threshold', indicator: REPLAY_INDICATOR, up: perInstance * 0.8, down: perInstance * 0.4 },
    { type: 'target', ...tracking },
    { type: 'predictive', ...tracking },
    { type: 'learning', ...tracking },
  ];
}

function print(results: readonly ReplayResult[], options: ReplayOptions, format: OutputFormat): void {
  if (format === 'json') {
    const { trace: _trace, ...played } = options;
    printJson({ played, results });
    return;
  }
  const rows = results.map(({ name, lateShare, instanceSeconds, steps, reaction, highestLevel }) => ({
    policy: name,
    late: `${(lateShare * 100).toFixed(3)} %`,
    'instance-seconds': Math.round(instanceSeconds),
    out: steps.out,
    in: steps.in,
    highest: highestLevel,
    breaches: reaction.breaches,
    'mean breach': `${reaction.meanSeconds.toFixed(1)} s`,
    'longest breach': `${reaction.longestSeconds.toFixed(0)} s`,
  }));
  const [first] = results;
  printRows('table', rows, Object.keys(rows[0] ?? {}));
  say(
    `${Math.round(first?.playedSeconds ?? 0)} s played at speed ${Number(options.speed.toPrecision(4))}; an instance serves ${Number(options.perInstance.toPrecision(4))} and starts in ${options.startSeconds} s`,
  );
}

function collect(text: string, collected: readonly string[]): readonly string[] {
  return [...collected, text];
}

function above0(option: string): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() !== '' && value > 0 && Number.isFinite(value)) return value;
    throw new CliFailure(EXIT.usage, `${option} wants a number above zero; got "${text}"`);
  };
}
