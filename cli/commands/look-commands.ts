import type { Command } from 'commander';
import { contextOf, type Environment } from '../context.ts';
import { age, printRows } from '../output.ts';

interface VnfcInstance {
  readonly name: string;
  readonly service?: string;
  readonly state: string;
  readonly hostId: string;
  readonly vimType?: string;
  readonly since?: string;
  readonly endpoints?: readonly string[];
}

interface HostRow {
  readonly hostId: string;
  readonly state: string;
  readonly vimType?: string;
  readonly draining: boolean;
  readonly cordoned?: boolean;
  readonly disputed: boolean;
  readonly stateConfirmed?: boolean;
  readonly revokedAt?: string;
  readonly braked?: boolean;
  readonly facts?: {
    readonly tier?: string;
    readonly architecture?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly agentVersion?: string;
    readonly agentUpgrade?: { readonly order?: { readonly version: string; readonly state: string } };
  };
  /** The version that its agent is to have. */
  readonly agentOrder?: { readonly version: string };
}

/** `iotmano ps` and `hosts`: what runs, and where. */
export function addLookCommands(program: Command, env: Environment): void {
  program
    .command('ps')
    .description('list the running copies (VNFC instances) of all functions')
    .option('--service <name>', 'only those of one service instance')
    .action(async ({ service }: { service?: string }, command: Command) => {
      const { client, format } = contextOf(command, env);
      const all = await client.list<VnfcInstance>('/iotmano/v1/vnfc_instances');
      const wanted = all.filter((row) => service === undefined || row.service === service);
      const rows = wanted.map((row) => ({
        ...row,
        host: row.hostId,
        vim: row.vimType,
        age: age(row.since, Date.now()),
        endpoints: row.endpoints?.join(' '),
      }));
      printRows(
        format,
        rows,
        ['name', 'service', 'state', 'host', 'vim', 'restarts', 'age', 'endpoints', 'reason'],
        wanted,
      );
    });

  program
    .command('hosts')
    .description('list hosts with tier, labels and state')
    .action(async (_options: unknown, command: Command) => {
      const { client, format } = contextOf(command, env);
      const hosts = await client.list<HostRow>('/iotmano/v1/hosts');
      const rows = hosts.map(({ facts, ...host }) => ({
        host: host.hostId,
        state: host.state,
        vim: host.vimType,
        tier: facts?.tier,
        arch: facts?.architecture,
        labels: Object.entries(facts?.labels ?? {})
          .map(([key, value]) => `${key}=${value}`)
          .join(','),
        agent: agentText(facts, host.agentOrder?.version),
        note: noteOn(host),
      }));
      printRows(format, rows, ['host', 'state', 'vim', 'tier', 'arch', 'labels', 'agent', 'note'], hosts);
    });
}

/** What an operator has to know of a host, or to do about it. */
function noteOn({
  hostId,
  draining,
  cordoned = false,
  disputed,
  stateConfirmed,
  revokedAt,
  braked,
}: Omit<HostRow, 'facts'>): string {
  return [
    disputed ? `two machines claim it: switch one off, then "iotmano host settle ${hostId}"` : '',
    stateConfirmed === false ? `follows another state: "iotmano host confirm ${hostId}"` : '',
    revokedAt === undefined ? '' : 'is revoked until it is enrolled with a new key',
    draining ? 'is being drained' : '',
    cordoned ? 'is cordoned' : '',
    braked === true ? 'network suspected: nothing is moved' : '',
  ]
    .filter((note) => note !== '')
    .join('; ');
}

/** The version of the agent, and how far it is on its way to another one. */
function agentText(facts: HostRow['facts'], ordered: string | undefined): string | undefined {
  const { agentVersion, agentUpgrade } = facts ?? {};
  const order = agentUpgrade?.order;
  const isNews = order !== undefined && order.state !== 'CONFIRMED';
  if (isNews)
    return `${agentVersion ?? ''} (${order.version} ${order.state.toLowerCase().replace('_', ' ')})`;
  return ordered === undefined || ordered === agentVersion
    ? agentVersion
    : `${agentVersion ?? ''} (${ordered} wanted)`;
}
