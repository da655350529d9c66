import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Socket } from 'node:net';
import { createGate, type Gate } from './gate.ts';

/** The two connections of an agent that carry its messages (MCO-C-001). */
export interface ConnectionPool {
  /**
   * What opens and keeps them. `certificate`: what is shown from now on; those that have shown another one are used to the end of what they carry, and not again.
   * @throws IotmanoError `unavailable` after `close`: it would open connections again
   */
  agentFor(certificate: string | undefined): HttpAgent;
  /** Lets two act at a time: Node keeps connections apart by their certificate, and would have as many again for the next one. */
  readonly pass: Gate['run'];
  /** Cuts what is under way, and ends what waits. */
  close(): void;
}

/** A connection that is not used so long is closed: there are two while a poll waits and something else is sent, and one at rest. */
const IDLE_MILLISECONDS = 6000;
const MOST = 2;

export function createConnectionPool(isTls: boolean): ConnectionPool {
  const options = {
    keepAlive: true,
    maxSockets: MOST,
    maxFreeSockets: MOST,
    keepAliveMsecs: 15_000,
    timeout: IDLE_MILLISECONDS,
  };
  const agent = isTls ? new HttpsAgent(options) : new HttpAgent(options);
  let shown: string | undefined;
  const gate = createGate(MOST);
  agent.on('free', (socket: Socket, { cert }: { readonly cert?: string }) => {
    if (cert !== shown && idleOf(agent).includes(socket)) socket.destroy();
  });
  return {
    agentFor: (certificate) => {
      gate.requireOpen();
      if (certificate !== shown) for (const each of idleOf(agent)) each.destroy();
      shown = certificate;
      return agent;
    },
    pass: gate.run,
    close: () => {
      gate.close();
      agent.destroy();
    },
  };
}

function idleOf({ freeSockets }: HttpAgent): readonly Socket[] {
  return Object.values(freeSockets).flatMap((sockets) => sockets ?? []);
}
