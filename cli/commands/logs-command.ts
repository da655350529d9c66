import type { Command } from 'commander';
import { messageOf, systemClock } from '../../kernel/index.ts';
import { wholeNumber } from '../arguments.ts';
import type { Client } from '../client.ts';
import { contextOf, type Environment } from '../context.ts';
import { CliFailure, EXIT } from '../failure.ts';
import { stopSignal } from '../stop-signal.ts';

interface LogsOptions {
  readonly follow?: boolean;
  readonly tail?: number;
  readonly agentData?: string;
}

/** `iotmano logs`: output of a function, from its VIM, or on the host that it runs on. */
export function addLogsCommand(program: Command, env: Environment): void {
  program
    .command('logs <name>')
    .description('show the output of a running copy (a name of "iotmano ps"); beside an agent, on its host')
    .option('-f, --follow', 'go on as output comes')
    .option('--tail <lines>', 'only the last lines', wholeNumber('--tail', 0))
    .option(
      '--agent-data <directory>',
      "data directory of this host's agent (or IOTMANO_AGENT_DATA); without it the orchestrator is asked",
    )
    .action(async (name: string, options: LogsOptions, command: Command) => {
      const { agentData = env['IOTMANO_AGENT_DATA'] } = options;
      const output =
        agentData === undefined
          ? await readFromVim(contextOf(command, env).client, name, options)
          : await readFromAgent(agentData, name, options);
      for await (const chunk of output) process.stdout.write(chunk);
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

interface Copy {
  readonly id: string;
  readonly name: string;
  readonly service?: string;
  readonly hostId: string;
  readonly vimType: string;
  readonly generation: number;
}

async function readFromVim(
  client: Client,
  name: string,
  { follow = false, tail }: LogsOptions,
): Promise<AsyncIterable<Uint8Array>> {
  const { id, hostId, vimType } = chooseCopy(await client.list<Copy>('/iotmano/v1/vnfc_instances'), name);
  if (vimType === 'agent')
    throw new CliFailure(
      EXIT.usage,
      `${name} runs on host ${hostId}, and its output is there; on that host, say where its agent keeps its data: --agent-data DIRECTORY, or IOTMANO_AGENT_DATA`,
    );
  const query = new URLSearchParams({
    follow: String(follow),
    ...(tail === undefined ? {} : { tail: String(tail) }),
  });
  const path = `/iotmano/v1/vnfc_instances/${id}/logs?${query.toString()}`;
  return orCutOff(await client.stream(path, { accept: 'text/plain, application/problem+json' }));
}

async function* orCutOff(output: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* output;
  } catch (error) {
    throw new CliFailure(EXIT.unreachable, `the output was cut off: ${messageOf(error)}; ask again`);
  }
}

/** Of several generations side by side the newest is meant. */
function chooseCopy(copies: readonly Copy[], name: string): Copy {
  const matches = copies.filter((copy) => copy.name === name || copy.id === name);
  const [chosen, ...others] = matches.toSorted((one, other) => other.generation - one.generation);
  if (chosen === undefined)
    throw new CliFailure(
      EXIT.notFound,
      `no copy is called "${name}"; "iotmano ps" lists those that there are`,
    );
  const rival = others.find(({ generation }) => generation === chosen.generation);
  if (rival === undefined) return chosen;
  const ids = matches.map(({ id, hostId, service = '-' }) => `${id} (service ${service}, host ${hostId})`);
  throw new CliFailure(EXIT.usage, `several copies are called "${name}"; say which by its id`, ids);
}
