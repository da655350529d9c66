import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { IotmanoError, type Logger } from '../../../kernel/index.ts';
import type { Transport, TransportRequest, TransportResponse } from '../transport.ts';
import type { HostUsers } from './host-user.ts';
import type { NatsReply } from './inbox.ts';
import { createLink, type Link } from './link.ts';
import { toNatsRequest, type NatsRequest } from './message.ts';
import type { NatsServers } from './nats-servers.ts';
import { createPushes, type Push, type Pushes } from './pushes.ts';
import { createReceipts, type Receipts } from './receipts.ts';

export interface NatsTransportOptions {
  readonly servers: NatsServers;
  readonly hostId: string;
  readonly users: HostUsers;
  readonly log: Logger;
}

const RANGE_BYTES = 512 * 1024;
/** Nothing waits at the other end: what is not answered within that was lost with a server or an orchestrator. */
const ANSWER_MILLISECONDS = 10_000;
const STORED_MILLISECONDS = 5000;
const COMPRESS_FROM_BYTES = 16 * 1024;
const compress = promisify(gzip);

interface Parts {
  readonly link: Link;
  readonly pushes: Pushes;
  readonly receipts: Receipts;
  readonly users: HostUsers;
  readonly hostId: string;
}

/**
 * The requests of the binding to HTTP over one connection to NATS. What waits there waits here: a question for the wanted state is answered by
 * the next push, and measurements when the orchestrator has taken them over.
 */
export function createNatsTransport({ servers, hostId, users, log }: NatsTransportOptions): Transport {
  const pushes = createPushes();
  const receipts = createReceipts();
  const link = createLink({
    servers,
    hostId,
    log,
    authenticatorOf: (role) => (role === 'host' ? users.host() : users.enrolment()),
    onPush: (headers, body) => pushes.receive(pushOf(headers, body)),
    onReceipt: (headers, body) => takeReceipt(receipts, headers, body),
    onGap: () => pushes.interrupt(),
  });
  const parts: Parts = { link, pushes, receipts, users, hostId };
  return {
    send: (request) => send(parts, request),
    stream: (request) => streamRanges(parts, request),
    // A host shows its key to the servers: there is no certificate to be shown beside it.
    isEncrypted: false,
    close: () => link.close(),
  };
}

async function send(parts: Parts, request: TransportRequest): Promise<TransportResponse> {
  const message = await compressed(toNatsRequest(request));
  if (message.operation === 'measurements') return deliver(parts, request, message);
  if (message.operation === 'wanted') return askForNews(parts, request, message);
  return ask(parts, request, message);
}

/** Reports of large hosts fit into one message so. */
async function compressed(message: NatsRequest): Promise<NatsRequest> {
  if (message.body.length < COMPRESS_FROM_BYTES || message.headers['Content-Encoding'] !== undefined)
    return message;
  return {
    ...message,
    body: await compress(message.body),
    headers: { ...message.headers, 'Content-Encoding': 'gzip' },
  };
}

async function ask(
  { link, users }: Parts,
  { timeoutMilliseconds, signal }: TransportRequest,
  { operation, headers, body }: NatsRequest,
): Promise<TransportResponse> {
  const role = operation === 'enrol' ? 'enrolment' : 'host';
  const patience = Math.min(timeoutMilliseconds, ANSWER_MILLISECONDS);
  const reply = await link.request(role, operation, headers, body, patience, signal);
  const jwt = reply.headers['mco-nats-user-jwt'];
  if (jwt !== undefined) {
    await users.keep(jwt);
    // What it allows counts from the next connection on.
    if (role === 'host') link.renew();
  }
  return toResponse(reply);
}

/** Renews the lease at once, and then waits for a push: one that builds on what the host has is the answer, any other makes it ask again. */
async function askForNews(
  parts: Parts,
  request: TransportRequest,
  message: NatsRequest,
): Promise<TransportResponse> {
  const bootId = message.headers['Mco-Boot-Id'] ?? '';
  const answer = await ask(parts, request, message);
  const received = Number(answer.headers['mco-receipt'] ?? 0);
  if (received > 0) parts.receipts.take(bootId, received, 0);
  const revision = Number(answer.headers['mco-revision'] ?? Number.NaN);
  if (answer.status !== 304 || message.waitMilliseconds <= 0 || !Number.isSafeInteger(revision))
    return answer;
  const push = await parts.pushes.next(bootId, revision, message.waitMilliseconds, request.signal);
  if (push === 'nothing') return answer;
  if (push !== 'ask' && push.since === revision && push.body.length > 0)
    return { status: 200, headers: push.headers, body: push.body };
  return ask(parts, request, message);
}

/** Stored by the servers is not taken over by the orchestrator: only its receipt counts. */
async function deliver(
  { link, receipts, hostId }: Parts,
  { timeoutMilliseconds, signal }: TransportRequest,
  { operation, headers, body }: NatsRequest,
): Promise<TransportResponse> {
  const bootId = headers['Mco-Boot-Id'] ?? '';
  const sequence = Number(headers['Mco-Sequence']);
  const { Authorization: _token, ...carried } = headers;
  const id = `${hostId}/${bootId}/${operation}/${sequence}`;
  const stored = await link.request(
    'host',
    operation,
    { ...carried, 'Nats-Msg-Id': id },
    body,
    Math.min(timeoutMilliseconds, STORED_MILLISECONDS),
    signal,
  );
  requireStored(stored);
  const receipt = await receipts.wait(bootId, sequence, timeoutMilliseconds, signal);
  return { status: 200, headers: {}, body: Buffer.from(JSON.stringify(receipt)) };
}

function requireStored({ body }: NatsReply): void {
  const { error } = JSON.parse(body.toString('utf8')) as { error?: { description?: string } };
  if (error !== undefined)
    throw new IotmanoError(
      'unavailable',
      `NATS has not stored measurements: ${error.description ?? 'no reason given'}`,
    );
}

/** A file as ranges, one after the other, so that each fits into a message. */
async function streamRanges(
  parts: Parts,
  request: TransportRequest,
): Promise<{ status: number; headers: TransportResponse['headers']; body: Readable }> {
  const message = toNatsRequest(request);
  const from = Number(/^bytes=(\d+)-$/.exec(message.headers['Range'] ?? '')?.[1] ?? 0);
  const rangeFrom = (start: number): Promise<TransportResponse> =>
    ask(parts, request, {
      ...message,
      headers: { ...message.headers, Range: `bytes=${start}-${start + RANGE_BYTES - 1}` },
    });
  const first = await rangeFrom(from);
  async function* rest(): AsyncGenerator<Buffer> {
    let answer = first;
    let next = from;
    for (;;) {
      const size = Number(/\/(\d+)$/.exec(answer.headers['content-range'] ?? '')?.[1] ?? 0);
      if (answer.status !== 206 || answer.body.length === 0)
        throw new IotmanoError('unavailable', `a part of a file was answered with ${answer.status}`);
      next += answer.body.length;
      yield answer.body;
      if (next >= size) return;
      answer = await rangeFrom(next);
    }
  }
  const body = first.status === 206 ? Readable.from(rest()) : Readable.from([first.body]);
  return { status: first.status, headers: first.headers, body };
}

function toResponse({ headers, body }: NatsReply): TransportResponse {
  return { status: Number(headers['mco-status'] ?? 0), headers, body };
}

function pushOf(headers: Push['headers'], body: Buffer): Push {
  return {
    bootId: headers['mco-boot-id'] ?? '',
    since: Number(headers['mco-since']),
    revision: Number(headers['mco-revision']),
    headers,
    body,
  };
}

function takeReceipt(receipts: Receipts, headers: Push['headers'], body: Buffer): void {
  try {
    const { nextSequence, ignored } = JSON.parse(body.toString('utf8')) as Record<string, unknown>;
    if (Number.isSafeInteger(nextSequence) && Number.isSafeInteger(ignored))
      receipts.take(headers['mco-boot-id'] ?? '', nextSequence as number, ignored as number);
  } catch {
    // What is no receipt receipts nothing: the batch is sent again.
  }
}
