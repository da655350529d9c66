import { MAX_RANGE_BYTES } from '../nats/document.ts';
import type { Message } from './agent-wire.ts';
import type { HostLink, NatsMessage } from './host-link.ts';
import { headersOf } from './nats-agent-messages.ts';

/** Of an artifact as ranges, one after the other, as an agent asks for them. */
export async function retrieveWhole(
  link: HostLink,
  subject: string,
  message: Message,
  signal: AbortSignal,
): Promise<NatsMessage> {
  const pieces: Buffer[] = [];
  for (let from = 0; ;) {
    const range = `bytes=${from}-${from + MAX_RANGE_BYTES - 1}`;
    const answer = await link.request(subject, headersOf({ ...message, range }), Buffer.alloc(0), signal);
    const size = Number(/\/(\d+)$/.exec(answer.headers['Content-Range'] ?? '')?.[1]);
    if (answer.headers['Mco-Status'] !== '206') return answer;
    pieces.push(answer.bytes);
    from += answer.bytes.length;
    if (answer.bytes.length === 0 || !(from < size))
      return { ...answer, bytes: Buffer.concat(pieces), headers: { ...answer.headers, 'Mco-Status': '200' } };
  }
}
