import { readFileSync } from 'node:fs';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Readable } from 'node:stream';
import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls';
import { IotmanoError, messageOf } from '../../kernel/index.ts';
import { createConnectionPool } from './connection-pool.ts';

export interface TransportOptions {
  /** `https://host:port`, or `http://` for a loopback address; for NATS `tls://host:port` or `nats://`, several separated by commas. */
  readonly serverUrl: string;
  /** PEM file of further certificate authorities, beside the system's. */
  readonly caFile?: string;
  /** Allows plain HTTP to any address: tokens, configuration and functions then travel in the clear. */
  readonly isInsecureHttpAllowed?: boolean;
}

/** What a client shows of itself in mutual TLS: PEM. */
export interface ClientIdentity {
  readonly key: string;
  readonly cert: string;
}

export interface TransportRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** From sending until the whole answer is there. */
  readonly timeoutMilliseconds: number;
  readonly signal?: AbortSignal | undefined;
}

export interface TransportResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Buffer;
}

/** What carries the requests of Mco. */
export interface Transport {
  /** @throws IotmanoError transient, whatever happens on the way; never for a status */
  send(request: TransportRequest): Promise<TransportResponse>;
  /** As `send`, on a connection of its own, with the body as it comes in; `timeoutMilliseconds` is that of silence. */
  stream(request: TransportRequest): Promise<{
    readonly status: number;
    readonly headers: TransportResponse['headers'];
    readonly body: Readable;
  }>;
  /** Whether connections are TLS, so that a certificate can be shown. */
  readonly isEncrypted: boolean;
  close(): void;
}

/** Of an answer that is read into memory. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

/**
 * HTTP to one server. Node's own client: keep-alive and two sockets, at a third of the memory of a library.
 * @param clientIdentity asked for each connection; a server that asks for no certificate is shown none
 * @throws IotmanoError `invalid-parameter` where the URL is none, or plain HTTP would leave this machine
 */
export function createTransport(
  options: TransportOptions,
  clientIdentity: () => ClientIdentity | undefined = () => undefined,
): Transport {
  const base = parseServerUrl(options);
  const isTls = base.protocol === 'https:';
  const securityFor = isTls ? securityWith(readAuthorities(options.caFile)) : () => undefined;
  const pool = createConnectionPool(isTls);
  const start = (request: TransportRequest, isStream: boolean): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const url = new URL(base.pathname.replace(/\/$/, '') + request.path, base);
      const send = isTls ? httpsRequest : httpRequest;
      const shown = isTls ? clientIdentity() : undefined;
      const outgoing = send(url, {
        method: request.method,
        headers: withLength(request),
        ...securityFor(shown),
        agent: isStream ? false : pool.agentFor(shown?.cert),
        ...(request.signal === undefined ? {} : { signal: request.signal }),
      });
      if (isStream)
        outgoing.setTimeout(request.timeoutMilliseconds, () => outgoing.destroy(silence(request)));
      outgoing.once('response', resolve);
      outgoing.once('error', (error: NodeJS.ErrnoException) => {
        reject(Object.assign(error, { wasReused: outgoing.reusedSocket }));
      });
      outgoing.end(request.body);
    });
  return {
    send: async (request) => {
      const once = (): Promise<TransportResponse> => sendWhole(request, (each) => start(each, false));
      try {
        return await pool.pass(() => onceMoreWhenStale(once), request.signal);
      } catch (error) {
        throw unreachable(base, error);
      }
    },
    stream: async (request) => {
      try {
        const body = await start(request, true);
        return { status: body.statusCode ?? 0, headers: flatten(body), body };
      } catch (error) {
        throw unreachable(base, error);
      }
    },
    isEncrypted: isTls,
    close: () => pool.close(),
  };
}

/** What opens a connection on which a certificate is shown. The key and the certificate are in it besides the context, as Node keeps connections apart by them. */
interface Security extends Partial<ClientIdentity> {
  readonly secureContext: SecureContext;
}

/** Reading the authorities takes a small host a tenth of a second and more: it is done for each certificate that is shown, not for each connection. */
function securityWith(ca: string[]): (shown: ClientIdentity | undefined) => Security {
  let last: Security | undefined;
  return (shown) => {
    if (last === undefined || last.cert !== shown?.cert)
      last = { ...shown, secureContext: createSecureContext({ ...shown, ca }) };
    return last;
  };
}

async function sendWhole(
  request: TransportRequest,
  start: (request: TransportRequest) => Promise<IncomingMessage>,
): Promise<TransportResponse> {
  const controller = new AbortController();
  const onAbort = (): void => controller.abort();
  const timer = setTimeout(() => controller.abort(silence(request)), request.timeoutMilliseconds);
  request.signal?.addEventListener('abort', onAbort, { once: true });
  if (request.signal?.aborted) onAbort();
  try {
    const incoming = await start({ ...request, signal: controller.signal });
    return { status: incoming.statusCode ?? 0, headers: flatten(incoming), body: await readWhole(incoming) };
  } catch (error) {
    throw controller.signal.reason instanceof IotmanoError ? controller.signal.reason : error;
  } finally {
    clearTimeout(timer);
    request.signal?.removeEventListener('abort', onAbort);
  }
}

/** A server may close an idle connection just when we use it again. Every operation of Mco is safe to repeat. */
async function onceMoreWhenStale(send: () => Promise<TransportResponse>): Promise<TransportResponse> {
  return send().catch((error: unknown) => {
    if ((error as { wasReused?: boolean }).wasReused !== true) throw error;
    return send();
  });
}

async function readWhole(incoming: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_ANSWER_BYTES) {
      throw new IotmanoError('unavailable', `the server's answer is larger than ${MAX_ANSWER_BYTES} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function withLength(request: TransportRequest): Record<string, string> {
  if (request.body !== undefined)
    return { ...request.headers, 'content-length': String(request.body.byteLength) };
  return request.method === 'GET' || request.method === 'DELETE'
    ? { ...request.headers }
    : { ...request.headers, 'content-length': '0' };
}

function flatten(incoming: IncomingMessage): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(incoming.headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(', ') : value,
    ]),
  );
}

function silence(request: TransportRequest): IotmanoError {
  return new IotmanoError(
    'timeout',
    `${request.method} ${request.path.split('?')[0] ?? ''} was not answered within ${request.timeoutMilliseconds} ms`,
  );
}

function unreachable(base: URL, error: unknown): IotmanoError {
  if (error instanceof IotmanoError) return error;
  return new IotmanoError(
    'unavailable',
    `the orchestrator at ${base.origin} cannot be reached: ${messageOf(error)}; check the server's URL and the network`,
    {},
    error,
  );
}

/** Node's own authorities, the system's, and those of the file; each once, though both name most of them. */
export function readAuthorities(caFile: string | undefined): string[] {
  const known = [...new Set([...getCACertificates('default'), ...getCACertificates('system')])];
  if (caFile === undefined) return known;
  try {
    return [...known, readFileSync(caFile, 'utf8')];
  } catch (error) {
    throw new IotmanoError(
      'invalid-parameter',
      `the CA file ${caFile} cannot be read: ${messageOf(error)}`,
      {},
      error,
    );
  }
}

function parseServerUrl({ serverUrl, isInsecureHttpAllowed }: TransportOptions): URL {
  const url = URL.canParse(serverUrl) ? new URL(serverUrl) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) {
    throw new IotmanoError(
      'invalid-parameter',
      `the server must be a URL like https://host:8900; got ${JSON.stringify(serverUrl)}`,
    );
  }
  if (url.protocol === 'http:' && isInsecureHttpAllowed !== true && !isLoopback(url.hostname)) {
    throw new IotmanoError(
      'invalid-parameter',
      `${url.origin} is not on this machine and http would show tokens and functions to the network; use https, or --insecure-http if you must`,
    );
  }
  return url;
}

/** Whether only this machine reaches the name or address. */
export function isLoopback(hostname: string): boolean {
  return (
    hostname === 'localhost' || hostname === '[::1]' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(hostname)
  );
}
