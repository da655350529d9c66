import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { messageOf } from '../../kernel/index.ts';
import type { NatsServerPlan } from '../../orchestrator/index.ts';
import { parseListen, splitList, wholeNumber } from '../arguments.ts';
import { defaultDataDirectory, type Environment } from '../context.ts';
import { CliFailure, EXIT } from '../failure.ts';
import { say } from '../output.ts';

interface SetupOptions {
  readonly data: string;
  readonly name: string;
  readonly listen: string;
  readonly storeMib: number;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly tlsCa?: string;
  readonly clusterListen?: string;
  readonly routes: readonly string[];
  readonly force?: boolean;
}

/** `iotmano nats …`: servers of NATS that believe the orchestrator. */
export function addNatsCommand(program: Command, env: Environment): void {
  const group = program
    .command('nats')
    .description('set up servers of NATS, through which hosts may be reached');
  group
    .command('setup <directory>')
    .description(
      'write the configuration of one server into a directory of its own, where it keeps its data, too',
    )
    .option(
      '--data <directory>',
      "the orchestrator's, for the keys; made where there are none",
      defaultDataDirectory(env),
    )
    .option('--name <name>', 'of the server, unlike every other in its cluster', hostname())
    .option('--listen <address:port>', 'where hosts and orchestrator connect', '127.0.0.1:4222')
    .option(
      '--store-mib <MiB>',
      'what the server keeps on its disk at most',
      wholeNumber('--store-mib', 1),
      2048,
    )
    .option('--tls-cert <file>', 'certificate chain (PEM); demanded on any address but loopback')
    .option('--tls-key <file>', 'its private key (PEM)')
    .option('--tls-ca <file>', 'authorities that servers of the cluster believe (PEM)')
    .option('--cluster-listen <address:port>', 'where the other servers of a cluster connect')
    .option('--routes <address:port,...>', 'the servers of the cluster', splitList, [])
    .option('--force', 'write over a configuration that is there')
    .action(async (directory: string, options: SetupOptions) => {
      const folder = resolve(directory);
      const file = join(folder, 'nats-server.conf');
      if (existsSync(file) && options.force !== true)
        throw new CliFailure(EXIT.usage, `${file} is there already; --force writes over it`);
      const { natsServerConfig } = await import('../../orchestrator/index.ts');
      const text = await natsServerConfig(options.data, planOf(folder, options));
      try {
        mkdirSync(folder, { recursive: true });
        writeFileSync(file, text);
      } catch (error) {
        throw new CliFailure(EXIT.failed, `${file} cannot be written: ${messageOf(error)}`);
      }
      say(`start the server with: nats-server -c ${file}`);
    });
}

/** @throws CliFailure where the options do not fit together */
function planOf(directory: string, options: SetupOptions): NatsServerPlan {
  const { name, tlsCert, tlsKey, tlsCa, clusterListen, routes } = options;
  const listen = parseListen('--listen', options.listen);
  if ((tlsCert === undefined) !== (tlsKey === undefined))
    throw new CliFailure(EXIT.usage, 'TLS needs a certificate and its key: give --tls-cert and --tls-key');
  const hasTls = tlsCert !== undefined && tlsKey !== undefined;
  if ((clusterListen === undefined) !== (routes.length === 0))
    throw new CliFailure(EXIT.usage, 'a cluster needs --cluster-listen and --routes');
  for (const route of routes) parseListen('--routes', route);
  return {
    name,
    listen,
    directory,
    maxStoreBytes: options.storeMib * 1024 * 1024,
    ...(hasTls
      ? {
          tls: {
            certFile: resolve(tlsCert),
            keyFile: resolve(tlsKey),
            ...(tlsCa === undefined ? {} : { caFile: resolve(tlsCa) }),
          },
        }
      : {}),
    ...(clusterListen === undefined
      ? {}
      : {
          cluster: {
            listen: parseListen('--cluster-listen', clusterListen),
            routes: routes.map((route) => `nats-route://${route}`),
          },
        }),
  };
}
