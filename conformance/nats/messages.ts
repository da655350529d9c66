import { headers as createHeaders, type Msg, type MsgHdrs } from '@nats-io/transport-node';
import type { NatsHeaders } from './document.ts';

/** By the names that they have on the wire; what is there twice counts once. */
export function headersOf(message: { readonly headers?: MsgHdrs | undefined }): NatsHeaders {
  const names = message.headers?.keys() ?? [];
  return Object.fromEntries(names.map((name) => [name, message.headers?.get(name) ?? '']));
}

export function toHeaders(values: NatsHeaders): MsgHdrs {
  const result = createHeaders();
  for (const [name, value] of Object.entries(values)) result.set(name, value);
  return result;
}

/** `mco-boot-id` is `Mco-Boot-Id` on the wire, where names are told apart by case. */
export function wireName(name: string): string {
  return name.replaceAll(/(^|-)[a-z]/g, (letter) => letter.toUpperCase());
}

/** Copied: what the client hands out lies in a buffer of many messages. */
export function bytesOf({ data }: Pick<Msg, 'data'>): Buffer {
  return Buffer.from(Uint8Array.from(data));
}

/** JSON, `null` where there is nothing, and undefined where it cannot be read. */
export function payloadOf(bytes: Buffer): unknown {
  if (bytes.length === 0) return null;
  try {
    return JSON.parse(bytes.toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
}
