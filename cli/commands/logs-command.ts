import type { Command } from 'commander';
import { systemClock } from '../../kernel/index.ts';
import { wholeNumber } from '../arguments.ts';
import type { Client } from '../client.ts';
import { contextOf, type Environment } from '../context.ts';
import { FRAMES, cutOff, endText, readFrames, writeFrame } from '../diagnostic-frames.ts';
import { findCopy } from '../find-copy.ts';
import { stopSignal } from '../stop-signal.ts';

interface LogsOptions {
  readonly follow?: boolean;
  readonly tail?: number;
  readonly agentData?: string;
}

/** `iotmano logs`: output of a function, from its VIM, through the agent of its host, or on that host itself. */
export function addLogsCommand(program: Command, env: Environment): void {
  program
    .command('logs <name>')
    .description(
      'show the output of a running copy (a name of "iotmano ps"); beside an agent where an admin has said "iotmano diagnostics on logs", or on its host with --agent-data',
    )
    .option('-f, --follow', 'go on as output comes')
    .option('--tail <lines>', 'only the last lines', wholeNumber('--tail', 0))
    .option(
      '--agent-data <directory>',
      "data directory of this host's agent (or IOTMANO_AGENT_DATA); without it the orchestrator is asked",
    )
    .action(async (name: string, options: LogsOptions, command: Command) => {
      const { agentData = env['IOTMANO_AGENT_DATA'] } = options;
      if (agentData === undefined)
        await showThroughOrchestrator(contextOf(command, env).client, name, options);
      else
        for await (const chunk of await readFromAgent(agentData, name, options)) process.stdout.write(chunk);
    });
}

async function readFromAgent(
  agentData: string,
  name: string,
  { follow = false, tail }: LogsOptions,
): Promise<AsyncIterable<Uint8Array>> {
  const { readFunctionLogs } = await import('../../agents/index.ts');
  const abort = new AbortController();
  if (follow) void stopSignal().then(() => abort.abort());
  const options = { follow, signal: abort.signal, ...(tail === undefined ? {} : { tailLines: tail }) };
  return readFunctionLogs(agentData, name, options, systemClock);
}

async function showThroughOrchestrator(
  client: Client,
  name: string,
  { follow = false, tail }: LogsOptions,
): Promise<void> {
  const { id } = await findCopy(client, name);
  const query = new URLSearchParams({
    follow: String(follow),
    ...(tail === undefined ? {} : { tail: String(tail) }),
  });
  const output = await client.stream(`/iotmano/v1/vnfc_instances/${id}/logs?${query.toString()}`, FRAMES);
  for await (const frame of readFrames(output)) {
    await writeFrame(frame);
    if (frame.end !== undefined && frame.end.reason !== 'COMPLETE') throw cutOff(endText(frame.end));
  }
}
