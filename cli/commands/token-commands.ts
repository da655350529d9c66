import { Option, type Command } from 'commander';
import { wholeNumber } from '../arguments.ts';
import { contextOf, type Environment } from '../context.ts';
import { CliFailure, EXIT } from '../failure.ts';
import { printJson, printRows, say } from '../output.ts';

const TOKENS = '/iotmano/v1/access_tokens';

interface AccessToken {
  readonly id: string;
  readonly name: string;
  readonly tenant: string;
  readonly role: string;
  readonly token?: string;
}

interface EnrolOptions {
  readonly hostId?: string;
  readonly tenant?: string[];
  readonly valid: number;
  readonly nats?: boolean;
}

interface EnrolmentToken {
  readonly token: string;
  readonly natsCredential?: string;
}

/** `iotmano token …`: who may use the orchestrator, and as what. */
export function addTokenCommands(program: Command, env: Environment): void {
  const group = program.command('token').description('create, list and delete access tokens');

  group
    .command('create <name>')
    .description('create a token; it is shown this once and never again')
    .addOption(
      new Option('--role <role>', 'what it may be used for')
        .choices(['admin', 'operator', 'viewer'])
        .makeOptionMandatory(),
    )
    .option('--tenant <tenant>', 'tenant that it belongs to; that of the caller otherwise')
    .action(async (name: string, { role, tenant }: { role: string; tenant?: string }, command: Command) => {
      const { client, format } = contextOf(command, env);
      const { body } = await client.post<AccessToken>(TOKENS, {
        name,
        role,
        ...(tenant === undefined ? {} : { tenant }),
      });
      if (format === 'json') printJson(body);
      else process.stdout.write(`${body.token ?? ''}\n`);
    });

  group
    .command('enrol')
    .description('create a one-time token with which an agent enrols its host')
    .option('--host-id <hostId>', 'the only host that may use it')
    .option('--tenant <tenant...>', 'tenants that the host serves; all otherwise')
    .option('--nats', 'show what the host enrols over NATS with: the token and more; needs --host-id')
    .option('--valid <seconds>', 'how long it can be used', wholeNumber('--valid', 1), 3600)
    .action(async ({ hostId, tenant, valid, nats }: EnrolOptions, command: Command) => {
      if (nats === true && hostId === undefined)
        throw new CliFailure(EXIT.usage, '--nats needs --host-id: over NATS a token is for one host');
      const { client, format } = contextOf(command, env);
      const { body } = await client.post<EnrolmentToken>('/iotmano/v1/enrolment_tokens', {
        ...(hostId === undefined ? {} : { hostId }),
        ...(tenant === undefined ? {} : { tenants: tenant }),
        validSeconds: valid,
      });
      if (nats === true && body.natsCredential === undefined)
        throw new CliFailure(
          EXIT.failed,
          'the orchestrator does not use NATS; start it with "iotmano up --nats"',
        );
      const shown = nats === true ? body.natsCredential : body.token;
      if (format === 'json') printJson(body);
      else process.stdout.write(`${shown ?? ''}\n`);
    });

  group
    .command('list')
    .description('list tokens, without their secrets')
    .action(async (_options: unknown, command: Command) => {
      const { client, format } = contextOf(command, env);
      printRows(format, await client.list<AccessToken>(TOKENS), ['name', 'tenant', 'role', 'id']);
    });

  group
    .command('rm <id>')
    .description('delete a token; it stops working at once')
    .action(async (id: string, _options: unknown, command: Command) => {
      const { client } = contextOf(command, env);
      await client.delete(`${TOKENS}/${encodeURIComponent(id)}`);
      say(`deleted ${id}`);
    });
}
