import type { Msg, NatsConnection } from '@nats-io/transport-node';
import { MAX_RANGE_BYTES, type NatsHeaders } from '../nats/document.ts';
import { toHeaders, wireName } from '../nats/messages.ts';
import { hostUserJwt } from '../nats/users.ts';
import { ENVELOPE, type NatsContext } from './nats-context.ts';
import { toReceived } from './nats-received.ts';
import type { Received, Reply } from './orchestrator-wire.ts';

const PART_BYTES = 512 * 1024;
/** Of an answer without end, between two pauses: an agent has time to give up and to ask again before it has all been sent. */
const ENDLESS_PARTS_PER_LOOK = 8;
const ENDLESS_PAUSE_MILLISECONDS = 50;

/** What cannot be answered the agent repeats. */
export async function answerIfPossible(context: NatsContext, operation: string, message: Msg): Promise<void> {
  try {
    await answer(context, operation, message);
  } catch {
    // A message that cannot be read at all, or an end of the connection.
  }
}

async function answer(context: NatsContext, operation: string, message: Msg): Promise<void> {
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
  { keys, clock, receipts }: NatsContext,
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
  { connection }: NatsContext,
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
  { connection, clock, isThere }: NatsContext,
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

function wireHeaders(headers: Readonly<Record<string, string>>): NatsHeaders {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [wireName(name), value]));
}
