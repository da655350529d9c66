import type { Command } from 'commander';
import { contextOf, type Environment } from '../context.ts';
import { age, printRows } from '../output.ts';

interface Alarm {
  readonly name: string;
  readonly perceivedSeverity: string;
  readonly text: string;
  readonly source: {
    readonly hostId?: string;
    readonly vnfInstanceId?: string;
    readonly vnfcInstanceId?: string;
    readonly zone?: string;
    readonly agentUpgradeId?: string;
  };
  readonly alarmRaisedTime: string;
  readonly alarmClearedTime?: string;
}

const ORDER = ['CRITICAL', 'MAJOR', 'MINOR', 'WARNING', 'INDETERMINATE', 'CLEARED'];

/** `iotmano alarms`: what is wrong, the worst first. */
export function addAlarmsCommand(program: Command, env: Environment): void {
  program
    .command('alarms')
    .description('list the alarms that stand, the worst first')
    .option('--all', 'also those that were cleared')
    .action(async ({ all }: { all?: true }, command: Command) => {
      const { client, format } = contextOf(command, env);
      const known = await client.list<Alarm>('/iotmano/v1/alarms');
      const alarms = known
        .filter(({ alarmClearedTime }) => all === true || alarmClearedTime === undefined)
        .toSorted(
          (a, b) =>
            ORDER.indexOf(a.perceivedSeverity) - ORDER.indexOf(b.perceivedSeverity) ||
            b.alarmRaisedTime.localeCompare(a.alarmRaisedTime),
        );
      const names = await functionNames();
      const rows = alarms.map(({ name, perceivedSeverity, text, source, alarmRaisedTime }) => ({
        severity: perceivedSeverity,
        alarm: name,
        source: sourceText(source),
        raised: age(alarmRaisedTime, Date.now()),
        text,
      }));
      printRows(format, rows, ['severity', 'alarm', 'source', 'raised', 'text'], alarms);

      async function functionNames(): Promise<ReadonlyMap<string, string>> {
        const functions = await client.list<{ id: string; vnfInstanceName?: string }>(
          '/vnflcm/v2/vnf_instances',
        );
        return new Map(functions.map(({ id, vnfInstanceName }) => [id, vnfInstanceName ?? id]));
      }

      function sourceText({ vnfInstanceId, hostId, zone, agentUpgradeId }: Alarm['source']): string {
        const name = vnfInstanceId === undefined ? undefined : (names.get(vnfInstanceId) ?? vnfInstanceId);
        const upgrade = agentUpgradeId === undefined ? undefined : 'agents';
        return [name, hostId, zone, upgrade].filter((part) => part !== undefined).join(' on ');
      }
    });
}
