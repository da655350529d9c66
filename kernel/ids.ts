import { createHash, randomUUID } from 'node:crypto';
import { IotmanoError } from './errors.ts';

declare const brand: unique symbol;
/** A string that only its parse function makes. */
export type Branded<Name extends string> = string & { readonly [brand]: Name };

export type TenantId = Branded<'TenantId'>;
export type HostId = Branded<'HostId'>;
export type VimId = Branded<'VimId'>;
export type StateId = Branded<'StateId'>;
export type VnfPkgId = Branded<'VnfPkgId'>;
export type NsdInfoId = Branded<'NsdInfoId'>;
export type VnfInstanceId = Branded<'VnfInstanceId'>;
export type NsInstanceId = Branded<'NsInstanceId'>;
export type LcmOpOccId = Branded<'LcmOpOccId'>;
export type VnfcInstanceId = Branded<'VnfcInstanceId'>;

/** The tenant that hosts and the orchestrator's own records belong to. */
export const SYSTEM_TENANT = 'system' as TenantId;
/** The tenant of a single-tenant installation. */
export const DEFAULT_TENANT = 'default' as TenantId;

/** Ids are `[a-z0-9-]{1,40}`, which a lower-case UUID is too: never a path, never a separator. */
const ID = /^[a-z0-9-]{1,40}$/;

export function isId(value: string): boolean {
  return ID.test(value);
}

/**
 * Parses an id from outside.
 * @param what what the id names, for the message, e.g. `hostId`
 * @throws IotmanoError `invalid-parameter`
 */
export function parseId<Id extends Branded<string>>(value: unknown, what: string): Id {
  if (typeof value !== 'string' || !ID.test(value)) {
    throw new IotmanoError(
      'invalid-parameter',
      `${what} must be 1 to 40 of the characters a-z, 0-9 and "-"; got ${JSON.stringify(value)?.slice(0, 80)}`,
      { parameter: what },
    );
  }
  return value as Id;
}

/** Where new ids come from: an argument everywhere but in a composition root. */
export interface IdSource {
  /** A new, globally unique, lower-case UUID. */
  uuid(): string;
}

export const randomIds: IdSource = { uuid: () => randomUUID() };

/** Name-based UUID (version 5, RFC 9562): the same namespace and name give the same id for ever. */
export function uuidV5(namespace: string, name: string): string {
  const bytes = createHash('sha1')
    .update(Buffer.from(namespace.replaceAll('-', ''), 'hex'))
    .update(name, 'utf8')
    .digest()
    .subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x50, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** The namespace of every name-based id of iotmano. */
export const IOTMANO_NAMESPACE = '6f9f2a52-6f0c-5a4e-9d7b-1c3a0c5d2e10';
