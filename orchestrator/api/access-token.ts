import { createHmac } from 'node:crypto';
import { SYSTEM_TENANT, isId, type Clock } from '../../kernel/index.ts';
import { hashSecret, isSameSecret, type AccessTokenDocument, type Caller } from '../domain/index.ts';
import type { StateView, StoredRecord } from '../store/index.ts';

/** Who a bearer token belongs to; undefined where it is unknown or expired. */
export type Authenticate = (token: string) => Caller | undefined;

/** `imt_<id>.<secret>`: the id finds the record, the hash of the whole proves it. */
export function formatAccessToken(id: string, secret: string): string {
  return `imt_${id}.${secret}`;
}

/** How long a token from `POST /oauth2/token` lasts. */
export const OAUTH_TOKEN_SECONDS = 3600;

/** What short-lived tokens are made with: of this process alone, and never stored, so that a stolen store makes none. */
export type ShortLivedKey = Uint8Array;

/**
 * `ims_<id>.<expiry>.<mac>`: short-lived, bound to the access token that it was exchanged for, and void as soon as that one is deleted
 * or the process has ended. Nothing is stored of it.
 */
export function formatShortLivedToken(
  key: ShortLivedKey,
  { id, document }: StoredRecord<'access-token'>,
  expiresEpochSeconds: number,
): string {
  return `ims_${id}.${expiresEpochSeconds}.${shortLivedMac(key, id, document.tokenHash, expiresEpochSeconds)}`;
}

/** Knows access tokens, the short-lived ones exchanged for them, and sessions of agents. */
export function createAuthenticator(store: StateView, clock: Clock, key: ShortLivedKey): Authenticate {
  return (token) => {
    if (token.startsWith('imt_')) return authenticateAccessToken(store, clock, token);
    if (token.startsWith('ims_')) return authenticateShortLived(store, clock, key, token);
    return authenticateSession(store, clock, token);
  };
}

/** The record that an id and its full token belong to, if they do. */
export function findAccessToken(
  store: StateView,
  clock: Clock,
  token: string,
): StoredRecord<'access-token'> | undefined {
  const record = validAccessToken(store, clock, token.slice('imt_'.length).split('.', 1)[0] ?? '');
  // An unknown id costs the same comparison as a known one.
  const isRight = isSameSecret(hashSecret(token), record?.document.tokenHash ?? '');
  return isRight ? record : undefined;
}

function authenticateAccessToken(store: StateView, clock: Clock, token: string): Caller | undefined {
  const record = findAccessToken(store, clock, token);
  return record === undefined ? undefined : callerOf(record);
}

function authenticateShortLived(
  store: StateView,
  clock: Clock,
  key: ShortLivedKey,
  token: string,
): Caller | undefined {
  const [id = '', expiry = '', mac = ''] = token.slice('ims_'.length).split('.');
  const record = validAccessToken(store, clock, id);
  const expiresEpochSeconds = /^\d{1,12}$/.test(expiry) ? Number(expiry) : 0;
  const expected = shortLivedMac(key, id, record?.document.tokenHash ?? '', expiresEpochSeconds);
  const isRight = isSameSecret(mac, expected) && expiresEpochSeconds * 1000 > clock.now();
  return isRight && record !== undefined ? callerOf(record) : undefined;
}

function authenticateSession(store: StateView, clock: Clock, token: string): Caller | undefined {
  const sessionId = hashSecret(token);
  const session = store.get('session', sessionId)?.document;
  if (session === undefined || Date.parse(session.expiresAt) <= clock.now()) return undefined;
  return { tenant: SYSTEM_TENANT, role: 'agent', name: session.hostId, hostId: session.hostId, sessionId };
}

function validAccessToken(
  store: StateView,
  clock: Clock,
  id: string,
): StoredRecord<'access-token'> | undefined {
  const record = isId(id) ? store.get('access-token', id) : undefined;
  return record !== undefined && !isExpired(record.document, clock) ? record : undefined;
}

function isExpired({ expiresAt }: AccessTokenDocument, clock: Clock): boolean {
  return expiresAt !== undefined && Date.parse(expiresAt) <= clock.now();
}

function callerOf({ id, tenant, document }: StoredRecord<'access-token'>): Caller {
  return { tenant, role: document.role, name: document.name, tokenId: id };
}

function shortLivedMac(
  key: ShortLivedKey,
  id: string,
  tokenHash: string,
  expiresEpochSeconds: number,
): string {
  return createHmac('sha256', key)
    .update(`oauth2:${id}:${tokenHash}:${expiresEpochSeconds}`)
    .digest('base64url');
}
