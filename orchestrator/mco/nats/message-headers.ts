import { headers as createHeaders, type MsgHdrs } from '@nats-io/transport-node';
import type { HostId } from '../../../kernel/index.ts';
import { NATS_OPERATIONS } from '../../../api-specs/generated/mco-nats.ts';
import type { MessageAnswer, MessageRequest } from '../../api/index.ts';
import { MCO_VERSION } from '../envelope.ts';

type Operation = (typeof NATS_OPERATIONS)[number];

/** Largest range of a file in one answer. */
export const MAX_RANGE_BYTES = 512 * 1024;

/** Where a message carries what the path or the query of a request does: `streamId` in `mco-stream-id`. */
const HEADER_OF_PARAMETER: ReadonlyMap<string, string> = new Map(
  NATS_OPERATIONS.flatMap(({ params, query }) => [...params, ...query]).map((name) => [
    name,
    `mco-${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
  ]),
);

/** What HTTP has in the answer's own fields, or does not need in a message that is whole. */
const HTTP_ONLY = new Set(['content-length', 'content-type', 'accept-ranges', 'www-authenticate', 'allow']);

/** A message as the request of the binding to HTTP that it stands for. Headers that are there twice count once. */
export function toRequest(
  operation: Operation,
  hostId: HostId,
  message: { readonly headers?: MsgHdrs | undefined; readonly data: Uint8Array },
): MessageRequest {
  const headers = flat(message.headers);
  const named = (names: readonly string[]): Record<string, string> =>
    Object.fromEntries(
      names.flatMap((name) => {
        const value = headers[HEADER_OF_PARAMETER.get(name) ?? ''];
        return value === undefined ? [] : [[name, value]];
      }),
    );
  return {
    method: operation.method,
    route: operation.path,
    params: { ...named(operation.params), hostId },
    query: named(operation.query),
    headers: operation.name === 'artifact' ? { ...headers, range: boundedRange(headers['range']) } : headers,
    // Copied: what the client hands out lies in a buffer of many messages.
    body: Uint8Array.from(message.data),
  };
}

/** By names in small letters. */
export function flat(headers: MsgHdrs | undefined): Record<string, string> {
  const entries = (headers?.keys() ?? []).map((name) => [name.toLowerCase(), headers?.get(name) ?? '']);
  return Object.fromEntries(entries) as Record<string, string>;
}

/** A part of a file must fit into a message: less is answered than was asked for, as HTTP allows. */
function boundedRange(range: string | undefined): string {
  const [, from = '0', to] = /^bytes=(\d{1,15})-(\d{0,15})$/.exec(range?.trim() ?? 'bytes=0-') ?? [];
  const end = Number(from) + MAX_RANGE_BYTES - 1;
  return `bytes=${from}-${to === undefined || to === '' ? end : Math.min(Number(to), end)}`;
}

/** Headers of an answer, with status and envelope. */
export function answerHeaders({ status, headers }: MessageAnswer, m2mSpId: string): Record<string, string> {
  const own = Object.entries(headers).filter(([name]) => !HTTP_ONLY.has(name.toLowerCase()));
  return { ...Object.fromEntries(own), ...envelope(m2mSpId), 'Mco-Status': String(status) };
}

/** What every message of the orchestrator carries. */
export function envelope(m2mSpId: string): Record<string, string> {
  return { 'Mco-Version': MCO_VERSION, 'Mco-Sp-Id': m2mSpId };
}

export function toHeaders(values: Readonly<Record<string, string>>): MsgHdrs {
  const result = createHeaders();
  for (const [name, value] of Object.entries(values)) result.set(name, value);
  return result;
}
