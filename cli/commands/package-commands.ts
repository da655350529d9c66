import { extname } from 'node:path';
import type { Command } from 'commander';
import {
  buildPackage,
  checkPackage,
  loadTrustedCertificates,
  readPem,
  type Fault,
  type PackageSigner,
} from '../../descriptors/index.ts';
import { systemClock } from '../../kernel/index.ts';
import { faultLines, type Client } from '../client.ts';
import { contextOf, type Environment } from '../context.ts';
import { CliFailure, EXIT } from '../failure.ts';
import { idempotencyKey } from '../operation.ts';
import { printJson, printRows, say } from '../output.ts';
import { checkTrust, TRUST } from '../trust-option.ts';

interface Onboarded {
  readonly id: string;
  readonly onboardingState?: string;
  readonly nsdOnboardingState?: string;
  readonly onboardingFailureDetails?: Parameters<typeof faultLines>[0];
}

interface BuildOptions {
  readonly file: string;
  readonly signKey?: string;
  readonly signCert?: string;
}

interface CheckOptions {
  readonly trust: readonly string[];
  readonly requireSignature?: boolean;
}

const FUNCTIONS = { path: '/vnfpkgm/v2/vnf_packages', content: 'package_content', create: {} };
const SERVICES = { path: '/nsd/v2/ns_descriptors', content: 'nsd_content', create: {} };

/** `iotmano package …`: build, check and onboard packages of functions and descriptors of services. */
export function addPackageCommands(program: Command, env: Environment): void {
  const group = program
    .command('package')
    .description('build, check and onboard function packages and service descriptors');

  group
    .command('build <directory>')
    .description('make a package (ZIP, SOL004 layout) of a folder with descriptor.yaml and artifacts/')
    .requiredOption('-f, --file <file>', 'where to write the package')
    .option('--sign-key <file>', 'sign the package with this private key (PEM); demands --sign-cert')
    .option('--sign-cert <file>', 'its certificate (PEM), followed by those up to the trusted one')
    .action(async (directory: string, { file, signKey, signCert }: BuildOptions) => {
      const signer = await readSigner(signKey, signCert);
      const faults = await buildPackage(directory, file, signer === undefined ? {} : { signer });
      report(faults, `${directory} cannot be packed`);
      say(`wrote ${file}`);
    });

  group
    .command('check <file...>')
    .description('say everything that is wrong with packages or descriptors, without a server')
    .option(...TRUST)
    .option('--require-signature', 'find fault with packages that are not signed; demands --trust')
    .action(async (files: string[], { trust, requireSignature = false }: CheckOptions) => {
      checkTrust(requireSignature, trust);
      const trustedCertificates = await loadTrustedCertificates(trust);
      const policy = { required: requireSignature, trustedCertificates, clock: systemClock };
      for (const file of files) {
        const { faults } = await checkPackage(file, trust.length === 0 ? {} : { signature: policy });
        report(faults, `${file} has faults`);
        say(`${file} is valid`);
      }
    });

  group
    .command('onboard <file...>')
    .description('upload packages (ZIP) or bare descriptors (YAML) of functions and services')
    .option('--service', 'the files are service descriptors (found out by itself otherwise)')
    .action(async (files: string[], { service }: { service?: boolean }, command: Command) => {
      const { client, format } = contextOf(command, env);
      const results: object[] = [];
      for (const file of files) {
        const isService = service ?? (await checkPackage(file)).descriptor?.kind === 'IoTServiceDescriptor';
        const id = await onboard(client, isService ? SERVICES : FUNCTIONS, file);
        results.push({ file, id, kind: isService ? 'service' : 'function' });
        if (format === 'table') say(`onboarded ${file} as ${id}`);
      }
      if (format === 'json') printJson(results);
    });

  group
    .command('list')
    .description('list what is onboarded')
    .action(async (_options: unknown, command: Command) => {
      const { client, format } = contextOf(command, env);
      const [functions, services] = await Promise.all([
        client.list<Record<string, unknown>>(FUNCTIONS.path),
        client.list<Record<string, unknown>>(SERVICES.path),
      ]);
      const rows = [
        ...functions.map((item) => ({
          kind: 'function',
          id: item['id'],
          name: item['vnfProductName'],
          version: item['vnfSoftwareVersion'],
          state: item['onboardingState'],
          enabled: item['operationalState'],
          usage: item['usageState'],
        })),
        ...services.map((item) => ({
          kind: 'service',
          id: item['id'],
          name: item['nsdName'],
          version: item['nsdVersion'],
          state: item['nsdOnboardingState'],
          enabled: item['nsdOperationalState'],
          usage: item['nsdUsageState'],
        })),
      ];
      printRows(format, rows, ['kind', 'name', 'version', 'state', 'enabled', 'usage', 'id'], {
        functions,
        services,
      });
    });

  group
    .command('rm <id>')
    .description('disable and delete a package or service descriptor that is not in use')
    .action(async (id: string, _options: unknown, command: Command) => {
      const { client } = contextOf(command, env);
      await remove(client, id);
      say(`deleted ${id}`);
    });
}

async function readSigner(keyFile?: string, certificateFile?: string): Promise<PackageSigner | undefined> {
  if (keyFile === undefined && certificateFile === undefined) return undefined;
  if (keyFile === undefined || certificateFile === undefined)
    throw new CliFailure(EXIT.usage, 'signing needs both --sign-key and --sign-cert');
  return { key: await readPem(keyFile), certificates: await readPem(certificateFile) };
}

/** Creates the resource, uploads the content, waits until it is checked; leaves nothing behind when it is refused. */
async function onboard(client: Client, kind: typeof FUNCTIONS, file: string): Promise<string> {
  const { body: created } = await client.post<Onboarded>(kind.path, kind.create, idempotencyKey());
  const resource = `${kind.path}/${encodeURIComponent(created.id)}`;
  try {
    const isZip = extname(file).toLowerCase() === '.zip';
    await client.putFile(`${resource}/${kind.content}`, file, isZip ? 'application/zip' : 'application/yaml');
    await waitOnboarded(client, resource, file);
  } catch (error) {
    await remove(client, created.id).catch((problem: unknown) =>
      say(`${resource} could not be cleaned up: ${String(problem)}`),
    );
    throw error;
  }
  return created.id;
}

async function waitOnboarded(client: Client, resource: string, file: string): Promise<void> {
  for (;;) {
    const { body } = await client.get<Onboarded>(resource);
    const state = body.onboardingState ?? body.nsdOnboardingState;
    if (state === 'ONBOARDED') return;
    if (state === 'ERROR') {
      throw new CliFailure(
        EXIT.failed,
        `${file} was refused`,
        faultLines(body.onboardingFailureDetails ?? {}),
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function remove(client: Client, id: string): Promise<void> {
  const isFunction = (await client.list<{ id: string }>(FUNCTIONS.path)).some((item) => item.id === id);
  const resource = `${(isFunction ? FUNCTIONS : SERVICES).path}/${encodeURIComponent(id)}`;
  const disable = isFunction ? { operationalState: 'DISABLED' } : { nsdOperationalState: 'DISABLED' };
  const { body } = await client.get<Record<string, unknown>>(resource);
  if (body['operationalState'] === 'ENABLED' || body['nsdOperationalState'] === 'ENABLED')
    await client.patch(resource, disable);
  await client.delete(resource);
}

function report(faults: readonly Fault[], message: string): void {
  const errors = faults.filter(({ severity }) => severity === 'error');
  for (const line of faultLines({ faults: faults.filter(({ severity }) => severity === 'warning') }))
    say(`warning: ${line}`);
  if (errors.length > 0) throw new CliFailure(EXIT.usage, message, faultLines({ faults: errors }));
}
