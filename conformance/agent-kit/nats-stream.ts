import { AckPolicy, jetstream, jetstreamManager, type JsMsg } from '@nats-io/jetstream';
import { nanos, type NatsConnection } from '@nats-io/transport-node';
import { MEASUREMENTS_STREAM, ORCHESTRATOR_GROUP, subjectOf } from '../nats/document.ts';
import { toHeaders } from '../nats/messages.ts';
import { ENVELOPE, type NatsContext } from './nats-context.ts';
import { toReceived } from './nats-received.ts';

const AGAIN_MILLISECONDS = 250;
const STREAM_BYTES = 64 * 1024 * 1024;

/** Makes the stream that keeps measurements, and its consumer. */
export async function makeStream(connection: NatsConnection, servers: number): Promise<void> {
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

/** Takes measurements from the stream until the connection is closed. */
export async function takeMeasurements(context: NatsContext): Promise<void> {
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
  { connection, clock, handler, receipts, isThere }: NatsContext,
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
