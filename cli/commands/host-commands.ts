import type { Command } from 'commander';
import { wholeNumber } from '../arguments.ts';
import { contextOf, type Environment } from '../context.ts';
import { drainHost } from '../drain-host.ts';
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
    name: 'cordon',
    description: 'place nothing more there; what is there stays',
    change: { cordoned: true },
    done: 'is cordoned',
  },
  {
    name: 'uncordon',
    description: 'let functions be placed there again, after cordon or drain',
    change: { cordoned: false, draining: false },
    done: 'is used again',
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
  {
    name: 'revoke',
    description: 'trust its key no more, at once and for ever: a machine that was stolen or broken into',
    change: { revoked: true },
    done: 'is revoked; it is heard again once it is enrolled with a new key (iotmano agent enrol --new-key)',
  },
];

interface SetOptions {
  readonly costPerHour?: number | 'unknown';
  readonly taint?: readonly string[];
  readonly taints: boolean;
}

function cost(text: string): number | 'unknown' {
  if (text === 'unknown') return text;
  const amount = Number(text);
  if (text.trim() === '' || !(amount >= 0 && amount <= 1e6))
    throw new CliFailure(
      EXIT.usage,
      `--cost-per-hour wants a number from 0 to 1000000, or "unknown"; got "${text}"`,
    );
  return amount;
}

/** Members of HostModifications. @throws CliFailure where nothing is to be changed */
function modificationsOf({ costPerHour, taint, taints }: SetOptions): object {
  const changes = {
    ...(costPerHour === undefined ? {} : { costPerHour: costPerHour === 'unknown' ? null : costPerHour }),
    ...(taint === undefined ? {} : { taints: taint.map(parseTaint) }),
    ...(taints ? {} : { taints: null }),
  };
  if (Object.keys(changes).length > 0) return changes;
  throw new CliFailure(EXIT.usage, 'nothing to change: give --cost-per-hour, --taint or --no-taints');
}

function parseTaint(text: string): { readonly text: string; readonly effect: string } {
  return text.endsWith(':avoid')
    ? { text: text.slice(0, -':avoid'.length), effect: 'avoid' }
    : { text: text.replace(/:refuse$/, ''), effect: 'refuse' };
}

/** `iotmano host …`: what only an operator decides about a host. */
export function addHostCommands(program: Command, env: Environment): void {
  const group = program
    .command('host')
    .description('explain, cordon, drain, confirm, settle, give up, revoke or forget one host');
  const pathOf = (hostId: string): string => `/iotmano/v1/hosts/${encodeURIComponent(hostId)}`;
  addExplain(group, env, pathOf);
  addDrain(group, env, pathOf);
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
    .command('set <hostId>')
    .description('say what the host costs, and who keeps off it')
    .option('--cost-per-hour <amount>', 'in the currency of the installation; "unknown" takes it back', cost)
    .option(
      '--taint <taint...>',
      'key or key=value: keeps out what does not tolerate it, or with :avoid at its end makes the host worse; replaces all taints',
    )
    .option('--no-taints', 'nobody keeps off any more')
    .action(async (hostId: string, options: SetOptions, command: Command) => {
      const { client, format } = contextOf(command, env);
      const { body } = await client.patch(pathOf(hostId), modificationsOf(options));
      if (format === 'json') printJson(body);
      else say(`${hostId} is changed`);
    });

  group
    .command('forget <hostId>')
    .description('delete a host that will not come back and that nothing is assigned to')
    .action(async (hostId: string, _options: unknown, command: Command) => {
      await contextOf(command, env).client.delete(pathOf(hostId));
      say(`${hostId} is forgotten`);
    });
}

interface DrainCommandOptions {
  readonly wait?: boolean;
  readonly deadline?: number;
  readonly maxInstances?: number;
  readonly maxAway?: number;
}

const DEFAULT_DEADLINE_SECONDS = 600;

function addDrain(group: Command, env: Environment, pathOf: (hostId: string) => string): void {
  group
    .command('drain <hostId>')
    .description(
      'move away what may move, each copy when its successor is well, and place nothing more there; with an option, wait until everything has stopped',
    )
    .option('--wait', `follow it until the host is empty, or ${DEFAULT_DEADLINE_SECONDS} s have passed`)
    .option(
      '--deadline <seconds>',
      'follow it for so long at most; nothing is forced then, and what has begun goes on',
      wholeNumber('--deadline', 1),
    )
    .option('--max-instances <n>', 'move so many instances at a time', wholeNumber('--max-instances', 1))
    .option(
      '--max-away <n>',
      'move so many instances of one function at a time',
      wholeNumber('--max-away', 1),
    )
    .action(async (hostId: string, options: DrainCommandOptions, command: Command) => {
      const { client, format } = contextOf(command, env);
      const { wait = false, deadline, maxInstances, maxAway } = options;
      const budget = {
        ...(maxInstances === undefined ? {} : { maxInstances }),
        ...(maxAway === undefined ? {} : { maxAway }),
      };
      const hasBudget = Object.keys(budget).length > 0;
      if (!wait && deadline === undefined && !hasBudget) {
        const { body } = await client.patch(pathOf(hostId), { draining: true });
        if (format === 'json') printJson(body);
        else say(`${hostId} is being drained`);
        return;
      }
      const host = await drainHost(client, hostId, {
        ...(hasBudget ? { budget } : {}),
        deadlineSeconds: deadline ?? DEFAULT_DEADLINE_SECONDS,
      });
      if (format === 'json') printJson(host);
      else say(`${hostId} is empty`);
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
