import type { NatsConnection } from '@nats-io/transport-node';
import { IotmanoError, messageOf, type HostId } from '../../../kernel/index.ts';
import { createDispatcher, type ApiOptions } from '../../api/index.ts';
import type { Mco } from '../mco.ts';
import type { AccountKeys } from './account-keys.ts';
import { orchestratorUser, systemUser } from './claims.ts';
import { connectTo, type NatsPlace } from './connect.ts';
import { createHostUsers } from './host-users.ts';
import { listen, type Answered } from './listener.ts';
import { takeMeasurements } from './measurements.ts';
import { createClaims } from './publish-claims.ts';
import { createPushes, type Pushes } from './push-wanted.ts';
import { partBytes, sendParts } from './send-parts.ts';

export interface NatsBindingOptions {
  readonly mco: Mco;
  readonly api: Omit<ApiOptions, 'routes'>;
  readonly keys: AccountKeys;
  readonly place: NatsPlace;
  /** Bound of the measurements that the servers keep. */
  readonly maxStreamBytes: number;
}

export interface NatsBinding {
  /** Connects as soon as there is a server, again whenever the connection ends, and works until it is stopped. */
  start(): void;
  stop(): Promise<void>;
}

const PURGE_MILLISECONDS = 3600_000;
const CLAIMS_MILLISECONDS = 5000;

/** The orchestrator's ends of Mco over NATS: the same routes, brought by messages. */
export function createNatsBinding(options: NatsBindingOptions): NatsBinding {
  const { mco, api, keys, place, maxStreamBytes } = options;
  const { store, clock, log, m2mSpId } = mco.context;
  const dispatcher = createDispatcher({ ...api, routes: mco.messageRoutes });
  const users = createHostUsers(store, clock, keys);
  const stopping = new AbortController();
  const { signal } = stopping;
  /** What of a host's measurements was taken over last. */
  const receipts = new Map<HostId, { readonly bootId: string; readonly nextSequence: number }>();
  let system: NatsConnection | undefined;
  const haveSystem = Promise.withResolvers<void>();
  let pushes: Pushes | undefined;
  let running: Promise<unknown> = Promise.resolve();

  const claims = createClaims({
    store,
    clock,
    log,
    keys,
    signal,
    send: async (jwt) => {
      if (system === undefined) throw new IotmanoError('unavailable', 'there is no connection to NATS');
      const taken = await system.request('$SYS.REQ.CLAIMS.UPDATE', jwt, { timeout: CLAIMS_MILLISECONDS });
      return taken.string();
    },
  });

  async function addHeaders({
    operation,
    hostId,
    request,
    answer,
  }: Answered): Promise<Record<string, string>> {
    const bootId = request.headers['mco-boot-id'] ?? '';
    if (answer.status === 201 && (operation === 'enrol' || operation === 'session')) {
      const jwt = await (operation === 'enrol' ? users.issue(hostId) : users.renew(hostId));
      // A key that was revoked before is good again, and the servers have to know that first.
      if (jwt !== undefined) await claims.settle();
      return jwt === undefined ? {} : { 'Mco-Nats-User-Jwt': jwt };
    }
    if (operation !== 'wanted' || answer.status > 304) return {};
    pushes?.told(hostId, bootId, Number(answer.headers['Mco-Revision']));
    const receipt = receipts.get(hostId);
    return receipt?.bootId === bootId ? { 'Mco-Receipt': String(receipt.nextSequence) } : {};
  }

  async function serve(connection: NatsConnection): Promise<void> {
    // Before any host is answered: nobody who was revoked may be connected then.
    await claims.settle();
    const own = createPushes(
      mco.context,
      () => partBytes(connection),
      ({ subject, headers, body = new Uint8Array() }) => sendParts(connection, subject, headers, body),
    );
    pushes = own;
    listen({ connection, dispatcher, m2mSpId, log, addHeaders });
    log.info({ servers: place.servers }, 'Mco over NATS is served');
    await takeMeasurements({
      connection,
      dispatcher,
      m2mSpId,
      clock,
      log,
      maxStreamBytes,
      replicas: place.servers.length >= 3 ? 3 : 1,
      signal,
      onReceipt: (hostId, bootId, nextSequence) => receipts.set(hostId, { bootId, nextSequence }),
    });
    own.close();
  }

  async function purge(): Promise<void> {
    while (!signal.aborted) {
      users.purge();
      for (const hostId of receipts.keys())
        if (store.get('host', hostId) === undefined) receipts.delete(hostId);
      await clock.sleep(PURGE_MILLISECONDS, signal);
    }
  }

  return {
    start: () => {
      const shared = { place, clock, log, signal };
      running = Promise.all([
        haveSystem.promise.then(() =>
          connectTo({ ...shared, user: () => orchestratorUser(keys), use: serve }),
        ),
        connectTo({
          ...shared,
          user: () => systemUser(keys),
          use: async (connection) => {
            system = connection;
            haveSystem.resolve();
            // Servers that were away may know something older.
            for await (const { type } of connection.status()) if (type === 'reconnect') claims.repeat();
            system = undefined;
          },
        }),
        claims.run(),
        purge(),
      ]).catch((error: unknown) => log.error({ reason: messageOf(error) }, 'Mco over NATS has ended'));
    },
    stop: async () => {
      stopping.abort();
      haveSystem.resolve();
      dispatcher.stop();
      await running;
    },
  };
}
