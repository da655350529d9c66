import { isIP } from 'node:net';
import { checkServerIdentity, type PeerCertificate } from 'node:tls';
import type { TlsOptions } from '@nats-io/transport-node';
import type { NatsTarget } from './target.ts';

/** What a connection demands of servers over TLS: a certificate for the name, or for the address where a server is named by that. */
export function tlsOptions({ servers, ca }: NatsTarget): { tls?: TlsOptions } {
  if (ca === undefined) return {};
  const addresses = servers.map((server) => server.replace(/:\d+$/, '').replace(/^\[|\]$/g, '')).filter(isIP);
  const tls = {
    ...(ca === '' ? {} : { ca }),
    // The client gives no name for an address, and a certificate is then compared with "localhost".
    checkServerIdentity: (name: string, certificate: PeerCertificate): Error | undefined =>
      [name, ...addresses].some((each) => checkServerIdentity(each, certificate) === undefined)
        ? undefined
        : checkServerIdentity(name, certificate),
  };
  return { tls };
}
