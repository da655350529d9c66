import type { Command } from 'commander';
import { systemClock } from '../../kernel/index.ts';
import type { Environment } from '../context.ts';
import { wholeNumber } from '../arguments.ts';
import { CliFailure, EXIT } from '../failure.ts';
import { stopSignal } from '../stop-signal.ts';

interface LogsOptions {
  readonly follow?: boolean;
  readonly tail?: number;
  readonly agentData?: string;
}

/** `iotmano logs`: output of a function, on the host that it runs on. */
export function addLogsCommand(program: Command, env: Environment): void {
  program
    .command('logs <name>')
    .description('show the output of a running copy (a name of "iotmano ps"), on the host that it runs on')
    .option('-f, --follow', 'go on as output comes')
    .option('--tail <lines>', 'only the last lines', wholeNumber('--tail', 0))
    .option('--agent-data <directory>', "data directory of the host's agent (or IOTMANO_AGENT_DATA)")
    .action(async (name: string, { follow, tail, agentData = env['IOTMANO_AGENT_DATA'] }: LogsOptions) => {
      if (agentData === undefined)
        throw new CliFailure(
          EXIT.usage,
          'say where the agent of this host keeps its data: --agent-data DIRECTORY, or IOTMANO_AGENT_DATA',
        );
      const { readFunctionLogs } = await import('../../agents/index.ts');
      const abort = new AbortController();
      if (follow === true) void stopSignal().then(() => abort.abort());
      const options = {
        follow: follow === true,
        signal: abort.signal,
        ...(tail === undefined ? {} : { tailLines: tail }),
      };
      for await (const chunk of await readFunctionLogs(agentData, name, options, systemClock))
        process.stdout.write(chunk);
    });
}
