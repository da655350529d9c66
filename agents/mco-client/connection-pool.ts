import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Socket } from 'node:net';

/** The two connections of an agent that carry its messages (MCO-C-001). */
export interface ConnectionPool {
  /** What opens and keeps them. `certificate`: what is shown from now on; those that have shown another one are used to the end of what they carry, and not again. */
  agentFor(certificate: string | undefined): HttpAgent;
  /** Lets two act at a time, in the order in which they came: Node keeps connections apart by their certificate, and would have as many again for the next one. */
  inTurn<T>(act: () => Promise<T>): Promise<T>;
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
    maxFreeSockets: MOST,
    keepAliveMsecs: 15_000,
    timeout: IDLE_MILLISECONDS,
  };
  const agent = tls === undefined ? new HttpAgent(options) : new HttpsAgent({ ...options, ...tls });
  let shown: string | undefined;
  let acting = 0;
  const waiting: (() => void)[] = [];
  agent.on('free', (socket: Socket, { cert }: { readonly cert?: string }) => {
    if (cert !== shown && idleOf(agent).includes(socket)) socket.destroy();
  });
  return {
    agentFor: (certificate) => {
      if (certificate !== shown) for (const each of idleOf(agent)) each.destroy();
      shown = certificate;
      return agent;
    },
    inTurn: async (act) => {
      if (acting >= MOST) await new Promise<void>((resolve) => waiting.push(resolve));
      else acting += 1;
      try {
        return await act();
      } finally {
        // The turn is handed on, so that nobody comes in between.
        const next = waiting.shift();
        if (next === undefined) acting -= 1;
        else next();
      }
    },
    close: () => agent.destroy(),
  };
}

function idleOf({ freeSockets }: HttpAgent): readonly Socket[] {
  return Object.values(freeSockets).flatMap((sockets) => sockets ?? []);
}
