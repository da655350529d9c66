import { connect, type NatsConnection } from '@nats-io/transport-node';
import type { Clock } from '../../kernel/index.ts';
import { ORCHESTRATOR_GROUP, natsOperations, subjectOf } from '../nats/document.ts';
import { toHeaders } from '../nats/messages.ts';
import { startKitServers, type KitServersOptions } from '../nats/servers.ts';
import {
  createKitKeys,
  enrolmentCredential,
  observingUser,
  playedOrchestratorUser,
  type KitKeys,
} from '../nats/users.ts';
import { answerIfPossible } from './nats-answers.ts';
import { observeConnections } from './nats-connections.ts';
import { ENVELOPE, type NatsContext } from './nats-context.ts';
import { makeStream, takeMeasurements } from './nats-stream.ts';
import type { Handler, OrchestratorWire } from './orchestrator-wire.ts';

export interface NatsListenOptions extends Omit<KitServersOptions, 'keys' | 'clock'> {
  /** The agent that is waited for: over NATS a token names its host. */
  readonly hostId: string;
}

/** The binding to NATS, from the side of an orchestrator, with servers of the kit's own. @throws IotmanoError where they cannot be started */
export async function listenOverNats(
  options: NatsListenOptions,
  handler: Handler,
  clock: Clock,
): Promise<OrchestratorWire> {
  const keys = createKitKeys();
  const servers = await startKitServers({ ...options, keys, clock });
  const open = async (user: (keys: KitKeys) => ReturnType<typeof observingUser>): Promise<NatsConnection> =>
    connect({
      servers: [...servers.addresses],
      name: 'conformance kit',
      authenticator: await user(keys),
      maxReconnectAttempts: -1,
      reconnectTimeWait: 100,
      ignoreClusterUpdates: true,
    });
  try {
    const [connection, observer] = [await open(playedOrchestratorUser), await open(observingUser)];
    const connections = observeConnections(observer, keys.account.getPublicKey());
    const receipts = new Map<string, number>();
    const context: NatsContext = { connection, keys, clock, handler, receipts, isThere: () => isThere };
    await makeStream(connection, servers.addresses.length);
    void takeMeasurements(context);
    const returns: number[] = [];
    let isThere = true;
    let end = subscribe(context);
    const disappear = (): Promise<void> => {
      if (isThere) end();
      isThere = false;
      return connection.flush();
    };
    return {
      binding: 'nats',
      url: servers.addresses.map((address) => `nats://${address}`).join(','),
      hostId: options.hostId,
      credential: (token) => enrolmentCredential(keys, options.hostId, token, clock.now()),
      connections: () => ({ carrying: connections.most(), all: connections.most() }),
      returns,
      nats: {
        users: connections.users,
        serverOf: connections.serverOf,
        // What was sent while one server was lost may never have come.
        servers: {
          ...servers,
          kill: async (index) => {
            await servers.kill(index);
            returns.push(clock.monotonic());
          },
          start: async (index) => {
            await servers.start(index);
            returns.push(clock.monotonic());
          },
        },
        push: ({ hostId, bootId, since, revision, wanted }) => {
          if (!isThere) return;
          const headers = {
            'Mco-Boot-Id': bootId,
            'Mco-Since': String(since),
            'Mco-Revision': String(revision),
          };
          connection.publish(subjectOf(hostId, 'wanted.changed'), JSON.stringify(wanted), {
            headers: toHeaders({ ...ENVELOPE, ...headers }),
          });
        },
      },
      disappear,
      appear: async () => {
        if (isThere) return;
        isThere = true;
        returns.push(clock.monotonic());
        end = subscribe(context);
        await connection.flush();
      },
      close: async () => {
        await Promise.all([connection.close(), observer.close()]);
        await servers.stop();
      },
    };
  } catch (error) {
    await servers.stop();
    throw error;
  }
}

/** @returns the end of it */
function subscribe(context: NatsContext): () => void {
  const asked = [...natsOperations().values()].filter(({ replies }) => replies.length > 0);
  const subscriptions = asked.map(({ operationId, name }) =>
    context.connection.subscribe(subjectOf('*', name), {
      queue: ORCHESTRATOR_GROUP,
      callback: (error, message) => {
        if (error === null) void answerIfPossible(context, operationId, message);
      },
    }),
  );
  return () => {
    for (const each of subscriptions) each.unsubscribe();
  };
}
