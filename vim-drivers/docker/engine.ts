import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Duplex, Readable } from 'node:stream';
import { inspect } from 'node:util';
import type Docker from 'dockerode';
import type { DockerEndpoint } from './options.ts';
import { translateEngineError } from './engine-errors.ts';
import { Gate } from './gate.ts';

export type Query = Readonly<Record<string, unknown>>;

export interface EngineRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly query?: Query;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** What is sent as it is: an archive. */
  readonly file?: Buffer | Readable | string;
  /** For messages, as in "refused to ...": "start the container x". */
  readonly what: string;
  readonly timeoutSeconds?: number;
  /** Work that the engine does one after the other anyway waits here, so that what is quick does not wait behind it. */
  readonly weight?: 'light' | 'heavy' | 'waiting';
  readonly signal?: AbortSignal;
}

const TIMEOUT_SECONDS = 10;
/** How much is asked of the engine at once: more of what is heavy takes longer for everybody. */
const AT_ONCE = { light: 16, heavy: 6, waiting: 64 } as const;

type Modem = Docker['modem'] & {
  dial(options: unknown, callback: (error: unknown, answer: unknown) => void): void;
};

/** The way to one Docker Engine: bounded in time and in number, its errors translated. Makes no call by itself. */
export class Engine {
  /** The endpoint as Docker's own tools write it. */
  readonly name: string;
  /** The engine runs on this machine: its directories and the addresses of its containers are at hand. */
  readonly isLocal: boolean;
  readonly #modem: Modem;
  readonly #streams: Modem;
  readonly #gates = {
    light: new Gate(AT_ONCE.light),
    heavy: new Gate(AT_ONCE.heavy),
    waiting: new Gate(AT_ONCE.waiting),
  };
  readonly #agents: readonly HttpAgent[];

  private constructor(endpoint: DockerEndpoint, Client: typeof Docker) {
    this.name = nameOf(endpoint);
    this.isLocal = endpoint.type === 'socket' || isLoopback(endpoint.host);
    const isTls = endpoint.type === 'tcp' && endpoint.tls !== undefined;
    const Agent = isTls ? HttpsAgent : HttpAgent;
    // A handshake is dear, a local socket is not; and what was idle over a restart of the engine is broken.
    const calls = new Agent({ keepAlive: endpoint.type === 'tcp', maxFreeSockets: 4, timeout: 30_000 });
    const streams = new Agent({ keepAlive: false });
    this.#agents = [calls, streams];
    // The library writes every request down for its debug log, also where there is none: with the sockets of its agent that costs more than the call.
    for (const agent of this.#agents) Object.assign(agent, { [inspect.custom]: () => 'Agent' });
    this.#modem = new Client(optionsOf(endpoint, calls)).modem;
    this.#streams = new Client(optionsOf(endpoint, streams)).modem;
  }

  /** Loads the client library, which costs memory, only now. */
  static async open(endpoint: DockerEndpoint): Promise<Engine> {
    const { default: Client } = await import('dockerode');
    return new Engine(endpoint, Client);
  }

  /** @throws IotmanoError `unavailable` when the engine does not answer, `driver-failed` when it refuses */
  async request<T>(request: EngineRequest): Promise<T> {
    const gate = this.#gates[request.weight ?? 'light'];
    return gate.run(() => this.#dial<T>(this.#modem, request, false));
  }

  /** As `request`; what comes back is a stream, open until it ends or the signal aborts. */
  async stream(request: EngineRequest): Promise<Readable> {
    return this.#dial<Readable>(this.#streams, request, true);
  }

  /** As `stream`, in both directions: over a connection that the engine gives up to it. */
  async attach(request: EngineRequest): Promise<Duplex> {
    return this.#dial<Duplex>(this.#streams, request, true, true);
  }

  close(): void {
    for (const agent of this.#agents) agent.destroy();
  }

  #dial<T>(modem: Modem, request: EngineRequest, isStream: boolean, isBothWays = false): Promise<T> {
    const { method, path, query = {}, body = {}, headers, file, what, signal } = request;
    const limit = new AbortController();
    const abort = (): void => limit.abort();
    const timer = setTimeout(abort, (request.timeoutSeconds ?? TIMEOUT_SECONDS) * 1000);
    signal?.addEventListener('abort', abort, { once: true });
    if (signal?.aborted === true) abort();
    return new Promise<T>((resolve, reject) => {
      const settle = (error: unknown, answer: unknown): void => {
        clearTimeout(timer);
        // A stream stays bound to the signal for as long as it lives.
        if (isStream && error === null) {
          const stream = answer as Readable;
          const end = (): void => void stream.destroy();
          signal?.addEventListener('abort', end, { once: true });
          stream.once('close', () => signal?.removeEventListener('abort', end));
          stream.on('error', () => undefined); // whoever reads it learns of it; nobody else must fall over it
        }
        signal?.removeEventListener('abort', abort);
        if (error === null || error === undefined) resolve(answer as T);
        else reject(translateEngineError(error, what, this.name));
      };
      modem.dial(
        {
          path: `${path}?`,
          method,
          options: { _query: query, _body: body },
          abortSignal: limit.signal,
          isStream,
          ...(isBothWays ? { hijack: true } : {}),
          statusCodes: { 200: true, 201: true, 204: true, 304: true },
          ...(headers === undefined ? {} : { headers: { ...headers } }),
          ...(file === undefined ? {} : { file }),
        },
        settle,
      );
    });
  }
}

function optionsOf(endpoint: DockerEndpoint, agent: HttpAgent): Docker.DockerOptions {
  // Every key is named: the library takes what is missing from the environment, which may mean another engine.
  const nothing = { ca: undefined, cert: undefined, key: undefined, timeout: undefined, pathPrefix: '/' };
  const options =
    endpoint.type === 'socket'
      ? { ...nothing, socketPath: endpoint.path, host: undefined, port: undefined, protocol: 'http', agent }
      : {
          ...nothing,
          socketPath: undefined,
          host: endpoint.host,
          port: endpoint.port,
          protocol: endpoint.tls === undefined ? 'http' : 'https',
          ca: endpoint.tls?.ca,
          cert: endpoint.tls?.certificate,
          key: endpoint.tls?.key,
          agent,
        };
  return options as Docker.DockerOptions;
}

function nameOf(endpoint: DockerEndpoint): string {
  if (endpoint.type === 'socket') return `unix://${endpoint.path}`;
  return `${endpoint.tls === undefined ? 'tcp' : 'tcp+tls'}://${endpoint.host}:${endpoint.port}`;
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}
