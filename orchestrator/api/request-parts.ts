import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { IotmanoError } from '../../kernel/index.ts';

/** Path as requested, without query. */
export function pathOf(request: IncomingMessage): string {
  return (request.url ?? '/').split('?', 1)[0] ?? '/';
}

/** @throws IotmanoError `malformed-request` for a query that is not percent-encoded UTF-8 */
export function parseQuery(request: IncomingMessage): URLSearchParams {
  const [, text = ''] = (request.url ?? '').split(/\?(.*)/s, 2);
  try {
    decodeURIComponent(text);
  } catch {
    throw new IotmanoError(
      'malformed-request',
      'the query of the request is not percent-encoded UTF-8; encode each value, "%" itself as %25',
    );
  }
  return new URLSearchParams(text);
}

/** Each header as one text. */
export function flatHeaders(request: IncomingMessage): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(', ') : value,
    ]),
  );
}

/** Whether the connection is TLS. */
export function isEncrypted(request: IncomingMessage): boolean {
  return (request.socket as Partial<TLSSocket>).encrypted === true;
}

/** The Host header only where it is a plain authority: it is echoed in Location and links. */
export function originOf(request: IncomingMessage): string {
  const host = request.headers.host ?? '';
  const isPlain = /^([a-z0-9.-]{1,253}|\[[0-9a-f:.]{2,45}\])(:\d{1,5})?$/i.test(host);
  const authority = isPlain ? host : `localhost:${request.socket.localPort ?? 0}`;
  return `${isEncrypted(request) ? 'https' : 'http'}://${authority}`;
}
