import {
  AckPolicy,
  DeliverPolicy,
  DiscardPolicy,
  RetentionPolicy,
  StorageType,
  jetstream,
  jetstreamManager,
  type JetStreamManager,
  type JsMsg,
  type StreamConfig,
} from '@nats-io/jetstream';
import { nanos, type NatsConnection } from '@nats-io/transport-node';
import { NATS_OPERATIONS } from '../../../api-specs/generated/mco-nats.ts';
import {
  SYSTEM_TENANT,
  isId,
  messageOf,
  toTimestamp,
  type Clock,
  type HostId,
  type Logger,
} from '../../../kernel/index.ts';
import type { Dispatcher } from '../../api/index.ts';
import type { ReceiptMessage } from '../messages.ts';
import { envelope, flat, toHeaders, toRequest } from './message-headers.ts';
import { MEASUREMENTS_STREAM, ORCHESTRATOR, hostIdOfSubject, hostSubject, subjectOfAll } from './subjects.ts';

export interface MeasurementsOptions {
  readonly connection: NatsConnection;
  readonly dispatcher: Dispatcher;
  readonly m2mSpId: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly maxStreamBytes: number;
  readonly replicas: number;
  readonly signal: AbortSignal;
  /** A batch was taken over: receipts go to the host, and are remembered for those that miss them. */
  readonly onReceipt: (hostId: HostId, bootId: string, nextSequence: number) => void;
}

const OPERATION = NATS_OPERATIONS.find(({ name }) => name === 'measurements');
const SECOND = 1000;
const DAY = 24 * 3600 * SECOND;
/** As long as recent measurements are kept in memory at the usual pace: so much a new process reads again. */
const READ_AGAIN_MILLISECONDS = 20 * 60 * SECOND;
const ACK_WAIT_MILLISECONDS = 10 * SECOND;
const MAX_UNDER_WAY = 1000;
const AT_ONCE = 256;
const PAUSE_MILLISECONDS = SECOND;

/**
 * Takes measurements over from their stream, in its order, and says so to their hosts once they are taken. What this process has taken over is in its
 * memory; it stays in the stream, too, and the next process begins with what is recent there. Goes on until the signal is aborted or the connection is closed.
 */
export async function takeMeasurements(options: MeasurementsOptions): Promise<void> {
  const { connection, clock, log, signal } = options;
  let hasConsumer = false;
  while (!signal.aborted && !connection.isClosed()) {
    try {
      const manager = await jetstreamManager(connection);
      await ensureStream(manager, streamConfig(options));
      if (!hasConsumer) await renewConsumer(manager, clock);
      hasConsumer = true;
      await consume(options);
    } catch (error) {
      if (signal.aborted || connection.isClosed()) return;
      hasConsumer &&= !isMissing(error);
      log.warn({ reason: messageOf(error) }, 'measurements are not taken from NATS now; hosts keep theirs');
    }
    await clock.sleep(PAUSE_MILLISECONDS, signal);
  }
}

function streamConfig({
  maxStreamBytes,
  replicas,
}: MeasurementsOptions): Partial<StreamConfig> & { name: string } {
  return {
    name: MEASUREMENTS_STREAM,
    subjects: [subjectOfAll('measurements')],
    retention: RetentionPolicy.Limits,
    storage: StorageType.File,
    discard: DiscardPolicy.Old,
    max_bytes: maxStreamBytes,
    max_age: nanos(7 * DAY),
    max_msg_size: 1024 * 1024,
    duplicate_window: nanos(120 * SECOND),
    num_replicas: replicas,
  };
}

async function ensureStream(
  { streams }: JetStreamManager,
  config: Partial<StreamConfig> & { name: string },
): Promise<void> {
  const known = await streams.info(config.name).catch((error: unknown) => {
    if (isMissing(error)) return undefined;
    throw error;
  });
  if (known === undefined) await streams.add(config);
  else if (known.config.max_bytes !== config.max_bytes || known.config.num_replicas !== config.num_replicas)
    await streams.update(config.name, config);
}

/** A consumer of this process: it begins with what is recent, since the process before has taken that into its memory only. */
async function renewConsumer({ consumers }: JetStreamManager, clock: Clock): Promise<void> {
  await consumers.delete(MEASUREMENTS_STREAM, ORCHESTRATOR).catch((error: unknown) => {
    if (!isMissing(error)) throw error;
  });
  await consumers.add(MEASUREMENTS_STREAM, {
    durable_name: ORCHESTRATOR,
    deliver_policy: DeliverPolicy.StartTime,
    opt_start_time: toTimestamp(clock.now() - READ_AGAIN_MILLISECONDS),
    ack_policy: AckPolicy.Explicit,
    ack_wait: nanos(ACK_WAIT_MILLISECONDS),
    max_ack_pending: MAX_UNDER_WAY,
    max_deliver: -1,
  });
}

/** One batch after the other: a host has one under way, so that its order is that of the stream. */
async function consume(options: MeasurementsOptions): Promise<void> {
  const { connection, signal } = options;
  const consumer = await jetstream(connection).consumers.get(MEASUREMENTS_STREAM, ORCHESTRATOR);
  const batches = await consumer.consume({
    max_messages: AT_ONCE,
    expires: 10 * SECOND,
    idle_heartbeat: 2 * SECOND,
    abort_on_missing_resource: true,
  });
  const stop = (): void => batches.stop();
  signal.addEventListener('abort', stop, { once: true });
  try {
    for await (const message of batches) {
      await take(options, message);
      if (signal.aborted) break;
    }
  } finally {
    signal.removeEventListener('abort', stop);
    batches.stop();
  }
}

async function take(options: MeasurementsOptions, message: JsMsg): Promise<void> {
  const { dispatcher, connection, m2mSpId, log, onReceipt } = options;
  const hostId = hostIdOfSubject(message.subject);
  if (OPERATION === undefined || !isId(hostId)) return message.term();
  const caller = { tenant: SYSTEM_TENANT, role: 'agent', name: hostId, hostId } as const;
  const { status, body } = await dispatcher.dispatch({ ...toRequest(OPERATION, hostId, message), caller });
  if (status >= 500) return message.nak(PAUSE_MILLISECONDS);
  const headers = flat(message.headers);
  const bootId = headers['mco-boot-id'] ?? '';
  const receipt = receiptOf(status, body, Number(headers['mco-sequence']));
  if (status >= 400)
    log.warn({ hostId, status, bytes: message.data.length }, 'measurements of a host are refused');
  // Of a host that is not one any more nobody waits for a receipt.
  if (receipt !== undefined && isId(bootId.toLowerCase())) {
    onReceipt(hostId, bootId, receipt.nextSequence);
    connection.publish(hostSubject(hostId, 'receipts'), JSON.stringify(receipt), {
      headers: toHeaders({ ...envelope(m2mSpId), 'Mco-Boot-Id': bootId }),
    });
  }
  message.ack();
}

/** What cannot be read is receipted as well, so that it does not come for ever. */
function receiptOf(status: number, body: Uint8Array, sequence: number): ReceiptMessage | undefined {
  if (status === 200) return JSON.parse(Buffer.from(body).toString('utf8')) as ReceiptMessage;
  const isRefused = [400, 413, 415].includes(status) && Number.isSafeInteger(sequence) && sequence > 0;
  return isRefused ? { nextSequence: sequence + 1, ignored: 1 } : undefined;
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && /not found/i.test(error.message);
}
