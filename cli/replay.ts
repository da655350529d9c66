import { basename } from 'node:path';
import { buildScalingPolicy, type WrittenPolicy } from '../descriptors/index.ts';
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
} from '../orchestrator/scaling/replay/index.ts';
import { CliFailure, EXIT } from './failure.ts';
import { printJson, printRows, say, type OutputFormat } from './output.ts';
import { readPolicyFile, readText } from './read-policy.ts';
import { PEAK_INSTANCES, ROW_SECONDS, type ReplayFlags } from './replay-flags.ts';

/** Plays a trace against policies, and prints what each would have done. @throws CliFailure for a file or a bound that is wrong */
export async function replayTrace(flags: ReplayFlags, format: OutputFormat): Promise<void> {
  const trace = parseDemandTrace(readText(flags.trace), basename(flags.trace));
  const options = optionsFor(flags, trace);
  const results = (await contenders(flags, options)).map((one) => replay(options, one));
  print(results, options, format);
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

async function contenders(flags: ReplayFlags, { perInstance }: ReplayOptions): Promise<readonly Replayed[]> {
  const target = perInstance * flags.full;
  const written: readonly (readonly [string, WrittenPolicy])[] =
    flags.policy.length > 0
      ? await Promise.all(
          flags.policy.map(async (file) => [basename(file), await readPolicyFile(file)] as const),
        )
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
