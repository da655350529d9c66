import type { Command } from 'commander';
import { gt, valid } from 'semver';
import type { Client } from '../client.ts';
import { contextOf, type Environment } from '../context.ts';
import { CliFailure, EXIT } from '../failure.ts';
import { followOperation, idempotencyKey, type VnfcRow } from '../operation.ts';
import { printJson, printRows, say } from '../output.ts';

const NS = '/nslcm/v2/ns_instances';
const NSD = '/nsd/v2/ns_descriptors';

interface NsdInfo {
  readonly id: string;
  readonly nsdId: string;
  readonly nsdName: string;
  readonly nsdVersion: string;
  readonly nsdInvariantId: string;
  readonly nsdOnboardingState: string;
}

interface NsInstance {
  readonly id: string;
  readonly nsInstanceName: string;
  readonly nsState: string;
  readonly [key: string]: unknown;
}

interface VnfcInstanceRow extends VnfcRow {
  readonly service?: string;
}

interface DeployOptions {
  readonly name?: string;
  readonly param: Record<string, unknown>;
  readonly timeout: string;
}

/** `iotmano service …`: plan, deploy, look after and remove services (NS instances). */
export function addServiceCommands(program: Command, env: Environment): void {
  const group = program.command('service').description('plan, deploy, heal and remove services');
  const param = [
    '--param <name=value>',
    'a parameter of the service (repeatable); the value is JSON or a string',
    collectParameter,
    {},
  ] as const;
  const timeout = ['--timeout <seconds>', 'how long to wait', '300'] as const;

  group
    .command('plan <service>')
    .description('show where each function would run and why, without changing anything')
    .option(...param)
    .action(async (service: string, options: DeployOptions, command: Command) => {
      const { client } = contextOf(command, env);
      const { id } = await createInstance(client, service, `plan-${Date.now()}`);
      try {
        const { body } = await client.post(
          `${NS}/${id}/instantiate?dryRun=true`,
          instantiateRequest(options),
        );
        printJson(body);
      } finally {
        await client.delete(`${NS}/${id}`);
      }
    });

  group
    .command('deploy <service>')
    .description('create and instantiate a service from its onboarded descriptor (name, invariant id or id)')
    .option('--name <name>', 'name of the instance; the name of the service otherwise')
    .option(...param)
    .option(...timeout)
    .action(async (service: string, options: DeployOptions, command: Command) => {
      const { client, format } = contextOf(command, env);
      const begin = performance.now();
      const instance = await createInstance(client, service, options.name);
      say(`deploying ${instance.nsInstanceName} (${instance.id})`);
      await operate(client, instance, 'instantiate', instantiateRequest(options), options.timeout).catch(
        async (error: unknown) => {
          await client
            .delete(`${NS}/${instance.id}`)
            .catch(() =>
              say(
                `${instance.nsInstanceName} is left as it is: see "iotmano service show ${instance.nsInstanceName}"`,
              ),
            );
          throw error;
        },
      );
      const seconds = Math.round(performance.now() - begin) / 1000;
      if (format === 'json') printJson({ id: instance.id, name: instance.nsInstanceName, seconds });
      else say(`${instance.nsInstanceName} runs (${seconds} s)`);
    });

  group
    .command('list')
    .description('list service instances')
    .action(async (_options: unknown, command: Command) => {
      const { client, format } = contextOf(command, env);
      const instances = await client.list<NsInstance>(NS);
      const rows = instances.map((item) => ({
        name: item.nsInstanceName,
        state: item.nsState,
        descriptor: item['nsdId'],
        id: item.id,
      }));
      printRows(format, rows, ['name', 'state', 'descriptor', 'id'], instances);
    });

  group
    .command('show <name>')
    .description('show one service instance whole')
    .action(async (name: string, _options: unknown, command: Command) => {
      const { client, format } = contextOf(command, env);
      const instance = await findInstance(client, name);
      const { body } = await client.get<NsInstance>(`${NS}/${instance.id}`);
      if (format === 'json') {
        printJson(body);
        return;
      }
      say(`${body.nsInstanceName} is ${body.nsState} (${body.id})`);
      printRows(format, await instancesOf(client, body.nsInstanceName), [
        'name',
        'hostId',
        'state',
        'restarts',
        'reason',
      ]);
    });

  group
    .command('heal <name>')
    .description('replace instances that do not do their work')
    .option('--cause <text>', 'why, for the record', 'operator request')
    .option(...timeout)
    .action(
      async (
        name: string,
        { cause, timeout: wait }: { cause: string; timeout: string },
        command: Command,
      ) => {
        const { client } = contextOf(command, env);
        const instance = await findInstance(client, name);
        await operate(
          client,
          instance,
          'heal',
          { healNsData: { degreeHealing: 'HEAL_RESTORE', actionsHealing: [], healScript: cause } },
          wait,
        );
        say(`${name} is healed`);
      },
    );

  group
    .command('rm <name>')
    .description('terminate and delete a service instance')
    .option(...timeout)
    .action(async (name: string, { timeout: wait }: { timeout: string }, command: Command) => {
      const { client } = contextOf(command, env);
      const instance = await findInstance(client, name);
      if (instance.nsState === 'INSTANTIATED') await operate(client, instance, 'terminate', {}, wait);
      await client.delete(`${NS}/${instance.id}`);
      say(`${name} is gone`);
    });
}

function collectParameter(text: string, collected: Record<string, unknown>): Record<string, unknown> {
  const separator = text.indexOf('=');
  if (separator < 1) throw new CliFailure(EXIT.usage, `--param wants name=value; got "${text}"`);
  const value = text.slice(separator + 1);
  let parsed: unknown = value;
  try {
    parsed = JSON.parse(value);
  } catch {
    // Not JSON: the text itself is meant.
  }
  return { ...collected, [text.slice(0, separator)]: parsed };
}

function instantiateRequest({ param }: DeployOptions): object {
  return { nsFlavourId: 'default', additionalParamsForNs: param };
}

async function createInstance(
  client: Client,
  service: string,
  name: string | undefined,
): Promise<NsInstance> {
  const descriptors = (await client.list<NsdInfo>(NSD)).filter(
    (item) =>
      item.nsdOnboardingState === 'ONBOARDED' &&
      [item.id, item.nsdId, item.nsdName, item.nsdInvariantId].includes(service),
  );
  const newest = descriptors.reduce<NsdInfo | undefined>(
    (best, item) => (best === undefined || isNewer(item.nsdVersion, best.nsdVersion) ? item : best),
    undefined,
  );
  if (newest === undefined)
    throw new CliFailure(
      EXIT.notFound,
      `no onboarded service is called "${service}"; see "iotmano package list"`,
    );
  const request = { nsdId: newest.nsdId, nsName: name ?? newest.nsdName, nsDescription: '' };
  return (await client.post<NsInstance>(NS, request, idempotencyKey())).body;
}

function isNewer(version: string, other: string): boolean {
  return valid(version) !== null && valid(other) !== null && gt(version, other);
}

async function operate(
  client: Client,
  instance: NsInstance,
  operation: string,
  request: object,
  timeoutSeconds: string,
): Promise<void> {
  const { headers } = await client.post(`${NS}/${instance.id}/${operation}`, request, idempotencyKey());
  const location = headers.get('location');
  if (location === null)
    throw new CliFailure(EXIT.failed, `the orchestrator gave no operation to follow for ${operation}`);
  await followOperation(client, location, Number(timeoutSeconds), () =>
    instancesOf(client, instance.nsInstanceName),
  );
}

async function instancesOf(client: Client, service: string): Promise<VnfcInstanceRow[]> {
  return (await client.list<VnfcInstanceRow>('/iotmano/v1/vnfc_instances')).filter(
    (row) => row.service === service,
  );
}

async function findInstance(client: Client, name: string): Promise<NsInstance> {
  const found = (await client.list<NsInstance>(NS)).filter(
    (item) => item.nsInstanceName === name || item.id === name,
  );
  const [only] = found;
  if (only === undefined)
    throw new CliFailure(
      EXIT.notFound,
      `no service instance is called "${name}"; see "iotmano service list"`,
    );
  if (found.length > 1)
    throw new CliFailure(
      EXIT.conflict,
      `${found.length} service instances are called "${name}"; use the id: ${found.map(({ id }) => id).join(', ')}`,
    );
  return only;
}
