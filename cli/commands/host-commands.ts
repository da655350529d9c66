import type { Command } from 'commander';
import { contextOf, type Environment } from '../context.ts';
import { explainChoice } from '../explain-choice.ts';
import { CliFailure, EXIT } from '../failure.ts';
import { hostText, type HostExplanation } from '../host-text.ts';
import { printJson, printText, say } from '../output.ts';

interface Act {
  readonly name: string;
  readonly description: string;
  /** Of HostModifications. */
  readonly change: Readonly<Record<string, boolean>>;
  readonly done: string;
}

const ACTS: readonly Act[] = [
  {
    name: 'drain',
    description: 'move away what may move, and place nothing more there',
    change: { draining: true },
    done: 'is being drained',
  },
  {
    name: 'undrain',
    description: 'let functions be placed there again',
    change: { draining: false },
    done: 'is used again',
  },
  {
    name: 'confirm',
    description:
      'let it follow the state of this orchestrator, which is another one than it was enrolled with',
    change: { stateConfirmed: true },
    done: 'follows this orchestrator',
  },
  {
    name: 'settle',
    description: 'end a dispute of two machines over its identity; switch one of them off before',
    change: { disputed: false },
    done: 'is no longer disputed',
  },
  {
    name: 'give-up',
    description: 'take it for lost now; what may move is placed elsewhere',
    change: { givenUp: true },
    done: 'is given up',
  },
];

/** `iotmano host …`: what only an operator decides about a host. */
export function addHostCommands(program: Command, env: Environment): void {
  const group = program
    .command('host')
    .description('explain, drain, confirm, settle, give up or forget one host');
  const pathOf = (hostId: string): string => `/iotmano/v1/hosts/${encodeURIComponent(hostId)}`;
  addExplain(group, env, pathOf);
  for (const { name, description, change, done } of ACTS) {
    group
      .command(`${name} <hostId>`)
      .description(description)
      .action(async (hostId: string, _options: unknown, command: Command) => {
        const { client, format } = contextOf(command, env);
        const { body } = await client.patch(pathOf(hostId), change);
        if (format === 'json') printJson(body);
        else say(`${hostId} ${done}`);
      });
  }

  group
    .command('forget <hostId>')
    .description('delete a host that will not come back and that nothing is assigned to')
    .action(async (hostId: string, _options: unknown, command: Command) => {
      await contextOf(command, env).client.delete(pathOf(hostId));
      say(`${hostId} is forgotten`);
    });
}

interface ExplainOptions {
  readonly for?: string;
  readonly function?: string;
}

function addExplain(group: Command, env: Environment, pathOf: (hostId: string) => string): void {
  group
    .command('explain <hostId>')
    .description(
      'show what a host offers, what runs there and why, and which functions may run there or what stands against it',
    )
    .option('--for <name>', 'only a service instance, a function instance or an onboarded function')
    .option('--function <name>', 'with the service of --for: only that function of it')
    .action(async (hostId: string, options: ExplainOptions, command: Command) => {
      if (options.function !== undefined && options.for === undefined)
        throw new CliFailure(EXIT.usage, '--function wants the service that it is of: --for SERVICE');
      const { client, format } = contextOf(command, env);
      const choice =
        options.for === undefined ? {} : await explainChoice(client, options.for, options.function);
      const query = new URLSearchParams(choice).toString();
      const path = `${pathOf(hostId)}/explanation${query === '' ? '' : `?${query}`}`;
      const { body } = await client.get<HostExplanation>(path);
      if (format === 'json') printJson(body);
      else printText(hostText(body));
    });
}
