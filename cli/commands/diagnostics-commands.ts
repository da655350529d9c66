import { Argument, type Command } from 'commander';
import type { components } from '../../api-specs/generated/iotmano.ts';
import { wholeNumber } from '../arguments.ts';
import { contextOf, type Environment } from '../context.ts';
import { printJson, printRows } from '../output.ts';

type Diagnostics = components['schemas']['Diagnostics'];
type AuditEntry = components['schemas']['AuditEntry'];

const PATH = '/iotmano/v1/diagnostics';
const KINDS = ['logs', 'exec'] as const;

/** `iotmano diagnostics` and `iotmano audit`: the switches, and who has used what they allow. */
export function addDiagnosticsCommands(program: Command, env: Environment): void {
  program
    .command('diagnostics')
    .description(
      'show or switch what may be looked into: logs of functions beside agents, exec of commands beside functions',
    )
    .addArgument(new Argument('[state]', 'switch on or off; neither: show').choices(['on', 'off']))
    .addArgument(new Argument('[kind]', 'only this; otherwise both').choices(KINDS))
    .action(
      async (
        state: string | undefined,
        kind: (typeof KINDS)[number] | undefined,
        _o: unknown,
        command: Command,
      ) => {
        const { client, format } = contextOf(command, env);
        const changes = Object.fromEntries(
          (kind === undefined ? KINDS : [kind]).map((each) => [each, state === 'on']),
        );
        const { body } =
          state === undefined
            ? await client.get<Diagnostics>(PATH)
            : await client.patch<Diagnostics>(PATH, changes);
        if (format === 'json') return printJson(body);
        const rows = KINDS.map((each) => ({
          kind: each,
          state: body[each] ? 'on' : 'off',
          changed: body.changed[each]?.at ?? '-',
          by: body.changed[each]?.by ?? '-',
        }));
        printRows(format, rows, ['kind', 'state', 'changed', 'by']);
      },
    );

  program
    .command('audit')
    .description('list who has used diagnostics and switched them, the newest last')
    .option('--last <entries>', 'only so many', wholeNumber('--last', 1), 50)
    .action(async ({ last }: { last: number }, command: Command) => {
      const { client, format } = contextOf(command, env);
      const entries = (await client.list<AuditEntry>('/iotmano/v1/audit_entries')).slice(-last);
      printRows(
        format,
        entries.map(rowOf),
        ['at', 'user', 'tenant', 'action', 'copy', 'host', 'what', 'end'],
        entries,
      );
    });
}

function rowOf(entry: AuditEntry): Record<string, string> {
  const { at, user, tenant, action, copy = '-', hostId = '-', command, switched, end } = entry;
  const switches = Object.entries(switched ?? {}).map(([kind, isOn]) => `${kind} ${isOn ? 'on' : 'off'}`);
  return {
    at,
    user,
    tenant,
    action,
    copy,
    host: hostId,
    what: (command ?? switches).join(' ') || '-',
    end: action === 'switch' ? '-' : endOf(end),
  };
}

function endOf(end: AuditEntry['end']): string {
  if (end === undefined) return 'goes on';
  const how = end.exitCode ?? end.signal;
  return `${end.reason}${how === undefined ? '' : ` ${how}`}, ${end.outputBytes} B`;
}
