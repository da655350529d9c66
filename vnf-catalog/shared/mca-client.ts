import { Agent, request as httpRequest } from 'node:http';
import { IotmanoError, messageOf } from '../../kernel/index.ts';

export interface McaRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** HTTP path with query, e.g. `/cse-in/ae?rcn=4`. */
  readonly path: string;
  readonly originator: string;
  readonly requestId: string;
  /** Resource type of a creation. */
  readonly ty?: number;
  readonly content?: unknown;
  readonly token?: string;
}

export interface McaAnswer {
  readonly rsc: number;
  readonly content: Readonly<Record<string, unknown>>;
  /** The list goes on from this offset. */
  readonly continuesAt?: number;
}

/** The AE's side of Mca over HTTP: one connection pool, for any number of gateways. */
export class McaClient {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 256 });

  /**
   * @param gateway e.g. `http://127.0.0.1:8080`
   * @throws IotmanoError `unavailable` when the gateway cannot be reached or breaks off, `timeout` when it does not answer in time
   */
  async request(gateway: string, request: McaRequest, timeoutMilliseconds: number): Promise<McaAnswer> {
    const body = request.content === undefined ? undefined : JSON.stringify(request.content);
    const signal = AbortSignal.timeout(timeoutMilliseconds);
    try {
      return await this.#send(new URL(request.path, gateway), request, body, signal);
    } catch (error) {
      const code = signal.aborted ? 'timeout' : 'unavailable';
      throw new IotmanoError(code, `${gateway}${request.path}: ${messageOf(error)}`, {}, error);
    }
  }

  close(): void {
    this.#agent.destroy();
  }

  #send(url: URL, request: McaRequest, body: string | undefined, signal: AbortSignal): Promise<McaAnswer> {
    return new Promise((resolve, reject) => {
      const options = {
        method: request.method,
        agent: this.#agent,
        signal,
        headers: headersOf(request, body),
      };
      const outgoing = httpRequest(url, options, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.once('error', reject);
        response.once('end', () => {
          const rsc = Number(response.headers['x-m2m-rsc'] ?? 0);
          const next = response.headers['x-m2m-cto'];
          const content = parseContent(Buffer.concat(chunks).toString());
          resolve(typeof next === 'string' ? { rsc, content, continuesAt: Number(next) } : { rsc, content });
        });
      });
      outgoing.once('error', reject);
      outgoing.end(body);
    });
  }
}

function headersOf(request: McaRequest, body: string | undefined): Record<string, string | number> {
  return {
    'X-M2M-Origin': request.originator,
    'X-M2M-RI': request.requestId,
    'X-M2M-RVI': '4',
    ...(request.token === undefined ? {} : { Authorization: `Bearer ${request.token}` }),
    ...(body === undefined
      ? {}
      : {
          'Content-Type': `application/json${request.ty === undefined ? '' : `;ty=${request.ty}`}`,
          'Content-Length': Buffer.byteLength(body),
        }),
  };
}

function parseContent(text: string): Readonly<Record<string, unknown>> {
  if (text === '') return {};
  const content: unknown = JSON.parse(text);
  return typeof content === 'object' && content !== null
    ? (content as Readonly<Record<string, unknown>>)
    : {};
}
