import type { Command } from 'commander';
import type { REPLAY_INDICATOR } from '../../orchestrator/scaling/replay/index.ts';
import { CliFailure, EXIT } from '../failure.ts';
import type { OutputFormat } from '../output.ts';
import { PEAK_INSTANCES, ROW_SECONDS, type ReplayFlags } from '../replay-flags.ts';

/** Said again, so that the policies are not loaded for help. */
const INDICATOR: typeof REPLAY_INDICATOR = 'demand';

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
      `a policy (YAML or JSON) over the indicator \`${INDICATOR}\`, the demand on each instance (repeatable; default: one of each type)`,
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
    .action(async (flags: ReplayFlags, command: Command) => {
      const { output } = command.optsWithGlobals<{ output?: OutputFormat }>();
      const { replayTrace } = await import('../replay.ts');
      await replayTrace(flags, output ?? 'table');
    });
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
