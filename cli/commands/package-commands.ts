import type { Command } from 'commander';
import type { Fault, PackageSigner } from '../../descriptors/index.ts';
import { systemClock } from '../../kernel/index.ts';
import { contextOf, type Environment } from '../context.ts';
import { CliFailure, EXIT } from '../failure.ts';
import { errorsAmong, faultLines, report } from '../faults.ts';
import { printJson, printRows, say, type OutputFormat } from '../output.ts';
import { demandFile, listPackages, onboard, removePackage, type PackageKind } from '../packages.ts';
import { checkTrust, TRUST } from '../trust-option.ts';

interface BuildOptions {
  readonly file: string;
  readonly signKey?: string;
  readonly signCert?: string;
}

interface CheckOptions {
  readonly trust: readonly string[];
  readonly requireSignature?: boolean;
}

/** `iotmano package …`: build, check and onboard packages of functions and descriptors of services. */
export function addPackageCommands(program: Command, env: Environment): void {
  const group = program
    .command('package')
    .description('build, check and onboard function packages and service descriptors');
  addBuild(group);
  addCheck(group);
  addOnboard(group, env);
  addListAndRemove(group, env);
}

function addBuild(group: Command): void {
  group
    .command('build <directory>')
    .description('make a package (ZIP, SOL004 layout) of a folder with descriptor.yaml and artifacts/')
    .requiredOption('-f, --file <file>', 'where to write the package')
    .option('--sign-key <file>', 'sign the package with this private key (PEM); demands --sign-cert')
    .option('--sign-cert <file>', 'its certificate (PEM), followed by those up to the trusted one')
    .action(async (directory: string, { file, signKey, signCert }: BuildOptions) => {
      await demandFile(directory);
      const { buildPackage } = await import('../../descriptors/index.ts');
      const signer = await readSigner(signKey, signCert);
      const faults = await buildPackage(directory, file, signer === undefined ? {} : { signer });
      report(faults, `${directory} cannot be packed`);
      say(`wrote ${file}`);
    });
}

function addCheck(group: Command): void {
  group
    .command('check <file...>')
    .description('say everything that is wrong with packages or descriptors, without a server')
    .option(...TRUST)
    .option('--require-signature', 'find fault with packages that are not signed; demands --trust')
    .action(async (files: string[], { trust, requireSignature = false }: CheckOptions, command: Command) => {
      checkTrust(requireSignature, trust);
      const { checkPackage, loadTrustedCertificates } = await import('../../descriptors/index.ts');
      const trustedCertificates = await loadTrustedCertificates(trust);
      const policy = { required: requireSignature, trustedCertificates, clock: systemClock };
      const results = [];
      for (const file of files) {
        await demandFile(file);
        const { faults } = await checkPackage(file, trust.length === 0 ? {} : { signature: policy });
        results.push({ file, isValid: errorsAmong(faults).length === 0, faults });
      }
      const { output } = command.optsWithGlobals<{ output: OutputFormat }>();
      if (output === 'json') printJson(results);
      else for (const result of results) tellFaults(result);
      if (results.some(({ isValid }) => !isValid)) process.exitCode = EXIT.usage;
    });
}

function tellFaults({
  file,
  isValid,
  faults,
}: {
  readonly file: string;
  readonly isValid: boolean;
  readonly faults: readonly Fault[];
}): void {
  say(`${file} ${isValid ? 'is valid' : 'has faults'}`);
  for (const [index, line] of faultLines(faults).entries())
    say(`  ${faults[index]?.severity === 'warning' ? 'warning: ' : ''}${line}`);
}

function addOnboard(group: Command, env: Environment): void {
  group
    .command('onboard <file...>')
    .description(
      'upload packages (ZIP) or bare descriptors (YAML) of functions and services; all are checked before the first is',
    )
    .action(async (files: string[], _options: unknown, command: Command) => {
      const { client, format } = contextOf(command, env);
      const { checkPackage } = await import('../../descriptors/index.ts');
      const checked = [];
      for (const file of files) {
        await demandFile(file);
        const { descriptor, faults } = await checkPackage(file);
        report(faults, `${file} has faults`);
        const kind: PackageKind = descriptor?.kind === 'IoTServiceDescriptor' ? 'service' : 'function';
        checked.push({ file, kind });
      }
      // A service is refused while its functions are not there.
      const results: object[] = [];
      for (const { file, kind } of checked.toSorted((one, other) => one.kind.localeCompare(other.kind))) {
        const id = await onboard(client, kind, file);
        results.push({ file, id, kind });
        if (format === 'table') say(`onboarded ${file} as ${id}`);
      }
      if (format === 'json') printJson(results);
    });
}

function addListAndRemove(group: Command, env: Environment): void {
  group
    .command('list')
    .description('list what is onboarded')
    .action(async (_options: unknown, command: Command) => {
      const { client, format } = contextOf(command, env);
      const [functions, services] = await Promise.all([
        listPackages(client, 'function'),
        listPackages(client, 'service'),
      ]);
      const rows = [
        ...functions.map((item) => ({
          kind: 'function',
          id: item.id,
          name: item['vnfProductName'],
          version: item['vnfSoftwareVersion'],
          state: item.onboardingState,
          enabled: item.operationalState,
          usage: item.usageState,
        })),
        ...services.map((item) => ({
          kind: 'service',
          id: item.id,
          name: item['nsdName'],
          version: item['nsdVersion'],
          state: item.nsdOnboardingState,
          enabled: item.nsdOperationalState,
          usage: item.nsdUsageState,
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
      await removePackage(client, id);
      say(`deleted ${id}`);
    });
}

async function readSigner(keyFile?: string, certificateFile?: string): Promise<PackageSigner | undefined> {
  if (keyFile === undefined && certificateFile === undefined) return undefined;
  if (keyFile === undefined || certificateFile === undefined)
    throw new CliFailure(EXIT.usage, 'signing needs both --sign-key and --sign-cert');
  const { readPem } = await import('../../descriptors/index.ts');
  return { key: await readPem(keyFile), certificates: await readPem(certificateFile) };
}
