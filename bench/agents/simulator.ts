/** Many simulated agents in a process of their own, which does as its parent says. */
import { createPrivateKey, sign, type KeyObject } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { createTransport, type Transport } from '../../agents/mco-client/index.ts';
import { createNatsTransport, parseNatsServers } from '../../agents/mco-client/nats/index.ts';
import { silentLogger, type HostId, type StateId } from '../../kernel/index.ts';
import { runSimulatedAgent } from './simulated-agent.ts';

export interface SimulatorOrder {
  readonly serverUrl: string;
  readonly hostIds: readonly string[];
  readonly privateKeyPem: string;
  readonly stateId: string;
  readonly m2mSpId: string;
  /** Over NATS the user of each host; over HTTP none. */
  readonly natsJwts: readonly string[];
  readonly startsPerSecond: number;
}

/** `polling`: all agents have had their first answer; `reported`: each has told of a function that runs, at these times (milliseconds since the epoch). */
export type SimulatorNews =
  { readonly type: 'polling' } | { readonly type: 'reported'; readonly at: readonly number[] };

async function simulate(order: SimulatorOrder): Promise<void> {
  const privateKey = createPrivateKey(order.privateKeyPem);
  const polling = new Set<string>();
  const reported = new Map<string, number>();
  const tell = (news: SimulatorNews): void => void process.send?.(news);
  for (const [index, hostId] of order.hostIds.entries()) {
    void runSimulatedAgent({
      transport: transportOf(order, hostId, order.natsJwts[index], privateKey),
      m2mSpId: order.m2mSpId,
      hostId: hostId as HostId,
      stateId: order.stateId as StateId,
      privateKey,
      // One for all of them would be searched by each that waits.
      signal: new AbortController().signal,
      onFirstAnswer: () => {
        if (polling.has(hostId)) return;
        polling.add(hostId);
        if (polling.size === order.hostIds.length) tell({ type: 'polling' });
      },
      onReported: () => {
        if (reported.has(hostId)) return;
        reported.set(hostId, Date.now());
        if (reported.size === order.hostIds.length) tell({ type: 'reported', at: [...reported.values()] });
      },
    });
    await sleep(1000 / order.startsPerSecond);
  }
}

/** The user is the host's own, which keeps no file here. */
function transportOf(
  { serverUrl }: SimulatorOrder,
  hostId: string,
  jwt: string | undefined,
  privateKey: KeyObject,
): Transport {
  if (jwt === undefined) return createTransport({ serverUrl });
  const asHost = () => (nonce: string | undefined) => ({
    jwt,
    sig: sign(null, Buffer.from(nonce ?? ''), privateKey).toString('base64url'),
  });
  const users = { host: asHost, enrolment: asHost, keep: async () => undefined };
  const servers = parseNatsServers(serverUrl, {});
  return createNatsTransport({ servers, hostId, users, log: silentLogger });
}

process.on('message', (order: SimulatorOrder) => void simulate(order));
process.on('disconnect', () => process.exit());
