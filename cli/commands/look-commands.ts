import type { Command } from 'commander';
import { createParser } from 'eventsource-parser';
import { contextOf, type Environment } from '../context.ts';
import { age, printRows } from '../output.ts';

interface VnfcInstance {
  readonly name: string;
  readonly service?: string;
  readonly state: string;
  readonly hostId: string;
  readonly since?: string;
  readonly [key: string]: unknown;
}

interface HostRow {
  readonly hostId: string;
  readonly state: string;
  readonly facts?: {
    readonly tier?: string;
    readonly architecture?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly agentVersion?: string;
  };
  readonly [key: string]: unknown;
}

/** `iotmano ps`, `hosts`, `events`: what runs, where, and what happens. */
export function addLookCommands(program: Command, env: Environment): void {
  program
    .command('ps')
    .description('list the running copies (VNFC instances) of all functions')
    .option('--service <name>', 'only those of one service instance')
    .action(async ({ service }: { service?: string }, command: Command) => {
      const { client, format } = contextOf(command, env);
      const all = await client.list<VnfcInstance>('/iotmano/v1/vnfc_instances');
      const wanted = all.filter((row) => service === undefined || row.service === service);
      const rows = wanted.map((row) => ({ ...row, host: row.hostId, age: age(row.since, Date.now()) }));
      printRows(format, rows, ['name', 'service', 'state', 'host', 'restarts', 'age', 'reason'], wanted);
    });

  program
    .command('hosts')
    .description('list hosts with tier, labels and state')
    .action(async (_options: unknown, command: Command) => {
      const { client, format } = contextOf(command, env);
      const hosts = await client.list<HostRow>('/iotmano/v1/hosts');
      const rows = hosts.map(({ hostId, state, facts }) => ({
        host: hostId,
        state,
        tier: facts?.tier,
        arch: facts?.architecture,
        labels: Object.entries(facts?.labels ?? {})
          .map(([key, value]) => `${key}=${value}`)
          .join(','),
        agent: facts?.agentVersion,
      }));
      printRows(format, rows, ['host', 'state', 'tier', 'arch', 'labels', 'agent'], hosts);
    });

  program
    .command('events')
    .description('show what has changed, one line each; with --follow, for ever')
    .option('-f, --follow', 'go on as events come')
    .option('--since <revision>', 'only what came after that revision')
    .action(async ({ follow, since }: { follow?: boolean; since?: string }, command: Command) => {
      const { client, format } = contextOf(command, env);
      const abort = new AbortController();
      let last = since;
      do {
        const query = new URLSearchParams({
          ...(follow === true ? {} : { follow: 'false' }),
          ...(last === undefined ? {} : { since: last }),
        });
        const stream = await client.stream(
          `/iotmano/v1/events?${query}`,
          { accept: 'text/event-stream' },
          abort.signal,
        );
        last = (await printEvents(stream, format === 'json')) ?? last;
      } while (follow === true);
    });
}

/** Prints every event of a stream; returns the revision of the last one. */
async function printEvents(stream: AsyncIterable<Uint8Array>, asJson: boolean): Promise<string | undefined> {
  let last: string | undefined;
  const decoder = new TextDecoder();
  const parser = createParser({
    onEvent: ({ id, data }) => {
      last = id ?? last;
      if (asJson) process.stdout.write(`${data}\n`);
      else printEvent(id, JSON.parse(data) as Record<string, unknown>);
    },
  });
  for await (const chunk of stream) parser.feed(decoder.decode(chunk, { stream: true }));
  return last;
}

function printEvent(id: string | undefined, event: Record<string, unknown>): void {
  const { kind, id: record, ...rest } = event;
  const details = Object.entries(rest)
    .filter(([key, value]) => key !== 'revision' && value !== undefined && value !== null)
    .map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  process.stdout.write(`${id ?? '-'} ${String(kind)} ${String(record)} ${details.join(' ')}\n`);
}
