import type { Command } from 'commander';
import type { Client } from '../client.ts';
import { contextOf, type Environment } from '../context.ts';
import { CliFailure, EXIT } from '../failure.ts';
import { printJson, printRows, say } from '../output.ts';

const OF_FUNCTIONS = '/vnflcm/v2/vnf_lcm_op_occs';
const OF_SERVICES = '/nslcm/v2/ns_lcm_op_occs';

interface Occurrence {
  readonly id: string;
  readonly operationState: string;
  readonly operation?: string;
  readonly lcmOperationType?: string;
  readonly startTime: string;
  readonly vnfInstanceId?: string;
  readonly nsInstanceId?: string;
}

const TASKS = {
  retry: 'try on what has failed',
  rollback: 'go back to what was before',
  fail: 'give it up and leave everything as it is',
} as const;

/** `iotmano operation …`: what is under way or waits for a decision, of functions and of services. */
export function addOperationCommands(program: Command, env: Environment): void {
  const group = program
    .command('operation')
    .description('list, show, pause, resume, retry, roll back, fail or cancel operations');
  addList(group, env);
  group
    .command('show <id>')
    .description('show one operation whole, as JSON')
    .action(async (id: string, _options: unknown, command: Command) => {
      const { client } = contextOf(command, env);
      printJson((await client.get(await pathOf(client, id))).body);
    });
  for (const [name, description] of Object.entries(TASKS))
    group
      .command(`${name} <id>`)
      .description(description)
      .action(async (id: string, _options: unknown, command: Command) => {
        const { client } = contextOf(command, env);
        await client.post(`${await pathOf(client, id)}/${name}`);
        say(`${id}: ${name} is taken`);
      });
  group
    .command('cancel <id>')
    .description('stop it at its next step; it then waits for retry, rollback or fail')
    .option('--force', 'of a service: do not wait for what its functions have begun, but cancel that, too')
    .action(async (id: string, { force = false }: { force?: boolean }, command: Command) => {
      const { client } = contextOf(command, env);
      const cancelMode = force ? 'FORCEFUL' : 'GRACEFUL';
      await client.post(`${await pathOf(client, id)}/cancel`, { cancelMode });
      say(`${id}: cancel is taken`);
    });
  addPause(group, env);
}

function addList(group: Command, env: Environment): void {
  group
    .command('list')
    .description('list operations, the newest last')
    .option('--open', 'only those that are under way or wait for a decision')
    .action(async ({ open = false }: { open?: boolean }, command: Command) => {
      const { client, format } = contextOf(command, env);
      const [functions, services] = await Promise.all(
        [OF_FUNCTIONS, OF_SERVICES].map((path) => client.list<Occurrence>(path)),
      );
      const all = [...(functions ?? []), ...(services ?? [])]
        .filter(
          ({ operationState }) => !open || !['COMPLETED', 'FAILED', 'ROLLED_BACK'].includes(operationState),
        )
        .toSorted((a, b) => (a.startTime < b.startTime ? -1 : 1));
      const rows = all.map((each) => ({
        id: each.id,
        operation: each.operation ?? each.lcmOperationType,
        of: each.vnfInstanceId === undefined ? 'service' : 'function',
        instance: each.vnfInstanceId ?? each.nsInstanceId,
        state: each.operationState,
        since: each.startTime,
      }));
      printRows(format, rows, ['id', 'operation', 'of', 'instance', 'state', 'since'], all);
    });
}

function addPause(group: Command, env: Environment): void {
  for (const [name, description, done] of [
    ['pause', 'begin no further step of a change of version; a failed gate still counts', 'is paused'],
    ['resume', 'go on with a change of version that was paused', 'goes on'],
  ] as const)
    group
      .command(`${name} <id>`)
      .description(description)
      .action(async (id: string, _options: unknown, command: Command) => {
        const { client } = contextOf(command, env);
        await client.post(`/iotmano/v1/vnf_lcm_op_occs/${encodeURIComponent(id)}/${name}`);
        say(`${id} ${done}`);
      });
}

/** Where an operation is: of a function, or of a service. @throws CliFailure where there is none */
async function pathOf(client: Client, id: string): Promise<string> {
  for (const path of [OF_FUNCTIONS, OF_SERVICES].map((base) => `${base}/${encodeURIComponent(id)}`)) {
    const found = await client.get(path).catch((error: unknown) => {
      if (error instanceof CliFailure && error.exitCode === EXIT.notFound) return undefined;
      throw error;
    });
    if (found !== undefined) return path;
  }
  throw new CliFailure(EXIT.notFound, `there is no operation ${id}; see "iotmano operation list"`);
}
