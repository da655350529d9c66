import type { Command } from 'commander';
import { createLogger, type LogLevel } from '../../kernel/index.ts';
import type { OrchestratorOptions } from '../../orchestrator/index.ts';
import { collectEarly } from '../collect-early.ts';
import { defaultDataDirectory, type Environment } from '../context.ts';
import { logLevelOption, parseListen, splitList, splitPair, wholeNumber } from '../arguments.ts';
import { CliFailure, EXIT } from '../failure.ts';
import { say } from '../output.ts';
import { checkTrust, TRUST } from '../trust-option.ts';
import { stopSignal } from '../stop-signal.ts';

interface UpOptions {
  readonly listen: string;
  readonly data: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly pki?: string;
  readonly trust: readonly string[];
  readonly requireSignature?: boolean;
  readonly reserve: Readonly<Record<string, number>>;
  readonly maxEvictions?: number;
  readonly scaleLimitTenant: Readonly<Record<string, number>>;
  readonly scaleLimitVim: Readonly<Record<string, number>>;
  readonly nats?: readonly string[];
  readonly natsCaFile?: string;
  readonly natsStreamMib?: number;
  readonly logLevel: LogLevel;
}

/** `iotmano up`: runs the orchestrator until SIGTERM or SIGINT. */
export function addUpCommand(program: Command, env: Environment): void {
  program
    .command('up')
    .description('run the orchestrator (on loopback unless TLS is given)')
    .option('--listen <address:port>', 'where to answer', '127.0.0.1:8900')
    .option('--data <directory>', 'state, packages and admin token', defaultDataDirectory(env))
    .option('--tls-cert <file>', 'certificate chain (PEM); demanded on any address but loopback')
    .option('--tls-key <file>', 'its private key (PEM)')
    .option(
      '--pki <directory>',
      'made by "iotmano pki init": TLS with its server certificate, and certificates for hosts',
    )
    .option(...TRUST)
    .option('--require-signature', 'refuse packages that are not signed; demands --trust')
    .option(
      '--reserve <tier=share>',
      'what of each host of a tier only healing and functions of a priority above 0 get, e.g. device-edge=10% (repeatable)',
      collectReserve,
      {},
    )
    .option(
      '--max-evictions <instances>',
      'instances of lower priority that may have to make room for one plan (default: 4)',
      wholeNumber('--max-evictions', 0),
    )
    .option(
      '--scale-limit-tenant <tenant=instances>',
      'instances of all functions of a tenant, up to which they are scaled out automatically (repeatable)',
      collectLimit('--scale-limit-tenant'),
      {},
    )
    .option(
      '--scale-limit-vim <vimId=instances>',
      'instances on a VIM, up to which functions are scaled out automatically there (repeatable)',
      collectLimit('--scale-limit-vim'),
      {},
    )
    .option(
      '--nats <url,...>',
      'servers of NATS through which hosts may be reached, too (tls://host:4222); see "iotmano nats setup"',
      splitList,
    )
    .option('--nats-ca-file <file>', 'further certificate authorities of those servers (PEM)')
    .option(
      '--nats-stream-mib <MiB>',
      'measurements that the servers of NATS keep at most (default: 1024)',
      wholeNumber('--nats-stream-mib', 1),
    )
    .addOption(logLevelOption())
    .action(async (options: UpOptions) => {
      const { listen, data, tlsCert, tlsKey, logLevel, trust, requireSignature, reserve, maxEvictions } =
        options;
      const required = requireSignature === true;
      checkTrust(required, trust);
      const pki = options.pki === undefined ? {} : { pkiDirectory: options.pki };
      const place = { listen: parseListen('--listen', listen), ...tlsOf(tlsCert, tlsKey), ...pki };
      const { runOrchestrator } = await import('../../orchestrator/index.ts');
      const orchestrator = await runOrchestrator({
        ...place,
        dataDirectory: data,
        ...(required || trust.length > 0 ? { packageSignatures: { required, trustFiles: trust } } : {}),
        placement: { reserves: reserve, ...(maxEvictions === undefined ? {} : { maxEvictions }) },
        scaling: { instancesOfTenant: options.scaleLimitTenant, instancesOnVim: options.scaleLimitVim },
        ...natsOf(options),
        log: createLogger('orchestrator', logLevel),
      });
      // Whoever reads what is said may stop it at once.
      const stopped = stopSignal();
      collectEarly();
      say(`orchestrator on ${orchestrator.url}, admin token in ${orchestrator.adminTokenFile}`);
      await stopped;
      await orchestrator.close();
    });
}

/** @throws CliFailure where it says how servers are used and none is named */
function natsOf({ nats, natsCaFile, natsStreamMib }: UpOptions): Pick<OrchestratorOptions, 'nats'> {
  if (nats === undefined) {
    if (natsCaFile === undefined && natsStreamMib === undefined) return {};
    throw new CliFailure(EXIT.usage, '--nats-ca-file and --nats-stream-mib need --nats: name the servers');
  }
  return {
    nats: {
      servers: nats,
      ...(natsCaFile === undefined ? {} : { caFile: natsCaFile }),
      ...(natsStreamMib === undefined ? {} : { maxStreamBytes: natsStreamMib * 1024 * 1024 }),
    },
  };
}

function collectLimit(option: string) {
  const whole = wholeNumber(option, 0);
  return (text: string, collected: Record<string, number>): Record<string, number> => {
    const [name, limit] = splitPair(option, text);
    return { ...collected, [name]: whole(limit) };
  };
}

const TIERS = ['device-edge', 'cloud-edge', 'cloud'];

function collectReserve(text: string, collected: Record<string, number>): Record<string, number> {
  const [tier, share] = splitPair('--reserve', text);
  const percent = /^(\d{1,2}(?:\.\d{1,3})?)%$/.exec(share)?.[1];
  if (!TIERS.includes(tier) || percent === undefined)
    throw new CliFailure(
      EXIT.usage,
      `--reserve wants a tier (${TIERS.join(', ')}) and a share below 100%, e.g. device-edge=10%; got "${text}"`,
    );
  return { ...collected, [tier]: Number(percent) / 100 };
}

/** @throws CliFailure where one is there without the other: plain HTTP would be no answer to half a wish for TLS */
function tlsOf(certFile?: string, keyFile?: string): { tls?: { certFile: string; keyFile: string } } {
  if (certFile === undefined && keyFile === undefined) return {};
  if (certFile === undefined || keyFile === undefined)
    throw new CliFailure(
      EXIT.usage,
      `TLS needs a certificate and its key; ${certFile === undefined ? '--tls-cert' : '--tls-key'} is missing`,
    );
  return { tls: { certFile, keyFile } };
}
