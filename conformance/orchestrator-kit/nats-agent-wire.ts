import { createPublicKey, type KeyObject } from 'node:crypto';
import { AuthorizationError, connect } from '@nats-io/transport-node';
import { IotmanoError, messageOf, type Clock } from '../../kernel/index.ts';
import { CaseFailure } from '../case.ts';
import {
  MAX_RANGE_BYTES,
  natsOperation,
  natsOperations,
  natsReplyFaults,
  subjectOf,
  type NatsHeaders,
} from '../nats/document.ts';
import { payloadOf } from '../nats/messages.ts';
import { enrolmentKey, keyAuthenticator } from '../nats/users.ts';
import { show } from '../trace.ts';
import type { AgentWire, Answer, Message, NatsSide } from './agent-wire.ts';
import { NotAnswered, UserRefused, jsonOf, openLink, type HostLink, type NatsMessage } from './host-link.ts';

export interface NatsAgentWireOptions {
  /** `host:port` of servers of one cluster. */
  readonly servers: readonly string[];
  /** PEM; absent: plain. */
  readonly ca?: string | undefined;
  readonly clock: Clock;
}

const LOOK_MILLISECONDS = 20;
const RECEIPT_MILLISECONDS = 15_000;

/** The binding to NATS, from the side of agents: each played host has a connection of its own, with its key. */
export function createNatsAgentWire(options: NatsAgentWireOptions): AgentWire {
  const { servers, ca, clock } = options;
  // Takes a while, for which a server would not wait.
  natsOperations();
  /** By host and key. */
  const jwts = new Map<string, string>();
  const links = new Map<string, Promise<HostLink>>();
  /** Numbers of measurements that were published. */
  const published = new Set<string>();

  const nats: NatsSide = {
    jwtOf: (hostId, key) => jwts.get(nameOf(hostId, key)),
    giveJwt: (hostId, key, jwt) => void jwts.set(nameOf(hostId, key), jwt),
    openLink: async (hostId, key) => {
      const jwt = jwts.get(nameOf(hostId, key));
      if (jwt === undefined) throw new CaseFailure(`host ${hostId} has no user of NATS: it is not enrolled`);
      return openLink({ servers, ca, hostId, jwt, authenticator: keyAuthenticator(jwt, key) });
    },
  };

  async function linkOf(hostId: string, key: KeyObject): Promise<HostLink> {
    const name = nameOf(hostId, key);
    const open = await links.get(name)?.catch(() => undefined);
    if (open !== undefined && !open.connection.isClosed() && open.jwt === jwts.get(name)) return open;
    await open?.close();
    const next = nats.openLink(hostId, key);
    links.set(name, next);
    return next;
  }

  async function enrol(message: Message, signal: AbortSignal): Promise<NatsMessage> {
    const { hostId, credential = '', key } = message;
    const [token = '', jwt] = credential.split('~');
    if (jwt === undefined)
      throw new IotmanoError(
        'invalid-parameter',
        'a token for NATS is TOKEN~JWT, as the orchestrator gives it out for a named host',
      );
    const authenticator = keyAuthenticator(jwt, enrolmentKey(token));
    const link = await openLink({ servers, ca, hostId, jwt, authenticator, isEnrolling: true });
    try {
      const answer = await link.request(
        subjectOf(hostId, 'enrol'),
        headersOf(message),
        payloadFor(message),
        signal,
      );
      const own = answer.headers['Mco-Nats-User-Jwt'];
      if (own !== undefined && key !== undefined) jwts.set(nameOf(hostId, key), own);
      return answer;
    } finally {
      await link.close();
    }
  }

  async function carry(message: Message, signal: AbortSignal): Promise<NatsMessage> {
    const { operation, hostId, key } = message;
    if (operation === 'enrolHost') return enrol(message, signal);
    if (key === undefined) throw new IotmanoError('internal', 'a message of a host without a key');
    const link = await linkOf(hostId, key);
    if (operation === 'postMeasurements') return deliver(link, message, signal);
    const subject = subjectOf(hostId, natsOperation(operation).name);
    if (operation === 'retrieveArtifact' && message.range === undefined)
      return retrieveWhole(link, subject, message, signal);
    const answer = await link.request(subject, headersOf(message), payloadFor(message), signal);
    const renewed = answer.headers['Mco-Nats-User-Jwt'];
    if (renewed !== undefined) jwts.set(nameOf(hostId, key), renewed);
    return answer;
  }

  /** Stored by the servers is not taken over: the receipt of the orchestrator is the answer. */
  async function deliver(link: HostLink, message: Message, signal: AbortSignal): Promise<NatsMessage> {
    const { hostId, bootId, sequence = 0 } = message;
    const { Authorization: _token, ...headers } = headersOf(message);
    const id = `${hostId}/${bootId}/measurements/${sequence}`;
    // The servers drop what comes again soon under its id: without one it is as if it came much later.
    const named = published.has(id) ? headers : { ...headers, 'Nats-Msg-Id': id };
    published.add(id);
    const from = link.receipts.length;
    const stored = await link.request(subjectOf(hostId, 'measurements'), named, payloadFor(message), signal);
    const { error } = (jsonOf(stored) ?? {}) as { error?: { description?: string } };
    if (error !== undefined)
      throw new IotmanoError('unavailable', `measurements are not stored: ${error.description ?? ''}`);
    const until = clock.monotonic() + RECEIPT_MILLISECONDS;
    while (clock.monotonic() < until && !signal.aborted) {
      const receipt = link.receipts.slice(from).find((each) => isReceiptFor(each, bootId, sequence));
      if (receipt !== undefined) return { ...receipt, headers: { ...receipt.headers, 'Mco-Status': '200' } };
      await clock.sleep(LOOK_MILLISECONDS, signal);
    }
    throw new IotmanoError('unavailable', `no receipt came for measurements ${sequence}`);
  }

  /** What was not answered in time may be repeated: it is applied once. But a proof is good once. */
  async function carryOrRepeat(message: Message, signal: AbortSignal): Promise<NatsMessage> {
    try {
      return await carry(message, signal);
    } catch (error) {
      if (!(error instanceof NotAnswered) || message.operation === 'openSession') throw error;
      return carry(message, signal);
    }
  }

  async function send(message: Message, signal: AbortSignal): Promise<Answer> {
    try {
      return toAnswer(message.operation, await carryOrRepeat(message, signal));
    } catch (error) {
      if (!(error instanceof UserRefused)) throw error;
      const body = { title: 'Refused', status: 401, detail: error.message };
      const bytes = Buffer.from(JSON.stringify(body));
      return {
        operation: message.operation,
        status: 401,
        headers: {},
        body,
        bytes,
        faults: [],
        isRefusedByServer: true,
      };
    }
  }

  return {
    binding: 'nats',
    nats,
    send: async (message, trace, signal) => {
      const startedAt = clock.monotonic();
      const headers = headersOf(message);
      const line = subjectOf(message.hostId, natsOperation(message.operation).name);
      const request = show(headers, message.raw?.text ?? message.body, line);
      const told = { atMilliseconds: Math.round(startedAt), operation: message.operation, request };
      try {
        const answer = await send(message, signal);
        const shown =
          answer.body ?? (answer.bytes.length === 0 ? undefined : `(${answer.bytes.length} bytes)`);
        trace.add({ ...told, answer: { status: answer.status, ...show(answer.headers, shown) } });
        return answer;
      } catch (error) {
        trace.add({ ...told, note: `no answer: ${messageOf(error)}` });
        if (error instanceof IotmanoError && error.code !== 'unavailable') throw error;
        throw new IotmanoError('unavailable', `${line} was not answered: ${messageOf(error)}`, {}, error);
      }
    },
    reach: async () => {
      // Whoever asks for a user is a server in operator mode.
      await connect({
        servers: [...servers],
        reconnect: false,
        timeout: 5000,
        ...(ca === undefined ? {} : { tls: ca === '' ? {} : { ca } }),
      }).then(
        (connection) => connection.close(),
        (error: unknown) => {
          if (error instanceof AuthorizationError) return;
          throw new IotmanoError(
            'unavailable',
            `NATS at ${servers.join(', ')} cannot be reached: ${messageOf(error)}`,
            {},
            error,
          );
        },
      );
    },
    close: async () => {
      const open = await Promise.allSettled(links.values());
      for (const each of open) if (each.status === 'fulfilled') await each.value.close();
    },
  };
}

function nameOf(hostId: string, key: KeyObject): string {
  return `${hostId} ${createPublicKey(key).export({ format: 'jwk' }).x ?? ''}`;
}

function isReceiptFor(receipt: NatsMessage, bootId: string, sequence: number): boolean {
  const { nextSequence = 0 } = (jsonOf(receipt) ?? {}) as { nextSequence?: number };
  return receipt.headers['Mco-Boot-Id'] === bootId && nextSequence > sequence;
}

/** Of an artifact as ranges, one after the other, as an agent asks for them. */
async function retrieveWhole(
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

function headersOf(message: Message): NatsHeaders {
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

function payloadFor({ raw, body }: Message): Buffer {
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
