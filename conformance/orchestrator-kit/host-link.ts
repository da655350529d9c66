import type { KeyObject } from 'node:crypto';
import {
  AuthorizationError,
  connect,
  nuid,
  type Authenticator,
  type Msg,
  type NatsConnection,
} from '@nats-io/transport-node';
import { IotmanoError, messageOf } from '../../kernel/index.ts';
import { subjectOf, type NatsHeaders } from '../nats/document.ts';
import { bytesOf, headersOf, payloadOf, toHeaders } from '../nats/messages.ts';
import type { NatsTarget } from '../nats/target.ts';
import { tlsOptions } from '../nats/tls.ts';

/** A message as it came over NATS. */
export interface NatsMessage {
  readonly subject: string;
  readonly headers: NatsHeaders;
  readonly bytes: Buffer;
  /** Parts that it came in. */
  readonly parts: number;
}

/** The connection of a played host, and what comes over it by itself. */
export interface HostLink {
  readonly jwt: string;
  readonly connection: NatsConnection;
  readonly pushes: readonly NatsMessage[];
  readonly receipts: readonly NatsMessage[];
  /** @throws NotAnswered; IotmanoError `unavailable` where nobody is there */
  request(
    subject: string,
    headers: NatsHeaders,
    payload: Uint8Array,
    signal: AbortSignal,
  ): Promise<NatsMessage>;
  close(): Promise<void>;
}

/** A request was not answered in its time. */
export class NotAnswered extends Error {
  constructor(seconds: number) {
    super(`there was no answer within ${seconds} s`);
    this.name = 'NotAnswered';
  }
}

/** The servers of NATS do not take the user. */
export class UserRefused extends Error {
  constructor(reason: string) {
    super(`the servers of NATS do not take this user: ${reason}`);
    this.name = 'UserRefused';
  }
}

export interface LinkOptions extends NatsTarget {
  readonly hostId: string;
  /** While it enrols, a host has an inbox of its own and hears nothing else. */
  readonly isEnrolling?: boolean;
  readonly jwt: string;
  readonly authenticator: Authenticator;
}

const CONNECT_MILLISECONDS = 5000;
const CONNECT_ATTEMPTS = 3;
const ANSWER_MILLISECONDS = 10_000;
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

/** What signs for a host. */
export interface HostKey {
  readonly hostId: string;
  readonly key: KeyObject;
}

/** @throws UserRefused, IotmanoError `unavailable` */
export async function openLink(options: LinkOptions): Promise<HostLink> {
  const { hostId, isEnrolling = false } = options;
  const connection = await connectAs(options);
  const inbox = `_INBOX.mco.${hostId}.${isEnrolling ? 'enrol.' : ''}${nuid.next()}`;
  const waiting = new Map<string, (message: Msg) => void>();
  const [pushes, receipts]: [NatsMessage[], NatsMessage[]] = [[], []];
  const keep = (list: NatsMessage[]) => (_: unknown, message: Msg) => void list.push(whole([message]));
  connection.subscribe(`${inbox}.*`, {
    callback: (error, message) => {
      if (error === null) waiting.get(message.subject)?.(message);
    },
  });
  if (!isEnrolling) {
    connection.subscribe(subjectOf(hostId, 'wanted.changed'), { callback: keep(pushes) });
    connection.subscribe(subjectOf(hostId, 'receipts'), { callback: keep(receipts) });
  }
  let count = 0;
  return {
    jwt: options.jwt,
    connection,
    pushes,
    receipts,
    request: (subject, headers, payload, signal) => {
      count += 1;
      const reply = `${inbox}.${count}`;
      const answer = answerAt(waiting, reply, signal);
      connection.publish(subject, payload, { reply, headers: toHeaders(headers) });
      return answer;
    },
    close: () => connection.close(),
  };
}

/** A server that is busy may take too long to look at a user: that is no refusal, and it is asked again. */
async function connectAs(options: LinkOptions, attempt = 1): Promise<NatsConnection> {
  const { servers, hostId, authenticator } = options;
  try {
    return await connect({
      servers: [...servers],
      name: `conformance kit ${hostId}`,
      authenticator,
      reconnect: false,
      timeout: CONNECT_MILLISECONDS,
      ignoreClusterUpdates: true,
      ...tlsOptions(options),
    });
  } catch (error) {
    const isSlow = error instanceof AuthorizationError && /timeout/i.test(error.message);
    if (isSlow && attempt < CONNECT_ATTEMPTS) return connectAs(options, attempt + 1);
    if (error instanceof AuthorizationError && !isSlow) throw new UserRefused(error.message);
    throw new IotmanoError(
      'unavailable',
      `NATS at ${servers.join(', ')} cannot be reached: ${messageOf(error)}`,
      {},
      error,
    );
  }
}

/** The whole of an answer, which may come in parts. */
function answerAt(
  waiting: Map<string, (message: Msg) => void>,
  reply: string,
  signal: AbortSignal,
): Promise<NatsMessage> {
  const parts: Msg[] = [];
  const { promise, resolve, reject } = Promise.withResolvers<NatsMessage>();
  const fail = (why: string): void => reject(new IotmanoError('unavailable', why));
  const timer = setTimeout(() => reject(new NotAnswered(ANSWER_MILLISECONDS / 1000)), ANSWER_MILLISECONDS);
  const onAbort = (): void => fail('the case has ended');
  signal.addEventListener('abort', onAbort, { once: true });
  let bytes = 0;
  waiting.set(reply, (message) => {
    if (message.headers?.code === 503)
      return fail('nobody answers there: is the orchestrator connected to NATS?');
    const [part, all] = (message.headers?.get('Mco-Part') || '1/1').split('/').map(Number);
    parts.push(message);
    bytes += message.data.length;
    if (part !== parts.length || bytes > MAX_ANSWER_BYTES)
      fail(`part ${String(part)} came as number ${parts.length}`);
    else if (part === all) resolve(whole(parts));
  });
  return promise.finally(() => {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
    waiting.delete(reply);
  });
}

function whole(parts: readonly Msg[]): NatsMessage {
  const [first] = parts;
  return {
    subject: first?.subject ?? '',
    headers: first === undefined ? {} : headersOf(first),
    bytes: Buffer.concat(parts.map(bytesOf)),
    parts: parts.length,
  };
}

/** JSON of a message; undefined where it is none. */
export function jsonOf({ bytes }: Pick<NatsMessage, 'bytes'>): unknown {
  return payloadOf(bytes) ?? undefined;
}
