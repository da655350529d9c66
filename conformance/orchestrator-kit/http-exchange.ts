import { request as httpRequest, type Agent, type ClientRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { Socket } from 'node:net';
import type { KeptConnection, ShownCertificate } from './agent-wire.ts';

/** By which connection a request goes. */
export interface Connector {
  /** `false`: one of its own, for this request alone. */
  readonly agent: Agent | false;
  /** PEM: whom to believe; absent: the authorities of Node. */
  readonly ca: string | undefined;
  /** Absent: none. */
  readonly shown?: ShownCertificate;
  onRequest?(request: ClientRequest): void;
}

export interface HttpRequest {
  readonly url: URL;
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly payload: string;
  readonly connector: Connector;
}

const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

/** One request and the whole of its answer. @throws whatever keeps it from being answered */
export function exchange(
  { url, method, headers, payload, connector }: HttpRequest,
  signal: AbortSignal,
): Promise<{ readonly response: IncomingMessage; readonly bytes: Buffer }> {
  return new Promise((resolve, reject) => {
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
    const { agent } = connector;
    const request = send(url, { method, headers, signal, agent, ...tlsOptions(connector) }, (response) => {
      const parts: Buffer[] = [];
      let size = 0;
      response.on('data', (part: Buffer) => {
        parts.push(part);
        size += part.length;
        if (size > MAX_ANSWER_BYTES) response.destroy(new RangeError(`over ${MAX_ANSWER_BYTES} bytes`));
      });
      response.once('end', () => resolve({ response, bytes: Buffer.concat(parts) }));
      response.once('error', reject);
    });
    request.once('error', reject);
    connector.onRequest?.(request);
    if (payload !== '') request.setHeader('content-length', Buffer.byteLength(payload));
    request.end(payload);
  });
}

/** A connection over TLS that is used for one request after the other, and watched. */
export function keepConnection(
  options: Required<Pick<Connector, 'ca' | 'shown'>>,
): Pick<KeptConnection, 'isOpen' | 'close'> & { readonly connector: Connector } {
  const agent = new HttpsAgent({ keepAlive: true, maxSockets: 1 });
  let first: Socket | undefined;
  const onRequest = (request: ClientRequest): void =>
    void request.once('socket', (socket) => {
      first ??= socket;
    });
  return {
    connector: { ...options, agent, onRequest },
    isOpen: () => first !== undefined && !first.destroyed && first.readable,
    close: () => agent.destroy(),
  };
}

function tlsOptions({ ca, shown }: Connector): { ca?: string; key?: string; cert?: string } {
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(shown === undefined
      ? {}
      : { key: shown.key.export({ type: 'pkcs8', format: 'pem' }).toString(), cert: shown.certificate }),
  };
}
