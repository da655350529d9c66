import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Command } from 'commander';
import { systemClock } from '../../kernel/index.ts';
import { contextOf, type Environment } from '../context.ts';
import { CliFailure, EXIT } from '../failure.ts';
import { printRows, say } from '../output.ts';

const SOURCES = { now: () => systemClock.now(), random: randomBytes };
const DAY_MILLISECONDS = 24 * 3600 * 1000;

interface NameOptions {
  readonly name: readonly string[];
}

/** `iotmano pki …`: an authority of one's own, for TLS between hosts, operators and the orchestrator. */
export function addPkiCommands(program: Command, env: Environment): void {
  const group = program
    .command('pki')
    .description('certificates of an authority of your own, in a directory');
  const names = (command: Command): Command =>
    command.requiredOption(
      '--name <name...>',
      'DNS names and addresses that clients reach the server by, e.g. --name mano.example 192.0.2.7',
    );

  names(group.command('init <directory>'))
    .description('make the authority, one for hosts below it, and a certificate for the orchestrator')
    .action(async (directory: string, { name }: NameOptions) => {
      const { initPki } = await import('../../pki/index.ts');
      await initPki(directory, checked(name), SOURCES);
      say(
        `${directory} is made: start the orchestrator with "iotmano up --pki ${directory}", give hosts and operators ${join(directory, 'ca.crt')}, and keep ${join(directory, 'ca.key')} elsewhere`,
      );
    });

  names(group.command('issue <directory> <certificate>'))
    .description('a certificate and key for another TLS server, e.g. "nats"; replaces the one of that name')
    .action(async (directory: string, certificate: string, { name }: NameOptions) => {
      const { issueServer } = await import('../../pki/index.ts');
      await issueServer(directory, certificate, checked(name), SOURCES);
      say(`${join(directory, `${certificate}.crt`)} is issued`);
    });

  group
    .command('renew <directory> [certificate]')
    .description('a new key and certificate for the same names; "server" unless another one is named')
    .action(async (directory: string, certificate = 'server') => {
      const { renewServer } = await import('../../pki/index.ts');
      await renewServer(directory, certificate, SOURCES);
      say(
        `${join(directory, `${certificate}.crt`)} is renewed; an orchestrator that serves with it shows it within half a minute; start again anything else that does`,
      );
    });

  group
    .command('list <directory>')
    .description('what is in the directory, for whom, and until when')
    .action(async (directory: string, _options: unknown, command: Command) => {
      const { listCertificates } = await import('../../pki/index.ts');
      const rows = listCertificates(directory).map(({ name, certificate }) => ({
        name,
        subject: certificate.subject.replace(/^CN=/, ''),
        names: certificate.subjectAltName ?? '',
        notAfter: certificate.validToDate.toISOString(),
        daysLeft: Math.floor((certificate.validToDate.getTime() - systemClock.now()) / DAY_MILLISECONDS),
      }));
      printRows(contextOf(command, env).format, rows, ['name', 'subject', 'names', 'notAfter', 'daysLeft']);
    });
}

/** @throws CliFailure for what no certificate can be for */
function checked(names: readonly string[]): readonly string[] {
  for (const name of names)
    if (!/^(?:\*\.)?[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$|^[0-9A-Fa-f:.]{2,45}$/.test(name))
      throw new CliFailure(EXIT.usage, `--name wants a DNS name or an address; got "${name}"`);
  return names;
}
