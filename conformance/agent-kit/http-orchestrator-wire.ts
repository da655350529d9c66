import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { IotmanoError, messageOf, type Clock } from '../../kernel/index.ts';
import { faultsOf, loadOperations, type Operation } from '../mco-document.ts';
import type { Handler, OrchestratorWire, Received, Reply } from './orchestrator-wire.ts';
import { MAX_BODY_BYTES, unzip } from './unzip.ts';

const ENDLESS_PART = Buffer.alloc(256 * 1024, ' ');
export const KIT_SP_ID = '//conformance.example';
const ENVELOPE = { 'mco-version': '1.0', 'mco-sp-id': KIT_SP_ID };

/** The binding to HTTP, from the side of an orchestrator. @throws IotmanoError where it cannot listen */
export async function listenOverHttp(
  listen: { readonly address: string; readonly port: number },
  handler: Handler,
  clock: Clock,
): Promise<OrchestratorWire> {
  const operations = loadOperations();
  const open = new Map<Socket, { isCarrying: boolean }>();
  const most = { carrying: 0, all: 0 };

  const count = (): void => {
    const carrying = [...open.values()].filter(({ isCarrying }) => isCarrying).length;
    most.carrying = Math.max(most.carrying, carrying);
    most.all = Math.max(most.all, open.size);
  };
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const at = clock.monotonic();
    const url = new URL(request.url ?? '/', 'http://kit');
    const operation = operations.find(
      ({ method, pattern }) => method === request.method && pattern.test(url.pathname),
    );
    const socket = open.get(request.socket);
    if (socket !== undefined && operation?.operationId !== 'retrieveArtifact') socket.isCarrying = true;
    count();
    const raw = await readBody(request);
    const received = toReceived(request, url, operation, raw, at);
    send(request, response, await handler(received));
  };
  const make = (): Server => {
    const server = createServer((request, response) => {
      serve(request, response).catch(() => request.socket.destroy());
    });
    server.on('connection', (socket: Socket) => {
      open.set(socket, { isCarrying: false });
      socket.once('close', () => open.delete(socket));
    });
    return server;
  };
  let server = await listenOn(make(), listen.address, listen.port);
  const { port } = server.address() as AddressInfo;
  const returns: number[] = [];
  let isThere = true;
  const disappear = (): Promise<void> =>
    new Promise((resolve) => {
      isThere = false;
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return {
    binding: 'http',
    credential: (token) => Promise.resolve(token),
    url: `http://${listen.address.includes(':') ? `[${listen.address}]` : listen.address}:${port}`,
    connections: () => most,
    returns,
    disappear,
    appear: async () => {
      if (isThere) return;
      isThere = true;
      returns.push(clock.monotonic());
      server = await listenOn(make(), listen.address, port);
    },
    close: disappear,
  };
}

function listenOn(server: Server, address: string, port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) =>
      reject(
        new IotmanoError(
          'invalid-parameter',
          `the kit cannot listen on ${address}:${port}: ${messageOf(error)}; choose another port with --listen`,
          { parameter: 'listen' },
          error,
        ),
      ),
    );
    server.listen(port, address, () => resolve(server));
  });
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    parts.push(part);
    size += part.length;
    if (size > MAX_BODY_BYTES) request.socket.destroy();
  }
  const raw = Buffer.concat(parts);
  return unzip(raw, request.headers['content-encoding']);
}

function toReceived(
  request: IncomingMessage,
  url: URL,
  operation: Operation | undefined,
  raw: Buffer,
  at: number,
): Received {
  const { headers } = request;
  const body = parseBody(raw);
  const groups = operation?.pattern.exec(url.pathname)?.groups ?? {};
  const sequence = headers['mco-sequence'];
  const from = /^bytes=(\d+)-/.exec(headers.range ?? '')?.[1];
  return {
    at,
    operation: operation?.operationId ?? '',
    hostId: groups['hostId'] ?? '',
    version: String(headers['mco-version'] ?? ''),
    spId: headers['mco-sp-id'] as string | undefined,
    bootId: String(headers['mco-boot-id'] ?? ''),
    sequence: sequence === undefined ? undefined : Number(sequence),
    token: /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1],
    query: new Map(url.searchParams),
    digest: groups['digest'],
    streamId: groups['streamId'],
    rangeFrom: from === undefined ? undefined : Number(from),
    body: body.value,
    faults:
      operation === undefined
        ? [`Mco has no ${request.method ?? ''} ${url.pathname}`]
        : [...body.faults, ...faultsOf(operation, request, url, body.value)],
  };
}

function parseBody(raw: Buffer): { readonly value: unknown; readonly faults: readonly string[] } {
  if (raw.length === 0) return { value: undefined, faults: [] };
  try {
    return { value: JSON.parse(raw.toString('utf8')) as unknown, faults: [] };
  } catch (error) {
    return { value: undefined, faults: [`the body is not JSON: ${messageOf(error)}`] };
  }
}

function send(request: IncomingMessage, response: ServerResponse, reply: Reply): void {
  if (reply.type === 'cut') return void request.socket.destroy();
  if (response.destroyed) return;
  if (reply.type === 'endless') return sendEndless(response, reply);
  const { status, headers } = reply;
  const type =
    reply.type === 'bytes'
      ? 'application/octet-stream'
      : status >= 400
        ? 'application/problem+json'
        : 'application/json';
  const bytes = reply.type === 'bytes' ? reply.bytes : bodyBytes(reply.body);
  const hasBody = status !== 204 && status !== 304;
  response.writeHead(status, {
    ...ENVELOPE,
    ...(hasBody ? { 'content-type': type, 'content-length': String(bytes.length) } : {}),
    ...headers,
  });
  if (reply.type === 'bytes' && reply.cutAfter !== undefined) {
    response.write(bytes.subarray(0, reply.cutAfter), () => setTimeout(() => request.socket.destroy(), 50));
    return;
  }
  response.end(hasBody ? bytes : undefined);
}

function bodyBytes(body: unknown): Buffer {
  return Buffer.from(body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body));
}

function sendEndless(
  response: ServerResponse,
  { onSent, maxBytes }: Extract<Reply, { type: 'endless' }>,
): void {
  let sent = 0;
  response.writeHead(200, { ...ENVELOPE, 'content-type': 'application/json' });
  response.write('{"revision":');
  const more = (): void => {
    while (!response.destroyed && sent < maxBytes) {
      sent += ENDLESS_PART.length;
      onSent(sent);
      if (!response.write(ENDLESS_PART)) {
        response.once('drain', more);
        return;
      }
    }
    response.destroy();
  };
  more();
}
