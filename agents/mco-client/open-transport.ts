import type { KeyObject } from 'node:crypto';
import type { Logger } from '../../kernel/index.ts';
import { createTransport, type ClientIdentity, type Transport, type TransportOptions } from './transport.ts';

/** What a binding may need of the host. */
export interface HostOfTransport {
  readonly dataDirectory: string;
  readonly hostId: string;
  readonly privateKey: KeyObject;
  /** The certificate that it has now, where it has one. */
  clientIdentity(): ClientIdentity | undefined;
}

export interface ChosenTransport {
  /** Nothing is connected yet. */
  open(host: HostOfTransport): Promise<Transport>;
}

/**
 * The binding that the server's URL names. The one to NATS is loaded only where it is used.
 * @param enrolmentToken for NATS with the JWT that opens the enrolment
 * @throws IotmanoError `invalid-parameter` where the URL is none, or would leave this machine in the clear
 */
export async function chooseTransport(
  options: TransportOptions & { readonly enrolmentToken?: string | undefined; readonly log: Logger },
): Promise<ChosenTransport> {
  if (!/^(nats|tls):/.test(options.serverUrl)) {
    let host: HostOfTransport | undefined;
    const transport = createTransport(options, () => host?.clientIdentity());
    return {
      open: (of) => {
        host = of;
        return Promise.resolve(transport);
      },
    };
  }
  const { createNatsTransport, openHostUsers, parseNatsServers } = await import('./nats/index.ts');
  const servers = parseNatsServers(options.serverUrl, options);
  return {
    open: async (host) => {
      const users = await openHostUsers({ ...host, credential: options.enrolmentToken });
      return createNatsTransport({ servers, hostId: host.hostId, users, log: options.log });
    },
  };
}

/** The token itself: what an operator gives out for NATS has a JWT behind it. */
export function plainToken(enrolmentToken: string | undefined): string | undefined {
  return enrolmentToken?.split('~', 1)[0];
}
