import { accountJwt, operatorJwt, systemAccountJwt } from './claims.ts';
import type { AccountKeys } from './account-keys.ts';

export interface NatsServerPlan {
  /** Of the server, unlike that of any other in its cluster. */
  readonly name: string;
  readonly listen: { readonly host: string; readonly port: number };
  /** Absolute; where the server keeps streams and accounts. */
  readonly directory: string;
  /** Of all streams on the disk of this server. */
  readonly maxStoreBytes: number;
  /** `caFile`: whom the servers of the cluster believe. */
  readonly tls?: { readonly certFile: string; readonly keyFile: string; readonly caFile?: string };
  readonly cluster?: {
    readonly listen: { readonly host: string; readonly port: number };
    /** `nats-route://host:port` of the servers of the cluster. */
    readonly routes: readonly string[];
  };
}

const MAX_PAYLOAD_BYTES = 1024 * 1024;

/**
 * The configuration of one server of NATS, version 2.9 or later, in operator mode. It holds no secret: what it says is signed. Accounts are kept in a
 * directory (`full`), so that revocations outlast a restart and reach servers of the cluster that were away.
 */
export async function renderServerConfig(keys: AccountKeys, plan: NatsServerPlan): Promise<string> {
  const system = keys.system.getPublicKey();
  const { name, listen, directory, tls, cluster } = plan;
  return [
    `server_name: ${quoted(name)}`,
    `listen: ${quoted(address(listen))}`,
    `max_payload: ${MAX_PAYLOAD_BYTES}`,
    `operator: ${quoted(await operatorJwt(keys))}`,
    `system_account: ${system}`,
    `resolver: { type: full, dir: ${quoted(`${directory}/accounts`)}, allow_delete: false, interval: "30s" }`,
    'resolver_preload: {',
    `  ${system}: ${quoted(await systemAccountJwt(keys))}`,
    `  ${keys.account.getPublicKey()}: ${quoted(await accountJwt(keys, {}))}`,
    '}',
    `jetstream: { store_dir: ${quoted(`${directory}/jetstream`)}, max_memory_store: 0, max_file_store: ${plan.maxStoreBytes} }`,
    ...(tls === undefined ? [] : [`tls: ${tlsBlock({ ...tls, caFile: undefined })}`]),
    ...(cluster === undefined
      ? []
      : [
          'cluster: {',
          '  name: mco',
          `  listen: ${quoted(address(cluster.listen))}`,
          ...(tls === undefined ? [] : [`  tls: ${tlsBlock(tls)}`]),
          `  routes: [${cluster.routes.map(quoted).join(', ')}]`,
          '}',
        ]),
    '',
  ].join('\n');
}

function tlsBlock({
  certFile,
  keyFile,
  caFile,
}: {
  readonly certFile: string;
  readonly keyFile: string;
  readonly caFile?: string | undefined;
}): string {
  const authorities = caFile === undefined ? '' : `, ca_file: ${quoted(caFile)}`;
  return `{ cert_file: ${quoted(certFile)}, key_file: ${quoted(keyFile)}${authorities} }`;
}

function address({ host, port }: { readonly host: string; readonly port: number }): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** As a string of the configuration language, whose escapes are those of JSON. */
function quoted(text: string): string {
  return JSON.stringify(text);
}
