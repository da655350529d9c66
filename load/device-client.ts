import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import type { Outcome } from './outcome.ts';

/** A request of a device on Mca (TS-0009). */
export interface DeviceRequest {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Structured address, e.g. `/cse-in/load-0/values`. */
  readonly path: string;
  readonly originator: string;
  /** X-M2M-RI. */
  readonly requestId: string;
  /** Resource type of a creation. */
  readonly ty?: number;
  readonly content?: unknown;
}

/** What a CSE answered, or why there is no answer. */
export interface DeviceAnswer extends Outcome {
  /** Response status code (TS-0004); 0 where none came. */
  readonly rsc: number;
}

export interface DeviceClientOptions {
  readonly timeoutMilliseconds: number;
  /** Connections that are kept open, and requests that are under way at once, at most. */
  readonly maxConnections: number;
  /** Of every originator, as `Authorization: Bearer`. */
  readonly token?: string;
  /** Called when a request is sent again because the kept connection that it went over had been closed meanwhile. */
  readonly onResent?: () => void;
}

/** The devices' side of Mca over HTTP, with one pool of kept connections for all of them. Never rejects: what goes wrong is the answer. */
export class DeviceClient {
  readonly #options: DeviceClientOptions;
  readonly #agent: Agent;

  constructor(options: DeviceClientOptions) {
    this.#options = options;
    this.#agent = new Agent({ keepAlive: true, maxSockets: options.maxConnections, scheduling: 'lifo' });
  }

  /** @param target e.g. `http://127.0.0.1:8080` */
  async send(target: string, request: DeviceRequest): Promise<DeviceAnswer> {
    const signal = AbortSignal.timeout(this.#options.timeoutMilliseconds);
    const first = await this.#attempt(target, request, signal, this.#agent);
    if (!first.isStale) return first.answer;
    this.#options.onResent?.();
    // Over a connection of its own: another kept one may be stale, too. Under the same X-M2M-RI it is done once.
    return (await this.#attempt(target, request, signal, undefined)).answer;
  }

  close(): void {
    this.#agent.destroy();
  }

  #attempt(
    target: string,
    request: DeviceRequest,
    signal: AbortSignal,
    agent: Agent | undefined,
  ): Promise<{ readonly answer: DeviceAnswer; readonly isStale: boolean }> {
    return new Promise((resolve) => {
      const body = request.content === undefined ? undefined : JSON.stringify(request.content);
      const outgoing = httpRequest(new URL(request.path, target), {
        method: request.method,
        ...(agent === undefined ? { agent: new Agent() } : { agent }),
        signal,
        headers: this.#headers(request, body),
      });
      const fail = (error: NodeJS.ErrnoException): void => {
        const fault = signal.aborted ? 'no answer in time' : (error.code ?? error.message);
        const isStale = outgoing.reusedSocket && error.code === 'ECONNRESET' && !signal.aborted;
        resolve({ answer: { rsc: 0, fault }, isStale });
      };
      outgoing.once('error', fail);
      outgoing.once('response', (response) => {
        response.once('error', fail);
        response.once('end', () => resolve({ answer: answerOf(response), isStale: false }));
        response.resume();
      });
      outgoing.end(body);
    });
  }

  #headers(request: DeviceRequest, body: string | undefined): Record<string, string | number> {
    const { token } = this.#options;
    return {
      'X-M2M-Origin': request.originator,
      'X-M2M-RI': request.requestId,
      'X-M2M-RVI': '4',
      ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
      ...(body === undefined
        ? {}
        : {
            'Content-Type': `application/json${request.ty === undefined ? '' : `;ty=${request.ty}`}`,
            'Content-Length': Buffer.byteLength(body),
          }),
    };
  }
}

function answerOf({ headers, statusCode = 0 }: IncomingMessage): DeviceAnswer {
  const rsc = Number(headers['x-m2m-rsc'] ?? 0);
  if (rsc >= 2000 && rsc < 3000) return { rsc };
  return { rsc, fault: rsc === 0 ? `HTTP ${statusCode} without X-M2M-RSC` : `X-M2M-RSC ${rsc}` };
}
