import { createServer, request as send, Agent, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';

/** A request on its way to the real side. */
export interface Passing {
  readonly method: string;
  /** Last word of the path that names the operation: `wanted`, `reports`, `enrolments`, …; `leave`. */
  readonly what: string;
  readonly hostId: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Json;
}

/** JSON of any shape, or a file. */
// eslint-disable-next-line typescript/no-redundant-type-constituents -- says what it is
export type Json = Record<string, unknown> | undefined;

export interface Passed {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Json;
  /** Instead of `body`, where it is no JSON. */
  readonly bytes?: Buffer;
}

/** What makes a side that is right do one thing wrong. @returns 'cut' to cut the connection */
export type Meddle = (
  passing: Passing,
  forward: (changed?: Partial<Passing>) => Promise<Passed>,
) => Promise<Passed | 'cut'>;

export interface MeddlingProxy {
  readonly url: string;
  close(): Promise<void>;
}

/** @param isWasteful every request goes on over a connection of its own, which is left open */
export async function startMeddlingProxy(
  target: string,
  meddle: Meddle,
  isWasteful = false,
): Promise<MeddlingProxy> {
  const pool = new Agent({ keepAlive: true });
  const pools: Agent[] = [pool];
  const server: Server = createServer((request, response) => {
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    const serve = async (): Promise<void> => {
      const passing = await readPassing(request);
      const passed = await meddle(passing, (changed = {}) => {
        const agent = isWasteful ? new Agent({ keepAlive: true }) : pool;
        pools.push(agent);
        return forward(target, { ...passing, ...changed }, agent, gone.signal);
      });
      if (passed === 'cut') return void request.socket.destroy();
      const bytes = passed.bytes ?? Buffer.from(passed.body === undefined ? '' : JSON.stringify(passed.body));
      const { 'content-length': _length, 'transfer-encoding': _encoding, ...headers } = passed.headers;
      response.writeHead(passed.status, {
        ...headers,
        ...(bytes.length > 0 ? { 'content-length': bytes.length } : {}),
      });
      response.end(bytes);
    };
    serve().catch(() => request.socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        for (const each of pools) each.destroy();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function readPassing(request: IncomingMessage): Promise<Passing> {
  const raw = await bytesOf(request);
  const url = new URL(request.url ?? '/', 'http://proxy');
  const [, , , first = '', hostId = '', last = 'leave'] = url.pathname.split('/');
  const plain = request.headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw;
  const { 'content-encoding': _encoding, 'content-length': _length, ...headers } = request.headers;
  return {
    method: request.method ?? '',
    what: first === 'enrolments' ? first : last,
    hostId,
    path: url.pathname,
    query: url.searchParams,
    headers: headers as Record<string, string>,
    body: parse(plain),
  };
}

function forward(target: string, passing: Passing, agent: Agent, signal: AbortSignal): Promise<Passed> {
  const { method, path, query, headers, body } = passing;
  const search = query.toString();
  const payload =
    body === undefined ? '' : 'unreadable' in body ? String(body['unreadable']) : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const outgoing = send(
      new URL(search === '' ? path : `${path}?${search}`, target),
      {
        method,
        agent,
        signal,
        headers: {
          ...headers,
          ...(payload === '' ? {} : { 'content-length': String(Buffer.byteLength(payload)) }),
        },
      },
      (response) => {
        bytesOf(response).then((bytes) => {
          const isJson = String(response.headers['content-type']).includes('json');
          const own = response.headers as Record<string, string>;
          resolve({
            status: response.statusCode ?? 0,
            headers: own,
            body: isJson ? parse(bytes) : undefined,
            ...(isJson && parse(bytes)?.['unreadable'] === undefined ? {} : { bytes }),
          });
        }, reject);
      },
    );
    outgoing.once('error', reject);
    outgoing.end(payload);
  });
}

async function bytesOf(message: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of message as AsyncIterable<Buffer>) parts.push(part);
  return Buffer.concat(parts);
}

function parse(bytes: Buffer): Json {
  if (bytes.length === 0) return undefined;
  try {
    return JSON.parse(bytes.toString('utf8')) as Json;
  } catch {
    return { unreadable: bytes.toString('utf8') };
  }
}
