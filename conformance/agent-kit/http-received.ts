import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import { messageOf } from '../../kernel/index.ts';
import { faultsOf, type Operation } from '../mco-document.ts';
import type { Received } from './orchestrator-wire.ts';
import { MAX_BODY_BYTES, unzip } from './unzip.ts';

/** The whole body, unpacked; who sends more than it may is cut off. */
export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    parts.push(part);
    size += part.length;
    if (size > MAX_BODY_BYTES) request.socket.destroy();
  }
  const raw = Buffer.concat(parts);
  return unzip(raw, request.headers['content-encoding']);
}

/** A request as a message of Mco. `at`: monotonic milliseconds. */
export function toReceived(
  request: IncomingMessage,
  url: URL,
  operation: Operation | undefined,
  raw: Buffer,
  at: number,
): Received {
  const { headers } = request;
  const body = parseBody(raw);
  const groups = operation?.pattern.exec(url.pathname)?.groups ?? {};
  const sequence = headers['mco-sequence'];
  const from = /^bytes=(\d+)-/.exec(headers.range ?? '')?.[1];
  return {
    at,
    operation: operation?.operationId ?? '',
    hostId: groups['hostId'] ?? '',
    version: String(headers['mco-version'] ?? ''),
    spId: headers['mco-sp-id'] as string | undefined,
    bootId: String(headers['mco-boot-id'] ?? ''),
    sequence: sequence === undefined ? undefined : Number(sequence),
    token: /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1],
    query: new Map(url.searchParams),
    digest: groups['digest'],
    streamId: groups['streamId'],
    rangeFrom: from === undefined ? undefined : Number(from),
    certificate: certificateOf(request),
    body: body.value,
    faults:
      operation === undefined
        ? [`Mco has no ${request.method ?? ''} ${url.pathname}`]
        : [...body.faults, ...faultsOf(operation, request, url, body.value)],
  };
}

function certificateOf({ socket }: IncomingMessage): Received['certificate'] {
  return socket instanceof TLSSocket && socket.authorized ? socket.getPeerX509Certificate() : undefined;
}

function parseBody(raw: Buffer): { readonly value: unknown; readonly faults: readonly string[] } {
  if (raw.length === 0) return { value: undefined, faults: [] };
  try {
    return { value: JSON.parse(raw.toString('utf8')) as unknown, faults: [] };
  } catch (error) {
    return { value: undefined, faults: [`the body is not JSON: ${messageOf(error)}`] };
  }
}
