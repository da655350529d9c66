import { natsReplyFaults, type NatsHeaders } from '../nats/document.ts';
import { payloadOf } from '../nats/messages.ts';
import type { Answer, Message } from './agent-wire.ts';
import { jsonOf, type NatsMessage } from './host-link.ts';

/** What of a message is carried in headers. */
export function headersOf(message: Message): NatsHeaders {
  const { version, bootId, spId, token, sequence, time, range, digest, query = {} } = message;
  const optional: Readonly<Record<string, string | undefined>> = {
    'Mco-Sp-Id': spId,
    Authorization: token === undefined ? undefined : `Bearer ${token}`,
    'Mco-Sequence': sequence === undefined ? undefined : String(sequence),
    'Mco-Time': time,
    Range: range,
    'Mco-Digest': digest,
    'Mco-Stream-Id': message.streamId,
    'Mco-Since': query['since'],
    'Mco-Full': query['full'],
    'Mco-Drain': query['drain'],
  };
  const given = Object.entries(optional).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return { 'Mco-Version': version, 'Mco-Boot-Id': bootId, ...Object.fromEntries(given) };
}

/** What of a message is carried as payload. */
export function payloadFor({ raw, body }: Message): Buffer {
  return Buffer.from(raw?.text ?? (body === undefined ? '' : JSON.stringify(body)));
}

/** What came, as a message of the operation. */
export function toAnswer(operation: string, { headers, bytes }: NatsMessage): Answer {
  const status = Number(headers['Mco-Status'] ?? 0);
  const isFile = operation === 'retrieveArtifact' && status < 400;
  const payload = isFile ? '' : payloadOf(bytes);
  const lower = Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
  const faults = operation === 'postMeasurements' ? [] : natsReplyFaults(operation, headers, payload);
  return {
    operation,
    status,
    headers: lower,
    body: isFile ? undefined : (payload ?? undefined),
    bytes,
    faults,
  };
}

/** Whether it says that measurements up to this number are taken over. */
export function isReceiptFor(receipt: NatsMessage, bootId: string, sequence: number): boolean {
  const { nextSequence = 0 } = (jsonOf(receipt) ?? {}) as { nextSequence?: number };
  return receipt.headers['Mco-Boot-Id'] === bootId && nextSequence > sequence;
}
