import { AckPolicy, jetstream, jetstreamManager, type JsMsg } from '@nats-io/jetstream';
import { connect, nanos, type Msg, type NatsConnection } from '@nats-io/transport-node';
import type { Clock } from '../../kernel/index.ts';
import { KIT_SP_ID } from './http-orchestrator-wire.ts';
import {
  MAX_RANGE_BYTES,
  MEASUREMENTS_STREAM,
  ORCHESTRATOR_GROUP,
  natsFaults,
  natsOperations,
  subjectOf,
  type NatsHeaders,
} from '../nats/document.ts';
import { bytesOf, headersOf, payloadOf, toHeaders, wireName } from '../nats/messages.ts';
import { startKitServers, type KitServersOptions } from '../nats/servers.ts';
import {
  createKitKeys,
  enrolmentCredential,
  hostUserJwt,
  observingUser,
  playedOrchestratorUser,
  type KitKeys,
} from '../nats/users.ts';
import { observeConnections } from './nats-connections.ts';
import type { Handler, OrchestratorWire, Received, Reply } from './orchestrator-wire.ts';
import { unzip } from './unzip.ts';

export interface NatsListenOptions extends Omit<KitServersOptions, 'keys' | 'clock'> {
  /** The agent that is waited for: over NATS a token names its host. */
  readonly hostId: string;
}

const ENVELOPE: NatsHeaders = { 'Mco-Version': '1.0', 'Mco-Sp-Id': KIT_SP_ID };
const PART_BYTES = 512 * 1024;
/** Of an answer without end, in a second: an agent has time to give up and to ask again before it has all been sent. */
const ENDLESS_PARTS_PER_LOOK = 8;
const ENDLESS_PAUSE_MILLISECONDS = 50;
const AGAIN_MILLISECONDS = 250;
const STREAM_BYTES = 64 * 1024 * 1024;

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
    const context: Context = { connection, keys, clock, handler, receipts, isThere: () => isThere };
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

interface Context {
  readonly connection: NatsConnection;
  readonly keys: KitKeys;
  readonly clock: Clock;
  readonly handler: Handler;
  /** nextSequence of the newest receipt, by boot. */
  readonly receipts: Map<string, number>;
  isThere(): boolean;
}

/** @returns the end of it */
function subscribe(context: Context): () => void {
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

/** What cannot be answered the agent repeats. */
async function answerIfPossible(context: Context, operation: string, message: Msg): Promise<void> {
  try {
    await answer(context, operation, message);
  } catch {
    // A message that cannot be read at all, or an end of the connection.
  }
}

async function answer(context: Context, operation: string, message: Msg): Promise<void> {
  const received = toReceived(operation, message, context.clock.monotonic());
  const reply = await context.handler(received);
  const to = message.reply ?? '';
  if (!to.startsWith(`_INBOX.mco.${received.hostId}.`)) return;
  if (!context.isThere()) return;
  if (reply.type === 'cut') return;
  if (reply.type === 'endless') return sendEndless(context, to, reply);
  if (reply.type === 'bytes') return sendRange(context, to, received, reply);
  const { status, headers = {}, body } = reply;
  const payload = body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body);
  const own = { ...wireHeaders(headers), 'Mco-Status': String(status) };
  const more = await ownHeaders(context, received, reply);
  sendParts(context.connection, to, { ...ENVELOPE, ...more, ...own }, Buffer.from(payload));
}

/** What answers carry in this binding alone. */
async function ownHeaders(
  { keys, clock, receipts }: Context,
  { operation, hostId, bootId, body }: Received,
  reply: Extract<Reply, { type: 'answer' }>,
): Promise<NatsHeaders> {
  if (operation === 'enrolHost' && reply.status === 201) {
    const { publicKey } = body as { readonly publicKey: { readonly x: string } };
    return { 'Mco-Nats-User-Jwt': await hostUserJwt(keys, hostId, publicKey.x, clock.now()) };
  }
  if (operation !== 'getWanted') return {};
  const { revision } = (reply.body ?? {}) as { readonly revision?: number };
  const receipt = receipts.get(bootId);
  return {
    ...(revision === undefined ? {} : { 'Mco-Revision': String(revision) }),
    ...(receipt === undefined ? {} : { 'Mco-Receipt': String(receipt) }),
  };
}

function sendParts(connection: NatsConnection, to: string, headers: NatsHeaders, payload: Buffer): void {
  const parts = Math.max(1, Math.ceil(payload.length / PART_BYTES));
  for (let part = 1; part <= parts; part += 1) {
    const numbered = parts === 1 ? headers : { ...headers, 'Mco-Part': `${part}/${parts}` };
    connection.publish(to, payload.subarray((part - 1) * PART_BYTES, part * PART_BYTES), {
      headers: toHeaders(numbered),
    });
  }
}

/** What was asked for of the rest of a file, as far as it fits into a message. */
function sendRange(
  { connection }: Context,
  to: string,
  { rangeFrom = 0, rangeTo = Number.MAX_SAFE_INTEGER }: Received,
  { bytes }: Extract<Reply, { type: 'bytes' }>,
): void {
  const size = Math.min(bytes.length, rangeTo - rangeFrom + 1, MAX_RANGE_BYTES);
  const range = `bytes ${rangeFrom}-${rangeFrom + size - 1}/${rangeFrom + bytes.length}`;
  const headers = { ...ENVELOPE, 'Mco-Status': '206', 'Content-Range': range };
  connection.publish(to, bytes.subarray(0, size), { headers: toHeaders(headers) });
}

/** Part after part of one answer, until it has been so many bytes. */
async function sendEndless(
  { connection, clock, isThere }: Context,
  to: string,
  { onSent, maxBytes }: Extract<Reply, { type: 'endless' }>,
): Promise<void> {
  const parts = maxBytes / PART_BYTES;
  const payload = Buffer.alloc(PART_BYTES, ' ');
  for (let part = 1; part <= parts && isThere() && !connection.isClosed(); part += 1) {
    const headers = { ...ENVELOPE, 'Mco-Status': '200', 'Mco-Revision': '0', 'Mco-Part': `${part}/99999` };
    connection.publish(to, payload, { headers: toHeaders(headers) });
    if (part % ENDLESS_PARTS_PER_LOOK > 0) continue;
    await connection.flush();
    onSent(part * PART_BYTES);
    await clock.sleep(ENDLESS_PAUSE_MILLISECONDS);
  }
}

async function makeStream(connection: NatsConnection, servers: number): Promise<void> {
  const { streams, consumers } = await jetstreamManager(connection, { timeout: 20_000, checkAPI: false });
  await repeatedly(() =>
    streams.add({
      name: MEASUREMENTS_STREAM,
      subjects: [subjectOf('*', 'measurements')],
      max_bytes: STREAM_BYTES,
      num_replicas: servers >= 3 ? 3 : 1,
      duplicate_window: nanos(120_000),
    }),
  );
  await repeatedly(() =>
    consumers.add(MEASUREMENTS_STREAM, {
      durable_name: ORCHESTRATOR_GROUP,
      ack_policy: AckPolicy.Explicit,
      ack_wait: nanos(10_000),
      max_deliver: -1,
    }),
  );
}

/** A cluster that has just come up has no leader yet. */
async function repeatedly(act: () => Promise<unknown>): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await act();
      return;
    } catch (error) {
      if (attempt === 60) throw error;
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MILLISECONDS));
    }
  }
}

async function takeMeasurements(context: Context): Promise<void> {
  const { connection, clock } = context;
  while (!connection.isClosed()) {
    try {
      const consumer = await jetstream(connection).consumers.get(MEASUREMENTS_STREAM, ORCHESTRATOR_GROUP);
      const batches = await consumer.consume({ max_messages: 64, expires: 5000, idle_heartbeat: 1000 });
      for await (const message of batches) await takeBatch(context, message);
    } catch {
      // A server was lost, or is not there yet: it is tried again.
      if (connection.isClosed()) return;
    }
    await clock.sleep(AGAIN_MILLISECONDS);
  }
}

async function takeBatch(
  { connection, clock, handler, receipts, isThere }: Context,
  message: JsMsg,
): Promise<void> {
  if (!isThere()) return message.nak(AGAIN_MILLISECONDS);
  const received = toReceived('postMeasurements', message, clock.monotonic());
  const reply = await handler(received);
  // Acknowledged to the servers, and not to the agent.
  if (reply.type !== 'answer') return message.ack();
  if (reply.status >= 401) return message.nak(AGAIN_MILLISECONDS);
  const { hostId, bootId, sequence = 0 } = received;
  receipts.set(bootId, sequence + 1);
  const receipt = { nextSequence: sequence + 1, ignored: reply.status === 200 ? 0 : 1 };
  connection.publish(subjectOf(hostId, 'receipts'), JSON.stringify(receipt), {
    headers: toHeaders({ ...ENVELOPE, 'Mco-Boot-Id': bootId }),
  });
  message.ack();
}

function toReceived(operation: string, message: Msg | JsMsg, at: number): Received {
  const headers = headersOf(message);
  const bytes = unzip(bytesOf(message), headers['Content-Encoding']);
  const payload = payloadOf(bytes);
  const sequence = headers['Mco-Sequence'];
  const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(headers['Range'] ?? '') ?? [];
  const query = [
    ['since', headers['Mco-Since']],
    ['full', headers['Mco-Full']],
    ['drain', headers['Mco-Drain']],
  ].filter((entry): entry is [string, string] => entry[1] !== undefined);
  return {
    at,
    operation,
    hostId: message.subject.split('.')[2] ?? '',
    version: headers['Mco-Version'] ?? '',
    spId: headers['Mco-Sp-Id'],
    bootId: headers['Mco-Boot-Id'] ?? '',
    sequence: sequence === undefined ? undefined : Number(sequence),
    token: /^Bearer +(\S+)$/i.exec(headers['Authorization'] ?? '')?.[1],
    messageId: headers['Nats-Msg-Id'],
    // The servers let nobody else publish to its subject.
    isKnownBySubject: operation === 'postMeasurements',
    query: new Map(query),
    digest: headers['Mco-Digest'],
    streamId: headers['Mco-Stream-Id'],
    rangeFrom: from === undefined ? undefined : Number(from),
    rangeTo: to === undefined || to === '' ? undefined : Number(to),
    body: payload ?? undefined,
    faults: natsFaults(operation, headers, payload),
  };
}

function wireHeaders(headers: Readonly<Record<string, string>>): NatsHeaders {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [wireName(name), value]));
}
