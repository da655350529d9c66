import type { Command } from 'commander';
import type { components } from '../../api-specs/generated/iotmano.ts';
import { parseSeconds } from '../../kernel/index.ts';
import type { Client } from '../client.ts';
import { contextOf, type Environment } from '../context.ts';
import { CliFailure, EXIT } from '../failure.ts';
import { findFunction } from '../find-function.ts';
import { age, printJson, printRows, say } from '../output.ts';
import { readPolicyFile } from '../read-policy.ts';
import { listInstances } from '../services.ts';
import { addReplayCommand } from './replay-command.ts';

type Aspect = components['schemas']['ScalingAspect'];
type Modifications = components['schemas']['ScalingAspectModifications'];

/** `iotmano scaling …`: what scales by itself, why, and what is to stay as it is. */
export function addScalingCommands(program: Command, env: Environment): void {
  const group = program
    .command('scaling')
    .description('see and set what scales automatically, and replay demand against policies');
  addLooking(group, env);
  addSetting(group, env);
  addReplayCommand(group);
}

function addLooking(group: Command, env: Environment): void {
  group
    .command('list')
    .description('list the scaling aspects of all functions and services')
    .action(async (_options: unknown, command: Command) => {
      const { client, format } = contextOf(command, env);
      const aspects = await client.list<Aspect>('/iotmano/v1/scaling_aspects');
      printRows(format, aspects.map(rowOf), COLUMNS, aspects);
    });
  withAspect(group.command('show <name>'))
    .description('show why an aspect has the level it has, and what its policy found last')
    .action(async (name: string, { aspect }: AspectOption, command: Command) => {
      const { client, format } = contextOf(command, env);
      const { body } = await client.get<Aspect>(await pathOf(client, name, aspect));
      if (format === 'json') printJson(body);
      else show(body);
    });
}

function addSetting(group: Command, env: Environment): void {
  const change = async (
    command: Command,
    name: string,
    aspect: string | undefined,
    changes: Modifications,
  ) => {
    const { client, format } = contextOf(command, env);
    const { body } = await client.patch<Aspect>(await pathOf(client, name, aspect), changes);
    printRows(format, [rowOf(body)], COLUMNS, body);
  };
  withAspect(group.command('hold <name>'))
    .description('keep an aspect at its level; its policy only looks')
    .option('--for <duration>', 'for so long, e.g. 30m (default: until it is released)')
    .action(async (name: string, options: AspectOption & { for?: string }, command: Command) =>
      change(command, name, options.aspect, { hold: holdFor(options.for) }),
    );
  withAspect(group.command('release <name>'))
    .description('let the policy act again, also after scaling by hand')
    .action(async (name: string, { aspect }: AspectOption, command: Command) =>
      change(command, name, aspect, { hold: null }),
    );
  withAspect(group.command('policy <name> [file]'))
    .description('put the policy in a file (YAML or JSON) in the place of the one in force')
    .option('--reset', 'the policy of the descriptor again')
    .action(
      async (
        name: string,
        file: string | undefined,
        options: AspectOption & { reset?: true },
        command: Command,
      ) => {
        if ((file === undefined) === (options.reset !== true))
          throw new CliFailure(EXIT.usage, 'name the file of a policy, or --reset');
        if (file === undefined) return change(command, name, options.aspect, { policy: null });
        const policy = await readPolicyFile(file);
        const { client } = contextOf(command, env);
        const { body } = await client.get<Aspect>(await pathOf(client, name, options.aspect));
        // A policy is merged into the one in force: what the file leaves out has to go.
        const cleared = Object.fromEntries(Object.keys(body.policy ?? {}).map((key) => [key, null]));
        return change(command, name, options.aspect, { policy: { ...cleared, ...policy } });
      },
    );
}

interface AspectOption {
  readonly aspect?: string;
}

function withAspect(command: Command): Command {
  return command.option('--aspect <name>', 'which aspect, where the function or service has several');
}

function holdFor(duration: string | undefined): { until?: string } {
  if (duration === undefined) return {};
  const seconds = parseSeconds(duration);
  if (seconds === undefined || seconds === 0)
    throw new CliFailure(EXIT.usage, `--for wants a duration such as 90s, 30m or 2h; got "${duration}"`);
  return { until: new Date(Date.now() + seconds * 1000).toISOString() };
}

/** @throws CliFailure naming the aspects where none or the wrong one is named, or where a function and a service have the name */
async function pathOf(client: Client, name: string, wanted: string | undefined): Promise<string> {
  const all = await client.list<Aspect>('/iotmano/v1/scaling_aspects');
  const isCalledSo = ({ vnfInstanceId, vnfInstanceName, nsInstanceId, nsInstanceName }: Aspect): boolean =>
    [vnfInstanceId, vnfInstanceName, nsInstanceId, nsInstanceName].includes(name);
  const own = all.filter(isCalledSo);
  const paths = new Set(own.map(instancePath));
  if (paths.size > 1)
    throw new CliFailure(
      EXIT.usage,
      `${paths.size} functions or services are called "${name}"; name one by id: ${[...paths].map((path) => path.split('/').at(-1)).join(', ')}`,
    );
  const [path = `vnf_instances/${await requireName(client, name)}`] = paths;
  const names = own.map(({ aspectId }) => aspectId);
  const aspect = wanted ?? (names.length === 1 ? names[0] : undefined);
  if (aspect === undefined || !names.includes(aspect))
    throw new CliFailure(
      aspect === undefined && names.length > 1 ? EXIT.usage : EXIT.notFound,
      `${name} has ${names.length === 0 ? 'no scaling aspect' : `the scaling aspects ${names.join(', ')}; name one with --aspect`}`,
    );
  return `/iotmano/v1/${path}/scaling_aspects/${aspect}`;
}

function instancePath({ vnfInstanceId, nsInstanceId }: Aspect): string {
  return nsInstanceId === undefined ? `vnf_instances/${vnfInstanceId ?? ''}` : `ns_instances/${nsInstanceId}`;
}

/** What has no aspect may be a service or a function, or not be there at all. */
async function requireName(client: Client, name: string): Promise<string> {
  const isService = (await listInstances(client)).some(
    ({ id, nsInstanceName }) => id === name || nsInstanceName === name,
  );
  return isService ? name : findFunction(client, name);
}

const COLUMNS = ['name', 'of', 'aspect', 'level', 'range', 'policy', 'wishes', 'hold', 'changed'];

function rowOf({
  vnfInstanceName,
  nsInstanceName,
  scaledBy,
  aspectId,
  level,
  minLevel,
  maxLevel,
  policy,
  policySource,
  hold,
  lastLook,
  changes,
}: Aspect): object {
  return {
    name: vnfInstanceName ?? nsInstanceName,
    of: nsInstanceName === undefined ? 'function' : 'service',
    aspect: aspectId,
    level,
    range: `${minLevel}-${maxLevel}`,
    policy: policySource === 'operator' ? `${String(policy?.['type'])} (set)` : policy?.['type'],
    wishes: lastLook?.wishedLevel,
    hold: scaledBy === undefined ? holdText(hold) : `by ${scaledBy.nsInstanceName}`,
    changed: age(changes.at(-1)?.time, Date.now()),
  };
}

function holdText(hold: Aspect['hold']): string | undefined {
  if (hold === undefined) return undefined;
  return hold.until === undefined ? 'until released' : `until ${hold.until}`;
}

function show(aspect: Aspect): void {
  printRows('table', [rowOf(aspect)], COLUMNS);
  const { lastLook, changes, hold, scaledBy } = aspect;
  const byHand = hold?.nsLcmOpOccId ?? hold?.vnfLcmOpOccId;
  if (hold !== undefined && byHand !== undefined)
    say(`held since ${hold.since} because of the operation ${byHand}, which was by hand`);
  if (scaledBy !== undefined)
    say(`the service ${scaledBy.nsInstanceName} scales it by its aspect ${scaledBy.aspectId}`);
  if (lastLook === undefined) say('its policy has not looked yet');
  else {
    say(`at ${lastLook.time}: ${lastLook.level} -> ${lastLook.nextLevel}`);
    for (const reason of lastLook.reasons) say(`  ${reason}`);
    for (const [name, value] of Object.entries(lastLook.figures)) say(`  ${name} = ${value}`);
  }
  for (const { time, from, to } of changes) say(`${time}  ${from} -> ${to}`);
}
