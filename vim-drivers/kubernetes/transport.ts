import { Agent, request as httpsRequest, type RequestOptions } from 'node:https';
import type { IncomingMessage } from 'node:http';
import type { KubeConfig } from '@kubernetes/client-node';
import { IotmanoError } from '../../kernel/index.ts';
import { refusal, unreachableServer } from './api-error.ts';

export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly body?: unknown;
  readonly contentType?: string;
  readonly signal?: AbortSignal;
}

/** An answer is either there within this time, or the API server is taken for away. */
const ANSWER_MILLISECONDS = 8000;
/** Requests under way at once; more wait here rather than at the API server, which would refuse them. */
const CONCURRENCY = 24;
/** A server that is busy names the time after which to try again; it is asked so often at most. */
const BUSY_TRIES = 3;
/** Whoever refuses may be an instance that is asked through the server, and say more than anybody can remember. */
const REFUSAL_BYTES = 64 * 1024;

/**
 * HTTP to one API server, over connections that are kept. The SDK brings the credentials; its own client opens a new connection for each
 * request, has no limit of time, and ends the program when a stream of output breaks.
 */
export class ApiTransport {
  readonly config: KubeConfig;
  readonly server: string;
  readonly #agent = new Agent({ keepAlive: true, maxFreeSockets: CONCURRENCY });
  readonly #waiting: (() => void)[] = [];
  readonly #closing = new AbortController();
  #underWay = 0;

  constructor(config: KubeConfig) {
    this.config = config;
    this.server = (config.getCurrentCluster()?.server ?? '').replace(/\/+$/, '');
  }

  /**
   * The body of a good answer.
   * @throws IotmanoError `unavailable`, or a refusal with the status in its context
   */
  async send(request: ApiRequest): Promise<string> {
    await this.#enter();
    try {
      return await this.#sendNow(request);
    } finally {
      this.#leave();
    }
  }

  /** A good answer whose body goes on until somebody ends it. Bounded in time only until it begins. */
  async open(request: ApiRequest & { readonly signal: AbortSignal }): Promise<IncomingMessage> {
    const beginning = new AbortController();
    const timer = setTimeout(() => beginning.abort(new Error('no answer')), ANSWER_MILLISECONDS);
    try {
      const signal = AbortSignal.any([request.signal, this.#closing.signal, beginning.signal]);
      const response = await this.#exchange(request, signal);
      if (isGood(response)) return response;
      const text = await textOf(response, REFUSAL_BYTES);
      throw refusal(request.method, request.path, response.statusCode ?? 0, text);
    } finally {
      clearTimeout(timer);
    }
  }

  close(): void {
    this.#closing.abort(new Error('the driver is closed'));
    this.#agent.destroy();
  }

  async #sendNow(request: ApiRequest): Promise<string> {
    for (let tries = 1; ; tries += 1) {
      const ends = [AbortSignal.timeout(ANSWER_MILLISECONDS), this.#closing.signal];
      const signal = AbortSignal.any(request.signal === undefined ? ends : [...ends, request.signal]);
      const response = await this.#exchange(request, signal);
      const text = await this.#bodyOf(response);
      if (isGood(response)) return text;
      const retryAfterSeconds = Number(response.headers['retry-after'] ?? Number.NaN);
      if (response.statusCode !== 429 || tries === BUSY_TRIES || !(retryAfterSeconds <= 5))
        throw refusal(request.method, request.path, response.statusCode ?? 0, text);
      await new Promise((resolve) => setTimeout(resolve, retryAfterSeconds * 1000));
    }
  }

  async #bodyOf(response: IncomingMessage): Promise<string> {
    try {
      return await textOf(response);
    } catch (error) {
      throw unreachableServer(this.server, error);
    }
  }

  async #exchange(request: ApiRequest, signal: AbortSignal): Promise<IncomingMessage> {
    try {
      const { agent, ...credentials } = await this.#credentials();
      const hasProxy = this.config.getCurrentCluster()?.proxyUrl !== undefined;
      const options = { ...credentials, signal, agent: hasProxy ? agent : this.#agent };
      try {
        return await exchange(this.#url(request), request, options);
      } catch (error) {
        // A kept connection that the server has closed meanwhile; all that we send may be sent twice.
        if (!(error instanceof StaleConnection)) throw error;
        return await exchange(this.#url(request), request, options);
      }
    } catch (error) {
      if (error instanceof IotmanoError) throw error;
      const cause = error instanceof StaleConnection ? error.cause : error;
      throw unreachableServer(this.server, signal.aborted ? abortReason(signal) : cause);
    }
  }

  async #credentials(): Promise<RequestOptions> {
    const options: RequestOptions = {};
    await this.config.applyToHTTPSOptions(options);
    return options;
  }

  #url({ path, query = {} }: ApiRequest): URL {
    const url = new URL(this.server + path);
    for (const [name, value] of Object.entries(query))
      if (value !== undefined) url.searchParams.set(name, value);
    return url;
  }

  async #enter(): Promise<void> {
    if (this.#underWay >= CONCURRENCY) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#underWay += 1;
  }

  #leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#underWay -= 1;
    else next();
  }
}

/** The connection was kept from an earlier request and turned out to be closed. */
class StaleConnection extends Error {}

function exchange(url: URL, request: ApiRequest, options: RequestOptions): Promise<IncomingMessage> {
  const { method, body, contentType = 'application/json' } = request;
  const content = body === undefined ? undefined : JSON.stringify(body);
  const headers: Record<string, string | number> = {
    ...(options.headers as Record<string, string>),
    accept: 'application/json, */*',
    'user-agent': 'iotmano',
    ...(content === undefined
      ? {}
      : { 'content-type': contentType, 'content-length': Buffer.byteLength(content) }),
  };
  return new Promise((resolve, reject) => {
    const sent = httpsRequest(url, { ...options, method, headers }, resolve);
    sent.on('error', (error: NodeJS.ErrnoException) => {
      const isStale = sent.reusedSocket && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
      reject(isStale ? new StaleConnection('closed meanwhile', { cause: error }) : error);
    });
    sent.end(content);
  });
}

function isGood({ statusCode = 0 }: IncomingMessage): boolean {
  return statusCode >= 200 && statusCode < 300;
}

/** The body, or as much of it as is wanted. */
async function textOf(response: IncomingMessage, maximumBytes = Number.POSITIVE_INFINITY): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response) {
    chunks.push(chunk as Buffer);
    size += (chunk as Buffer).length;
    if (size > maximumBytes) break;
  }
  return Buffer.concat(chunks).toString();
}

function abortReason(signal: AbortSignal): unknown {
  const reason: unknown = signal.reason;
  return reason instanceof DOMException && reason.name === 'TimeoutError'
    ? new Error(`no answer within ${ANSWER_MILLISECONDS / 1000} s`)
    : reason;
}
