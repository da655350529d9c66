import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { IotmanoError, messageOf, type Clock } from '../../kernel/index.ts';
import type { KitAuthority } from '../kit-authority.ts';
import { loadOperations } from '../mco-document.ts';
import { readBody, toReceived } from './http-received.ts';
import type { Handler, OrchestratorWire, Reply } from './orchestrator-wire.ts';

const ENDLESS_PART = Buffer.alloc(256 * 1024, ' ');
export const KIT_SP_ID = '//conformance.example';
const ENVELOPE = { 'mco-version': '1.0', 'mco-sp-id': KIT_SP_ID };

export interface HttpListenOptions {
  readonly address: string;
  /** 0: one that is free. */
  readonly port: number;
  /** Over TLS, with a server and hosts that this authority certifies; absent: in the clear. */
  readonly authority?: KitAuthority | undefined;
}

/** The binding to HTTP, from the side of an orchestrator. @throws IotmanoError where it cannot listen */
export async function listenOverHttp(
  listen: HttpListenOptions,
  handler: Handler,
  clock: Clock,
): Promise<OrchestratorWire> {
  const operations = loadOperations();
  const open = new Map<Socket, { isCarrying: boolean }>();
  /** Those among them that have not agreed on TLS yet, which the server does not know of. */
  const accepted = new Set<Socket>();
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
  const makeServer = await serverMaker(listen);
  const make = (): Server => {
    const server = makeServer((request, response) => {
      serve(request, response).catch(() => request.socket.destroy());
    });
    server.on(listen.authority === undefined ? 'connection' : 'secureConnection', (socket: Socket) => {
      open.set(socket, { isCarrying: false });
      socket.once('close', () => open.delete(socket));
    });
    server.on('connection', (socket: Socket) => {
      accepted.add(socket);
      socket.once('close', () => accepted.delete(socket));
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
      for (const each of accepted) each.destroy();
    });
  return {
    binding: 'http',
    credential: (token) => Promise.resolve(token),
    authority: listen.authority,
    url: `${listen.authority === undefined ? 'http' : 'https'}://${listen.address.includes(':') ? `[${listen.address}]` : listen.address}:${port}`,
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

/** Whoever shows no certificate, or one that is not good, goes on without. */
async function serverMaker({
  address,
  authority,
}: HttpListenOptions): Promise<(listener: RequestListener) => Server> {
  if (authority === undefined) return createServer;
  const own = await authority.server([address]);
  const clients = { ca: authority.certificate, requestCert: true, rejectUnauthorized: false };
  return (listener) => createTlsServer({ ...own, ...clients }, listener);
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
