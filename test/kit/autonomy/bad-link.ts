/** The way between one agent and the orchestrator, which misbehaves on command and counts what was asked over it. */
import { once } from 'node:events';
import { Agent, createServer, request as send, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { gunzipSync } from 'node:zlib';

/**
 * `open`; `cut`: connections break, new ones too; `silent`: connections stay and nothing passes, as with a cable that was pulled;
 * `answers-lost`: what the agent says arrives, no answer comes back; `requests-lost`: nothing of the agent arrives, what it had asked before is answered.
 */
export type LinkState = 'open' | 'cut' | 'silent' | 'answers-lost' | 'requests-lost';

/** `twice`: each message arrives twice; `late-copies`: each message that changes something arrives once more after the next one. */
export type Copying = 'none' | 'twice' | 'late-copies';

export interface AskedRequest {
  /** By `performance.now()`. */
  readonly at: number;
  readonly method: string;
  /** Last part of the path, such as `wanted` or `reports`. */
  readonly operation: string;
}

export interface MeasuredPoint {
  readonly timestamp: string;
  readonly metric: string;
  readonly value: number;
  readonly subject?: { readonly vnfInstanceId: string };
}

export interface BadLink {
  readonly url: string;
  /** What the agent has asked, whatever became of it. */
  readonly asked: readonly AskedRequest[];
  /** Points of batches that the orchestrator has acknowledged, whether or not the agent got to hear it; of a repeated batch once. */
  acknowledgedPoints(): readonly MeasuredPoint[];
  /** The orchestrator does not hold any more what it has acknowledged so far. */
  forgetAcknowledged(): void;
  set(state: LinkState): void;
  copy(how: Copying): void;
  /** Each request waits so long before it goes on, and each answer. */
  delay(milliseconds: number): void;
  close(): Promise<void>;
}

interface Message {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

async function readAll(incoming: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const operationOf = (path: string): string => path.split('?', 1)[0]?.split('/').at(-1) ?? '';

export async function openBadLink(target: string): Promise<BadLink> {
  const agent = new Agent({ keepAlive: true });
  const sockets = new Set<Socket>();
  const asked: AskedRequest[] = [];
  const acknowledged = new Map<string, MeasuredPoint>();
  /** Batches among them, by boot and number: repeated after the clock of the host was set, their points have other times. */
  const noted = new Set<string>();
  let state: LinkState = 'open';
  const isOneOf = (...states: readonly LinkState[]): boolean => states.includes(state);
  let copying: Copying = 'none';
  let delayMilliseconds = 0;
  let held: Message | undefined;

  /** Goes on with what the client has left unread, too: an orchestrator does not learn of a link that went silent. */
  function deliver({ method, path, headers, body }: Message): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const outgoing = send(new URL(path, target), { method, headers, agent }, (incoming) => {
        readAll(incoming).then(
          (read) => resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body: read }),
          reject,
        );
      });
      outgoing.once('error', reject);
      outgoing.end(body);
    });
  }

  async function deliverAll(message: Message): Promise<Answer> {
    const isChange = message.method === 'POST' || message.method === 'PUT';
    const isCopied =
      isChange && !['challenges', 'sessions', 'enrolments'].includes(operationOf(message.path));
    if (copying === 'twice' && isCopied) await deliver(message).catch(() => undefined);
    const answer = await deliver(message);
    if (copying !== 'late-copies' || !isCopied) return answer;
    const late = held;
    held = message;
    if (late !== undefined) await deliver(late).catch(() => undefined);
    return answer;
  }

  function note(message: Message, { status }: Answer): void {
    if (operationOf(message.path) !== 'measurements' || status !== 200) return;
    const number = `${String(message.headers['mco-boot-id'])} ${String(message.headers['mco-sequence'])}`;
    if (noted.has(number)) return;
    noted.add(number);
    const isPacked = message.headers['content-encoding'] === 'gzip';
    const text = (isPacked ? gunzipSync(message.body) : message.body).toString();
    for (const point of (JSON.parse(text) as { points: MeasuredPoint[] }).points)
      acknowledged.set(JSON.stringify([point.timestamp, point.metric, point.value, point.subject]), point);
  }

  async function pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = 'GET', url = '/', headers } = request;
    asked.push({ at: performance.now(), method, operation: operationOf(url) });
    const message: Message = { method, path: url, headers, body: await readAll(request) };
    await pause(delayMilliseconds);
    if (isOneOf('silent', 'requests-lost')) return;
    const answer = await deliverAll(message);
    note(message, answer);
    await pause(delayMilliseconds);
    if (isOneOf('silent', 'answers-lost')) return;
    response.writeHead(answer.status, answer.headers).end(answer.body);
  }

  const server = createServer((request, response) => {
    pass(request, response).catch(() => request.socket.destroy());
  });
  server.on('connection', (socket) => {
    if (isOneOf('cut')) socket.destroy();
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    acknowledgedPoints: () => [...acknowledged.values()],
    forgetAcknowledged: () => {
      acknowledged.clear();
      noted.clear();
    },
    set(next) {
      state = next;
      if (next === 'cut') for (const socket of sockets) socket.destroy();
    },
    copy(how) {
      copying = how;
      held = undefined;
    },
    delay(milliseconds) {
      delayMilliseconds = milliseconds;
    },
    async close() {
      agent.destroy();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
