import { Option, type Command } from 'commander';
import type { Client } from '../client.ts';
import { contextOf, type Environment } from '../context.ts';
import { CliFailure, EXIT } from '../failure.ts';
import { age, printJson, printRows, say } from '../output.ts';
import { addVimOptions, vimBody, type VimOptions } from '../vim-options.ts';

const VIMS = '/iotmano/v1/vim_connections';
/** Where a token is taken from that is in no file. */
const TOKEN_VARIABLE = 'IOTMANO_VIM_TOKEN';
const DEFAULT_DOCKER_ENDPOINT = 'unix:///var/run/docker.sock';

interface Vim {
  readonly vimId: string;
  readonly vimType: string;
  readonly credentials: string;
  readonly health: { readonly state: string; readonly since: string; readonly reason?: string };
  readonly stateConfirmed: boolean;
  readonly assignments: number;
  readonly interfaceInfo?: { readonly endpoint?: string };
  readonly inventory?: { readonly members?: readonly { readonly isReady: boolean }[] };
}

interface Check {
  readonly isReachable: boolean;
  readonly milliseconds: number;
  readonly reason?: string;
  readonly remedy?: string;
}

const pathOf = (vimId: string): string => `${VIMS}/${encodeURIComponent(vimId)}`;

/** `iotmano vim …`: platforms that the orchestrator drives itself. */
export function addVimCommands(program: Command, env: Environment): void {
  const group = program
    .command('vim')
    .description('register, look at, check and remove VIMs: platforms that the orchestrator drives itself');
  addChanges(group, env);
  addLooks(group, env);
}

function addChanges(group: Command, env: Environment): void {
  addVimOptions(group.command('add <vimId>'))
    .description('register a VIM, and say whether it can be reached; it becomes a host of that id')
    .addOption(
      new Option('--type <vimType>', 'what it is').choices(['docker', 'kubernetes']).makeOptionMandatory(),
    )
    .action(async (vimId: string, options: VimOptions & { type: string }, command: Command) => {
      const { client, format } = contextOf(command, env);
      const body = await vimBody(withDefaults(options), tokenOf(options, env));
      const { body: vim } = await client.post<Vim>(VIMS, { vimId, vimType: options.type, ...body });
      if (format === 'json') printJson(vim);
      else say(`${vimId} is registered; ${inWords(await check(client, vimId))}`);
    });

  addVimOptions(group.command('set <vimId>'))
    .description('change how a VIM is reached or what it is; credentials that are given replace all old ones')
    .action(async (vimId: string, options: VimOptions, command: Command) => {
      const { client, format } = contextOf(command, env);
      const body = await vimBody(options);
      if (Object.keys(body).length === 0)
        throw new CliFailure(EXIT.usage, 'nothing is to be changed; say what, e.g. --token-file FILE');
      const { body: vim } = await client.patch<Vim>(pathOf(vimId), body);
      if (format === 'json') printJson(vim);
      else if (vim.stateConfirmed) say(`${vimId} is changed`);
      else say(`${vimId} is changed; it gets no orders until "iotmano host confirm ${vimId}"`);
    });

  group
    .command('rm <vimId>')
    .description('forget a VIM to which nothing is assigned, and its credentials with it')
    .action(async (vimId: string, _options: unknown, command: Command) => {
      const { client } = contextOf(command, env);
      const { isReachable } = await check(client, vimId);
      await client.delete(pathOf(vimId));
      const left = isReachable ? '' : '; it could not be reached: what is there stays there';
      say(`${vimId} is forgotten${left}`);
    });
}

function addLooks(group: Command, env: Environment): void {
  group
    .command('list')
    .description('list VIMs with their health')
    .action(async (_options: unknown, command: Command) => {
      const { client, format } = contextOf(command, env);
      const vims = await client.list<Vim>(VIMS);
      const rows = vims.map((vim) => ({
        vim: vim.vimId,
        type: vim.vimType,
        health: vim.health.state,
        for: age(vim.health.since, Date.now()),
        endpoint: vim.interfaceInfo?.endpoint,
        machines: machinesOf(vim),
        workloads: vim.assignments,
        note: noteOn(vim),
      }));
      const columns = ['vim', 'type', 'health', 'for', 'endpoint', 'machines', 'workloads', 'note'];
      printRows(format, rows, columns, vims);
    });

  group
    .command('show <vimId>')
    .description('show all that is known of a VIM, as JSON; never its credentials')
    .action(async (vimId: string, _options: unknown, command: Command) => {
      printJson((await contextOf(command, env).client.get<Vim>(pathOf(vimId))).body);
    });

  group
    .command('check <vimId>')
    .description('try the connection now, and say what is wrong; ends with 1 where it cannot be reached')
    .action(async (vimId: string, _options: unknown, command: Command) => {
      const { client, format } = contextOf(command, env);
      const found = await check(client, vimId);
      if (format === 'json') printJson(found);
      else if (found.isReachable) say(`${vimId}: ${inWords(found)}`);
      if (!found.isReachable) throw new CliFailure(EXIT.failed, `${vimId}: ${inWords(found)}`);
    });
}

/** Where nothing else says who we are, the environment may. */
function tokenOf(options: VimOptions & { type: string }, env: Environment): string | undefined {
  const { tokenFile, kubeconfig, keyFile, inCluster, type } = options;
  const hasOther = [tokenFile, kubeconfig, keyFile, inCluster].some((value) => value !== undefined);
  const token = env[TOKEN_VARIABLE];
  return type !== 'kubernetes' || hasOther || token === '' ? undefined : token;
}

/** The engine of this machine, as `docker` itself takes it. */
function withDefaults(options: VimOptions & { type: string }): VimOptions {
  const isPlain = options.type === 'docker' && options.endpoint === undefined;
  return isPlain ? { ...options, endpoint: DEFAULT_DOCKER_ENDPOINT } : options;
}

async function check(client: Client, vimId: string): Promise<Check> {
  return (await client.post<Check>(`${pathOf(vimId)}/check`)).body;
}

function inWords({ isReachable, milliseconds, reason = '', remedy = '' }: Check): string {
  return isReachable ? `it answers (${milliseconds} ms)` : `it cannot be reached: ${reason}; ${remedy}`;
}

function machinesOf({ inventory }: Vim): string | undefined {
  const members = inventory?.members;
  if (members === undefined) return undefined;
  return `${members.filter(({ isReady }) => isReady).length}/${members.length}`;
}

function noteOn({ vimId, health, stateConfirmed }: Vim): string {
  const state = stateConfirmed ? [] : [`waits for "iotmano host confirm ${vimId}"`];
  return [...state, ...(health.reason === undefined ? [] : [health.reason])].join('; ');
}
