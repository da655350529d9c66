import type { Command } from 'commander';
import {
  UPGRADES,
  countsText,
  followUpgrade,
  newestUpgrade,
  openUpgrade,
  parseWave,
  releaseOf,
  type AgentUpgrade,
} from '../agent-upgrades.ts';
import { wholeNumber } from '../arguments.ts';
import type { Client } from '../client.ts';
import { contextOf, type Environment } from '../context.ts';
import { CliFailure, EXIT } from '../failure.ts';
import { idempotencyKey } from '../operation.ts';
import { printJson, printRows, say, type OutputFormat } from '../output.ts';

interface UpgradeFlags extends Partial<Readonly<Record<Task, boolean>>> {
  readonly select?: string;
  readonly wave?: readonly string[];
  readonly bake?: number;
  readonly maxFailed?: number;
  readonly atOnce?: number;
  readonly confirmWithin?: number;
  readonly giveUpAfter?: number;
  readonly bitsPerSecond?: number;
  readonly wait: boolean;
  readonly timeout: number;
}

const TASKS = ['pause', 'resume', 'cancel', 'retry', 'fail'] as const;
type Task = (typeof TASKS)[number];

/** How the upgrade stands after each. */
const AFTER: Readonly<Record<Task, string>> = {
  pause: 'is paused',
  resume: 'goes on',
  cancel: 'is cancelled; end it with --fail, or go on with --retry',
  retry: 'goes on',
  fail: 'is over',
};

/** `iotmano agent upgrade` and `upgrades`: agents of hosts to another version, in waves. */
export function addAgentUpgradeCommands(agent: Command, env: Environment): void {
  addUpgrade(agent, env);
  const group = agent.command('upgrades').description('look at upgrades of agents');
  group
    .command('list')
    .description('list them, also those that are over')
    .action(async (_options: unknown, command: Command) => {
      const { client, format } = contextOf(command, env);
      const upgrades = await client.list<AgentUpgrade>(UPGRADES);
      const rows = upgrades.map((upgrade) => ({
        ...upgrade,
        state: upgrade.operationState,
        started: upgrade.startTime,
        why: upgrade.error?.detail,
      }));
      printRows(format, rows, ['version', 'state', 'started', 'id', 'why'], upgrades);
    });
  group
    .command('show [id]')
    .description('show one with its hosts, by default the newest')
    .action(async (id: string | undefined, _options: unknown, command: Command) => {
      const { client, format } = contextOf(command, env);
      const path = `${UPGRADES}/${encodeURIComponent(id ?? (await newestUpgrade(client)).id)}`;
      const { body } = await client.get<AgentUpgrade>(path);
      if (format === 'table') {
        say(`${body.operationState}  ${countsText(body)}`);
        if (body.error !== undefined) say(body.error.detail);
      }
      const rows = (body.hosts ?? []).map((host) => ({ ...host, host: host.hostId, agent: host.version }));
      printRows(format, rows, ['host', 'standing', 'agent', 'reason'], body);
    });
}

function addUpgrade(agent: Command, env: Environment): void {
  agent
    .command('upgrade [version]')
    .description(
      'bring the agents of hosts to a release, in waves; a version that does not come up on a host is left there by itself, and stops the upgrade',
    )
    .option('--select <expression>', 'only hosts that match, such as "tier = device-edge"')
    .option(
      '--wave <wave...>',
      'hosts that come first, one part after the other: a number, a share such as 10%, or a label expression (default: 1 10%)',
    )
    .option('--bake <seconds>', 'watch each part for so long before the next', wholeNumber('--bake', 0))
    .option('--max-failed <n>', 'hosts that may fail without stopping it', wholeNumber('--max-failed', 0))
    .option('--at-once <n>', 'hosts under way at a time', wholeNumber('--at-once', 1))
    .option(
      '--confirm-within <seconds>',
      'how long the version has on a host',
      wholeNumber('--confirm-within', 1),
    )
    .option(
      '--give-up-after <seconds>',
      'a host that is heard and does not end its order counts as failed then',
      wholeNumber('--give-up-after', 10),
    )
    .option(
      '--bits-per-second <n>',
      'how fast a host fetches it at most',
      wholeNumber('--bits-per-second', 1000),
    )
    .option('--no-wait', 'only begin it')
    .option(
      '--timeout <seconds>',
      'how long to wait; the upgrade itself goes on',
      wholeNumber('--timeout', 1),
      3600,
    )
    .option('--pause', 'hold the upgrade that is open')
    .option('--resume', 'let it go on')
    .option('--cancel', 'stop it; hosts that have not begun keep their version')
    .option('--retry', 'go on after it has stopped')
    .option('--fail', 'end one that has stopped')
    .action(async (version: string | undefined, flags: UpgradeFlags, command: Command) => {
      const tasks = TASKS.filter((task) => flags[task] === true);
      const [task] = tasks;
      if (tasks.length + (version === undefined ? 0 : 1) !== 1)
        throw new CliFailure(
          EXIT.usage,
          'give the version of a release to begin with, or one of --pause, --resume, --cancel, --retry and --fail',
        );
      const { client, format } = contextOf(command, env);
      if (task === undefined) await begin(client, format, version ?? '', flags);
      else await tellOpenUpgrade(client, task);
    });
}

async function tellOpenUpgrade(client: Client, task: Task): Promise<void> {
  const { id, version } = await openUpgrade(client);
  await client.post(`${UPGRADES}/${id}/${task}`);
  say(`the upgrade to ${version} ${AFTER[task]}`);
}

async function begin(
  client: Client,
  format: OutputFormat,
  version: string,
  flags: UpgradeFlags,
): Promise<void> {
  const { id: agentReleaseId } = await releaseOf(client, version);
  const request = { agentReleaseId, ...requestOf(flags) };
  const { body } = await client.post<AgentUpgrade>(UPGRADES, request, idempotencyKey());
  const end = flags.wait ? await followUpgrade(client, body.id, flags.timeout) : body;
  if (format === 'json') printJson(end);
  else say(flags.wait ? `agents are at ${body.version}` : `begun as ${body.id}`);
}

function requestOf(flags: UpgradeFlags): object {
  const { select, wave, bake, maxFailed, atOnce, confirmWithin, giveUpAfter, bitsPerSecond } = flags;
  const members = {
    select,
    waves: wave?.map(parseWave),
    bakeSeconds: bake,
    maxFailed,
    maxAtOnce: atOnce,
    confirmWithinSeconds: confirmWithin,
    giveUpAfterSeconds: giveUpAfter,
    bitsPerSecond,
  };
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}
