import type { Command } from 'commander';
import { splitPair, wholeNumber } from '../arguments.ts';
import { contextOf, type Environment } from '../context.ts';
import { printJson, printRows, printText, say } from '../output.ts';
import { planText } from '../placement-text.ts';
import {
  createInstance,
  deployService,
  findInstance,
  functionIdOf,
  instancesOf,
  listInstances,
  operate,
  planService,
  removeInstance,
} from '../services.ts';
import { scheduleText } from '../schedule-text.ts';
import { addScaleCommand } from './scale-command.ts';
import { addUpgradeCommand } from './upgrade-command.ts';

interface PlanOptions {
  readonly param: Readonly<Record<string, unknown>>;
  readonly explain?: boolean;
}

interface DeployOptions {
  readonly name?: string;
  readonly param: Readonly<Record<string, unknown>>;
  readonly timeout: number;
}

interface HealOptions {
  readonly function: readonly string[];
  readonly cause: string;
  readonly timeout: number;
}

/** `iotmano service …`: plan, deploy, look after and remove services (NS instances). */
export function addServiceCommands(program: Command, env: Environment): void {
  const group = program
    .command('service')
    .description('plan, deploy, upgrade, scale, heal and remove services');
  addPlanAndDeploy(group, env);
  addListAndShow(group, env);
  addUpgradeCommand(group, env);
  addScaleCommand(group, env);
  addHealAndRemove(group, env);
}

const PARAMETER = [
  '--param <name=value>',
  'a parameter of the service (repeatable); the value is JSON or a string',
  collectParameter,
  {},
] as const;
const TIMEOUT = [
  '--timeout <seconds>',
  'how long to wait; the operation itself goes on',
  wholeNumber('--timeout', 1),
  300,
] as const;

function addPlanAndDeploy(group: Command, env: Environment): void {
  group
    .command('plan <service>')
    .description(
      'show where each function would run and why, or what finds no host and what would help, without changing anything',
    )
    .option(...PARAMETER)
    .option('--explain', 'also show for each instance the hosts that came next')
    .action(async (service: string, { param, explain = false }: PlanOptions, command: Command) => {
      const { client, format } = contextOf(command, env);
      const plan = await planService(client, service, param);
      if (format === 'json') printJson(plan);
      else printText(planText(plan, explain));
      if (!plan.fits) process.exitCode = 1;
    });

  group
    .command('deploy <service>')
    .description('create and instantiate a service from its onboarded descriptor (name, invariant id or id)')
    .option('--name <name>', 'name of the instance; the name of the service otherwise')
    .option(...PARAMETER)
    .option(...TIMEOUT)
    .action(async (service: string, { name, param, timeout }: DeployOptions, command: Command) => {
      const { client, format } = contextOf(command, env);
      const begin = performance.now();
      const instance = await createInstance(client, service, name);
      say(`deploying ${instance.nsInstanceName} (${instance.id})`);
      await deployService(client, instance, param, timeout);
      const seconds = Math.round(performance.now() - begin) / 1000;
      if (format === 'json') printJson({ id: instance.id, name: instance.nsInstanceName, seconds });
      else say(`${instance.nsInstanceName} runs (${seconds} s)`);
    });
}

function addListAndShow(group: Command, env: Environment): void {
  group
    .command('list')
    .description('list service instances')
    .action(async (_options: unknown, command: Command) => {
      const { client, format } = contextOf(command, env);
      const instances = await listInstances(client);
      const rows = instances.map(({ nsInstanceName, nsState, nsdId, id }) => ({
        name: nsInstanceName,
        state: nsState,
        descriptor: nsdId,
        id,
      }));
      printRows(format, rows, ['name', 'state', 'descriptor', 'id'], instances);
    });

  group
    .command('show <name>')
    .description('show one service instance whole')
    .action(async (name: string, _options: unknown, command: Command) => {
      const { client, format } = contextOf(command, env);
      const instance = await findInstance(client, name);
      if (format === 'json') {
        printJson(instance);
        return;
      }
      const { nsInstanceName, nsState, nsdId, id, parameters, nsScaleStatus = [] } = instance;
      const aspects = nsScaleStatus.map(
        ({ nsScalingAspectId, nsScaleLevelId }) => `${nsScalingAspectId} at level ${nsScaleLevelId}`,
      );
      const scaling = aspects.length === 0 ? '' : `scaling     ${aspects.join(', ')}\n`;
      process.stdout.write(
        `name        ${nsInstanceName}\nid          ${id}\nstate       ${nsState}\ndescriptor  ${nsdId}\nparameters  ${JSON.stringify(parameters)}\n${scaling}\n`,
      );
      const rows = (await instancesOf(client, instance)).map((row) => ({ ...row, host: row.hostId }));
      printRows(format, rows, ['name', 'state', 'host', 'restarts', 'reason']);
      process.stdout.write(scheduleText(rows));
    });
}

function addHealAndRemove(group: Command, env: Environment): void {
  group
    .command('heal <name>')
    .description('replace what does not do its work; with --function, those functions whatever they do')
    .option('--function <function>', 'name of a function of the service (repeatable)', collect, [])
    .option('--cause <text>', 'why, for the record; with --function', 'operator request')
    .option(...TIMEOUT)
    .action(async (name: string, options: HealOptions, command: Command) => {
      const { client, format } = contextOf(command, env);
      const instance = await findInstance(client, name);
      const healVnfData = options.function.map((wanted) => ({
        vnfInstanceId: functionIdOf(instance, wanted),
        cause: options.cause,
      }));
      const request =
        healVnfData.length > 0 ? { healVnfData } : { healNsData: { degreeHealing: 'HEAL_RESTORE' } };
      await operate(client, instance, 'heal', request, options.timeout);
      if (format === 'json') printJson({ id: instance.id, name: instance.nsInstanceName });
      else say(`${name} is healed`);
    });

  group
    .command('rm <name>')
    .description('terminate and delete a service instance; ends an operation of it that is under way')
    .option(...TIMEOUT)
    .action(async (name: string, { timeout }: { timeout: number }, command: Command) => {
      const { client, format } = contextOf(command, env);
      const instance = await findInstance(client, name);
      await removeInstance(client, instance, timeout);
      if (format === 'json') printJson({ id: instance.id, name: instance.nsInstanceName });
      else say(`${name} is gone`);
    });
}

function collect(text: string, collected: readonly string[]): readonly string[] {
  return [...collected, text];
}

function collectParameter(text: string, collected: Record<string, unknown>): Record<string, unknown> {
  const [name, value] = splitPair('--param', text);
  return { ...collected, [name]: parseValue(value) };
}

/** JSON where it is JSON, else the text itself. */
function parseValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
