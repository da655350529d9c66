import { createPrivateKey, X509Certificate } from 'node:crypto';
import { createServer as createHttpServer, STATUS_CODES, type RequestListener, type Server } from 'node:http';
import { createServer as createHttpsServer, Server as HttpsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { SecureContextOptions, TLSSocket } from 'node:tls';
import { IotmanoError, messageOf, type ErrorCode } from '../../kernel/index.ts';
import { clientCertificateOf } from './client-certificate.ts';
import type { Api } from './create-api.ts';
import type { ServedCertificate } from './follow-certificate.ts';

export interface ListenOptions {
  readonly host: string;
  /** 0: one that is free. */
  readonly port: number;
  /** PEM. Demanded on every address but loopback. */
  readonly tls?: ServerTls;
}

interface ServerTls extends ServedCertificate {
  /** Authorities (PEM) whose certificates clients may show; none need show one. */
  readonly clientAuthorities?: string;
}

export interface ApiServer {
  readonly url: string;
  /** Stops accepting, lets answers under way finish for a moment, then cuts what is left. */
  close(graceMilliseconds?: number): Promise<void>;
  /**
   * Shows another certificate (PEM) on every connection from now on.
   * @throws IotmanoError `unprocessable` where it cannot be used; the one before is shown then
   */
  useCertificate(served: ServedCertificate): void;
  /** Cuts all connections on which the certificate of that host was shown. */
  disconnect(hostId: string): void;
}

/**
 * Bounds what a connection may cost. Bodies have their own time limit in the pipeline, since uploads of packages may last;
 * a connection on which nothing moves is cut.
 */
const LIMITS = {
  headersTimeout: 10_000,
  requestTimeout: 0,
  keepAliveTimeout: 65_000,
  maxHeaderSize: 16 * 1024,
  connectionsCheckingInterval: 5_000,
  // With `socketMilliseconds`, the longest silence on an open connection; event streams and long polls send or answer earlier.
  socketMilliseconds: 120_000,
  maxHeadersCount: 100,
} as const;

/**
 * Serves the API.
 * @throws IotmanoError `unprocessable` where the address would be open to others without TLS, or address or certificate cannot be used
 */
export async function serveApi(api: Api, options: ListenOptions): Promise<ApiServer> {
  requireSafeAddress(options);
  const server = createServer(api.listener, options.tls);
  harden(server);
  const connections = trackHosts(server);
  await listen(server, options);
  const { port } = server.address() as AddressInfo;
  const name = options.host.includes(':') ? `[${options.host}]` : options.host;
  return {
    url: `${options.tls === undefined ? 'http' : 'https'}://${name}:${port}`,
    close: (graceMilliseconds = 2000) => close(server, api, graceMilliseconds),
    useCertificate: (served) => {
      if (server instanceof HttpsServer)
        orUnusable(() => server.setSecureContext(contextOf({ ...options.tls, ...served })));
    },
    disconnect: (hostId) => {
      for (const socket of connections.get(hostId) ?? []) socket.destroy();
    },
  };
}

/** Whether only this machine reaches the address. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host);
}

function requireSafeAddress({ host, tls }: ListenOptions): void {
  if (tls !== undefined || isLoopback(host)) return;
  throw new IotmanoError(
    'unprocessable',
    `listening on ${host} would send tokens in the clear; give a TLS certificate and key, or listen on 127.0.0.1`,
  );
}

function createServer(listener: RequestListener, tls: ServerTls | undefined): Server {
  if (tls === undefined) return createHttpServer(LIMITS, listener);
  // Whoever shows no certificate, or one that is not good, goes on without: operators have tokens, and hosts have proofs.
  const clients = tls.clientAuthorities === undefined ? {} : { requestCert: true, rejectUnauthorized: false };
  return orUnusable(() => createHttpsServer({ ...LIMITS, ...contextOf(tls), ...clients }, listener));
}

/** @throws where the key belongs to another certificate, or either is none: a server takes even nothing for them, and refuses every client then */
function contextOf({ key, cert, clientAuthorities }: ServerTls): SecureContextOptions {
  if (!new X509Certificate(cert).checkPrivateKey(createPrivateKey(key)))
    throw new IotmanoError('unprocessable', 'the key belongs to another certificate');
  return { key, cert, ...(clientAuthorities === undefined ? {} : { ca: clientAuthorities }) };
}

/** @throws IotmanoError `unprocessable` where it throws */
function orUnusable<T>(make: () => T): T {
  try {
    return make();
  } catch (error) {
    throw new IotmanoError(
      'unprocessable',
      `the TLS certificate and key cannot be used: ${messageOf(error)}; give a PEM chain and the private key that belongs to it`,
      {},
      error,
    );
  }
}

/** Which connections each host has opened with its certificate. */
function trackHosts(server: Server): ReadonlyMap<string, ReadonlySet<Socket>> {
  const connections = new Map<string, Set<Socket>>();
  server.on('secureConnection', (socket: TLSSocket) => {
    const hostId = clientCertificateOf({ socket })?.hostId;
    if (hostId === undefined) return;
    const ofHost = connections.get(hostId) ?? new Set();
    connections.set(hostId, ofHost.add(socket));
    socket.once('close', () => {
      ofHost.delete(socket);
      if (ofHost.size === 0 && connections.get(hostId) === ofHost) connections.delete(hostId);
    });
  });
  return connections;
}

function harden(server: Server): void {
  server.maxHeadersCount = LIMITS.maxHeadersCount;
  server.timeout = LIMITS.socketMilliseconds;
  server.on('clientError', (error: Error & { code?: string }, socket: Socket) => {
    if (error.code === 'ECONNRESET' || !socket.writable) {
      socket.destroy();
      return;
    }
    refuse(socket, error);
  });
  server.on('checkExpectation', (_request, response) => {
    const text = rawProblem('malformed-request', 417, 'header Expect is only possible as "100-continue"');
    response
      .writeHead(417, {
        'Content-Type': 'application/problem+json',
        'Content-Length': Buffer.byteLength(text),
        Connection: 'close',
      })
      .end(text);
  });
}

/** Bytes that are not HTTP, or not within the limits, never reach the pipeline. */
function refuse(socket: Socket, error: Error & { code?: string }): void {
  const [status, detail] = refusalOf(error);
  const body = rawProblem(status === 413 ? 'payload-too-large' : 'malformed-request', status, detail);
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: application/problem+json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
  // Whoever does not read the answer does not keep the socket.
  socket.setTimeout(2000, () => socket.destroy());
}

function refusalOf(error: Error & { code?: string }): [status: number, detail: string] {
  if (error.code === 'HPE_HEADER_OVERFLOW')
    return [431, `the headers are larger than ${LIMITS.maxHeaderSize} bytes; send fewer or shorter ones`];
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return [408, `the headers did not arrive within ${LIMITS.headersTimeout / 1000} s; send them faster`];
  return [400, `the request is not valid HTTP/1.1 (${messageOf(error).slice(0, 100)}); check the client`];
}

function rawProblem(code: ErrorCode, status: number, detail: string): string {
  return JSON.stringify({
    type: `urn:iotmano:problem:${code}`,
    title: STATUS_CODES[status],
    status,
    detail,
    code,
  });
}

/**
 * Connections that wait to be accepted, when thousands of hosts come at once; the kernel takes no more than `net.core.somaxconn`.
 * What does not fit is dropped after the client has seen it open: its request comes again only after seconds.
 */
const BACKLOG = 65_535;

async function listen(server: Server, { host, port }: ListenOptions): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) =>
      reject(
        new IotmanoError(
          'unprocessable',
          `cannot listen on ${host}:${port}: ${error.message}; choose another address`,
          {},
          error,
        ),
      ),
    );
    server.listen({ port, host, backlog: BACKLOG }, () => resolve());
  });
}

async function close(server: Server, api: Api, graceMilliseconds: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  api.stop();
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), graceMilliseconds);
  await closed;
  clearTimeout(timer);
}
