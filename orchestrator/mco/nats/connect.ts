import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { checkServerIdentity, getCACertificates, type PeerCertificate } from 'node:tls';
import {
  connect,
  jwtAuthenticator,
  type NatsConnection,
  type NodeConnectionOptions,
  type TlsOptions,
} from '@nats-io/transport-node';
import { IotmanoError, messageOf, type Clock, type Logger } from '../../../kernel/index.ts';
import { isLoopback } from '../../api/index.ts';
import type { NatsUser } from './claims.ts';

/** Servers of one cluster. */
export interface NatsPlace {
  /** `host:port` */
  readonly servers: readonly string[];
  /** Absent: plain, which only loopback addresses are good for. */
  readonly tls?: { readonly ca: readonly string[] };
}

/**
 * Reads `nats://host:port` or `tls://host:port` of one or more servers.
 * @throws IotmanoError `invalid-parameter` where one is none, they differ, or plain NATS would leave this machine
 */
export function parseNatsPlace(urls: readonly string[], caFile?: string): NatsPlace {
  const parsed = urls.map((text) => {
    const url = URL.canParse(text) ? new URL(text) : undefined;
    if (url === undefined || !['nats:', 'tls:'].includes(url.protocol) || url.hostname === '')
      throw new IotmanoError(
        'invalid-parameter',
        `a server of NATS must be a URL like tls://host:4222; got ${JSON.stringify(text)}`,
      );
    return url;
  });
  const isTls = parsed[0]?.protocol === 'tls:';
  if (parsed.some(({ protocol }) => (protocol === 'tls:') !== isTls))
    throw new IotmanoError(
      'invalid-parameter',
      'some servers of NATS are named with tls:// and some with nats://; use tls:// for all of them',
    );
  const open = parsed.find(
    ({ protocol, hostname }) => protocol === 'nats:' && !isLoopback(plainName(hostname)),
  );
  if (open !== undefined)
    throw new IotmanoError(
      'invalid-parameter',
      `${open.href} is not on this machine and nats:// would show tokens and functions to the network; use tls://`,
    );
  const servers = parsed.map(({ hostname, port }) => `${hostname}:${port === '' ? 4222 : port}`);
  return isTls ? { servers, tls: { ca: readAuthorities(caFile) } } : { servers };
}

export interface ConnectOptions {
  readonly place: NatsPlace;
  readonly user: () => Promise<NatsUser>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** Works with the connection; it is closed after it, and when the signal is aborted. */
  readonly use: (connection: NatsConnection) => Promise<void>;
}

const PAUSE_MILLISECONDS = 1000;
const TIMEOUT_MILLISECONDS = 5000;

/** Connects, and again when the connection was closed for good, until the signal is aborted. A server that goes away for a while closes nothing. */
export async function connectTo({ place, user, clock, log, signal, use }: ConnectOptions): Promise<void> {
  let lastReason: string | undefined;
  while (!signal.aborted) {
    try {
      const connection = await connect(connectionOptions(place, await user()));
      lastReason = undefined;
      await useUntil(connection, use, signal);
    } catch (error) {
      const reason = messageOf(error);
      if (reason !== lastReason)
        log.warn(
          { servers: place.servers, reason },
          'NATS cannot be reached; hosts over it keep what they have',
        );
      lastReason = reason;
    }
    await clock.sleep(PAUSE_MILLISECONDS, signal);
  }
}

async function useUntil(
  connection: NatsConnection,
  use: (connection: NatsConnection) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const close = (): void => void connection.close();
  signal.addEventListener('abort', close, { once: true });
  if (signal.aborted) close();
  try {
    await use(connection);
  } finally {
    signal.removeEventListener('abort', close);
    await connection.close();
  }
}

function connectionOptions({ servers, tls }: NatsPlace, { jwt, seed }: NatsUser): NodeConnectionOptions {
  return {
    servers: [...servers],
    name: 'iotmano orchestrator',
    authenticator: jwtAuthenticator(jwt, seed),
    inboxPrefix: '_INBOX.orchestrator',
    timeout: TIMEOUT_MILLISECONDS,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 250,
    pingInterval: 10_000,
    // An operator has said which servers there are; what they say of each other may be of another network.
    ignoreClusterUpdates: true,
    ...(tls === undefined ? {} : { tls: tlsOptions(servers, tls.ca) }),
  };
}

/** A server has to show a certificate for its name, or for its address where servers are named by that. */
function tlsOptions(servers: readonly string[], ca: readonly string[]): TlsOptions {
  const addresses = servers.map((server) => plainName(server.replace(/:\d+$/, ''))).filter(isIP);
  const tls = {
    ca: ca.join('\n'),
    // The client gives no name for an address, and a certificate is then compared with "localhost".
    checkServerIdentity: (name: string, certificate: PeerCertificate): Error | undefined =>
      [name, ...addresses].some((each) => checkServerIdentity(each, certificate) === undefined)
        ? undefined
        : checkServerIdentity(name, certificate),
  };
  return tls;
}

function plainName(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, '');
}

function readAuthorities(caFile: string | undefined): string[] {
  const known = [...new Set([...getCACertificates('default'), ...getCACertificates('system')])];
  if (caFile === undefined) return known;
  try {
    return [...known, readFileSync(caFile, 'utf8')];
  } catch (error) {
    throw new IotmanoError(
      'invalid-parameter',
      `the CA file ${caFile} cannot be read: ${messageOf(error)}`,
      {},
      error,
    );
  }
}
