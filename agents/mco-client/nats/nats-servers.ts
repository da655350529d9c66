import { isIP } from 'node:net';
import { checkServerIdentity, type PeerCertificate } from 'node:tls';
import type { TlsOptions } from '@nats-io/transport-node';
import { IotmanoError } from '../../../kernel/index.ts';
import { isLoopback, readAuthorities } from '../transport.ts';

/** Servers of one cluster, as `host:port`. */
export interface NatsServers {
  readonly servers: readonly string[];
  /** PEM. Absent: plain, which only loopback addresses are good for. */
  readonly ca?: string;
}

/**
 * Reads `nats://host:port` or `tls://host:port`, several separated by commas.
 * @throws IotmanoError `invalid-parameter` where one is none, they differ, or plain NATS would leave this machine
 */
export function parseNatsServers(
  text: string,
  options: { readonly caFile?: string; readonly isInsecureHttpAllowed?: boolean },
): NatsServers {
  const urls = text.split(',').map((each) => parse(each.trim()));
  const isTls = urls[0]?.protocol === 'tls:';
  if (urls.some(({ protocol }) => (protocol === 'tls:') !== isTls))
    throw invalid('some servers of NATS are named with tls:// and some with nats://; use tls:// for all');
  const open = isTls ? undefined : urls.find(({ hostname }) => !isLoopback(hostname));
  if (open !== undefined && options.isInsecureHttpAllowed !== true)
    throw invalid(
      `${open.host} is not on this machine and nats:// would show tokens and functions to the network; use tls://, or --insecure-http if you must`,
    );
  const servers = urls.map(({ hostname, port }) => `${hostname}:${port === '' ? '4222' : port}`);
  return isTls ? { servers, ca: readAuthorities(options.caFile).join('\n') } : { servers };
}

/** What the client is to demand of a server over TLS: a certificate for the name, or for the address where servers are named by that. */
export function tlsOptions({ servers, ca }: NatsServers): { tls?: TlsOptions } {
  if (ca === undefined) return {};
  const addresses = servers.map((server) => server.replace(/:\d+$/, '').replace(/^\[|\]$/g, '')).filter(isIP);
  const tls = {
    ca,
    // The client gives no name for an address, and a certificate is then compared with "localhost".
    checkServerIdentity: (name: string, certificate: PeerCertificate): Error | undefined =>
      [name, ...addresses].some((each) => checkServerIdentity(each, certificate) === undefined)
        ? undefined
        : checkServerIdentity(name, certificate),
  };
  return { tls };
}

function parse(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isServer = url !== undefined && ['nats:', 'tls:'].includes(url.protocol) && url.hostname !== '';
  if (isServer && url.username === '' && /^\/?$/.test(url.pathname)) return url;
  throw invalid(`a server of NATS must be a URL like tls://host:4222; got ${JSON.stringify(text)}`);
}

function invalid(message: string): IotmanoError {
  return new IotmanoError('invalid-parameter', message);
}
