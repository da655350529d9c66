import type { NatsConnection } from '@nats-io/transport-node';
import { toHeaders } from './message-headers.ts';

/** Left for headers and protocol in a message of `max_payload`. */
const HEADROOM_BYTES = 8 * 1024;
const MAX_PART_BYTES = 512 * 1024;

/**
 * Publishes a payload, in several messages where it is larger than one may be: each then says in `Mco-Part` which it is, of how many
 * (`1/3`), and carries all headers.
 */
export function sendParts(
  connection: NatsConnection,
  subject: string,
  headers: Readonly<Record<string, string>>,
  body: Uint8Array,
): void {
  const most = partBytes(connection);
  const parts = Math.max(1, Math.ceil(body.length / most));
  for (let part = 1; part <= parts; part += 1) {
    const piece = body.subarray((part - 1) * most, part * most);
    const numbered = parts === 1 ? headers : { ...headers, 'Mco-Part': `${part}/${parts}` };
    connection.publish(subject, piece, { headers: toHeaders(numbered) });
  }
}

/** Bytes of payload that fit into one message. */
export function partBytes({ info }: NatsConnection): number {
  return Math.max(1024, Math.min(MAX_PART_BYTES, (info?.max_payload ?? 0) - HEADROOM_BYTES));
}
