import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Socket } from 'node:net';

/** The two connections of an agent that carry its messages (MCO-C-001). */
export interface ConnectionPool {
  /** What opens and keeps them. `certificate`: what is shown from now on; those that have shown another one are used to the end of what they carry, and not again. */
  agentFor(certificate: string | undefined): HttpAgent;
  close(): void;
}

/** A connection that is not used so long is closed: there are two while a poll waits and something else is sent, and one at rest. */
const IDLE_MILLISECONDS = 6000;
const MOST = 2;

/** @param tls options of each connection; absent: in the clear */
export function createConnectionPool(tls: { readonly ca: string[] } | undefined): ConnectionPool {
  const options = {
    keepAlive: true,
    maxSockets: MOST,
    // Node keeps connections apart by their certificate, and would have as many again for the next one.
    maxTotalSockets: MOST,
    maxFreeSockets: MOST,
    keepAliveMsecs: 15_000,
    timeout: IDLE_MILLISECONDS,
  };
  const agent = tls === undefined ? new HttpAgent(options) : new HttpsAgent({ ...options, ...tls });
  let shown: string | undefined;
  agent.on('free', (socket: Socket, { cert }: { readonly cert?: string }) => {
    if (cert !== shown && idleOf(agent).includes(socket)) socket.destroy();
  });
  return {
    agentFor: (certificate) => {
      if (certificate !== shown) for (const each of idleOf(agent)) each.destroy();
      shown = certificate;
      return agent;
    },
    close: () => agent.destroy(),
  };
}

function idleOf({ freeSockets }: HttpAgent): readonly Socket[] {
  return Object.values(freeSockets).flatMap((sockets) => sockets ?? []);
}
