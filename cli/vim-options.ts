import { readFileSync } from 'node:fs';
import { Option, type Command } from 'commander';
import { messageOf } from '../kernel/index.ts';
import { splitPair } from './arguments.ts';
import { CliFailure, EXIT } from './failure.ts';

export interface VimOptions {
  readonly endpoint?: string;
  readonly caFile?: string;
  readonly skipCertificateVerification?: boolean;
  readonly inCluster?: boolean;
  readonly certificateFile?: string;
  readonly keyFile?: string;
  readonly tokenFile?: string;
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly address?: string;
  readonly reachableFrom?: readonly string[];
  readonly tier?: string;
  readonly label?: readonly string[];
  readonly tenant?: readonly string[];
  readonly jurisdiction?: string;
  readonly provider?: string;
  readonly portRange?: string;
  readonly namespacePrefix?: string;
  readonly quota?: readonly string[];
}

/** The options that say how a VIM is reached and what it is. No secret is ever an argument: others on the machine see those. */
export function addVimOptions(command: Command): Command {
  return command
    .option('--endpoint <url>', 'docker: unix:///path or tcp://host:port; kubernetes: https://host:port')
    .option(
      '--ca-file <file>',
      'certificates of the authorities whose server certificates are believed (PEM)',
    )
    .option('--skip-certificate-verification', 'kubernetes, for trials: believe any certificate')
    .option('--in-cluster', 'kubernetes: the cluster that the orchestrator runs in')
    .option('--certificate-file <file>', 'client certificate (PEM)')
    .option('--key-file <file>', 'its private key (PEM)')
    .option('--token-file <file>', 'kubernetes: bearer token; /dev/stdin reads it from there')
    .option('--kubeconfig <file>', 'kubernetes: says where and with which credentials')
    .option('--context <name>', 'of the kubeconfig; its current one otherwise')
    .option('--address <address>', 'from where others reach what runs there')
    .option('--reachable-from <expression...>', 'hosts or label expressions that can reach the address')
    .addOption(new Option('--tier <tier>', 'where it stands').choices(['device-edge', 'cloud-edge', 'cloud']))
    .option('--label <name=value...>', 'labels for placement')
    .option('--tenant <tenant...>', 'tenants that it serves; all otherwise')
    .option('--jurisdiction <code>', 'whose law applies there')
    .option('--provider <name>', 'who runs it')
    .option('--port-range <from-to>', 'docker: numbers for the ports that the host chooses')
    .option('--namespace-prefix <prefix>', "kubernetes: a tenant's namespace is this and its name")
    .option(
      '--quota <name=number...>',
      'kubernetes, per tenant: cpuMillis, memoryBytes, storageBytes, instances',
    );
}

/**
 * Members of a VimConnectionInfo, as far as options say something.
 * @param token absent: of the file that the options name
 * @throws CliFailure naming the option
 */
export async function vimBody(
  options: VimOptions,
  token = textOf('--token-file', options.tokenFile),
): Promise<Record<string, object>> {
  const parts = {
    interfaceInfo: defined({
      endpoint: options.endpoint,
      trustedCertificates: textOf('--ca-file', options.caFile),
      skipCertificateVerification: options.skipCertificateVerification,
      inCluster: options.inCluster,
    }),
    accessInfo: defined({
      clientCertificate: textOf('--certificate-file', options.certificateFile),
      clientKey: textOf('--key-file', options.keyFile),
      bearerToken: token?.trim(),
      kubeconfig: options.kubeconfig === undefined ? undefined : await flattened(options.kubeconfig),
      context: options.context,
    }),
    extra: defined({
      address: options.address,
      reachableFrom: options.reachableFrom,
      tier: options.tier,
      labels: pairs('--label', options.label),
      tenants: options.tenant,
      jurisdiction: options.jurisdiction,
      infrastructureProvider: options.provider,
      portRange: rangeOf(options.portRange),
      namespacePrefix: options.namespacePrefix,
      quota: numbers(pairs('--quota', options.quota)),
    }),
  };
  return Object.fromEntries(Object.entries(parts).filter(([, part]) => Object.keys(part).length > 0));
}

async function flattened(kubeconfig: string): Promise<string> {
  const { flattenKubeconfig } = await import('./flatten-kubeconfig.ts');
  return flattenKubeconfig(kubeconfig);
}

function defined(members: Readonly<Record<string, unknown>>): object {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}

function textOf(option: string, file: string | undefined): string | undefined {
  if (file === undefined) return undefined;
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new CliFailure(EXIT.usage, `${option}: ${file} cannot be read: ${messageOf(error)}`);
  }
}

function pairs(option: string, texts: readonly string[] | undefined): Record<string, string> | undefined {
  if (texts === undefined) return undefined;
  return Object.fromEntries(texts.map((text) => splitPair(option, text)));
}

function numbers(values: Record<string, string> | undefined): Record<string, number> | undefined {
  if (values === undefined) return undefined;
  const entries = Object.entries(values).map(([name, text]): [string, number] => {
    if (!/^\d+$/.test(text))
      throw new CliFailure(EXIT.usage, `--quota wants name=number; got "${name}=${text}"`);
    return [name, Number(text)];
  });
  return Object.fromEntries(entries);
}

function rangeOf(text: string | undefined): readonly [number, number] | undefined {
  if (text === undefined) return undefined;
  const [, from, to] = /^(\d{1,5})-(\d{1,5})$/.exec(text) ?? [];
  if (from === undefined || to === undefined)
    throw new CliFailure(EXIT.usage, `--port-range wants from-to, e.g. 20000-29999; got "${text}"`);
  return [Number(from), Number(to)];
}
