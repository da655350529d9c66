import { IotmanoError, type Clock } from '../../kernel/index.ts';
import type { components } from '../../api-specs/generated/iotmano.ts';
import type { StateView } from '../store/index.ts';
import {
  OAUTH_TOKEN_SECONDS,
  findAccessToken,
  formatShortLivedToken,
  type ShortLivedKey,
} from './access-token.ts';
import { bodyOf, type ApiRequest, type ApiResponse, type Route } from './route-types.ts';

type Wire = components['schemas'];

/**
 * OAuth 2.0 client credentials (RFC 6749 clause 4.4), as SOL013 clause 8 asks: the id of an access token and the token itself are
 * exchanged for a short-lived token of the same tenant and role.
 */
export function oauthRoutes(store: StateView, clock: Clock, key: ShortLivedKey): readonly Route[] {
  return [
    {
      method: 'POST',
      path: '/oauth2/token',
      access: 'public',
      body: 'form',
      maxBodyBytes: 16 * 1024,
      handle: async (request) => exchange(store, clock, key, request),
    },
  ];
}

function exchange(store: StateView, clock: Clock, key: ShortLivedKey, request: ApiRequest): ApiResponse {
  const { id, secret } = credentialsOf(request);
  const record = findAccessToken(store, clock, secret);
  if (record === undefined || record.id !== id) {
    throw new IotmanoError(
      'unauthorized',
      'client_id and client_secret do not belong together or are unknown; use the id of an access token and the token itself',
      { error: 'invalid_client' },
    );
  }
  const seconds = secondsLeft(record.document.expiresAt, clock);
  const expires = Math.floor(clock.now() / 1000) + seconds;
  return {
    status: 200,
    headers: { Pragma: 'no-cache' },
    body: {
      access_token: formatShortLivedToken(key, record, expires),
      token_type: 'Bearer',
      expires_in: seconds,
    },
  };
}

/** Never longer than the token that it is exchanged for. */
function secondsLeft(expiresAt: string | undefined, clock: Clock): number {
  if (expiresAt === undefined) return OAUTH_TOKEN_SECONDS;
  return Math.max(1, Math.min(OAUTH_TOKEN_SECONDS, Math.floor((Date.parse(expiresAt) - clock.now()) / 1000)));
}

function credentialsOf(request: ApiRequest): { readonly id: string; readonly secret: string } {
  const form = bodyOf<Wire['TokenRequest']>(request);
  const basic = /^Basic +([A-Za-z0-9+/=]{1,4096})$/i.exec(request.headers['authorization'] ?? '')?.[1];
  if (basic === undefined) return { id: form.client_id ?? '', secret: form.client_secret ?? '' };
  const [id = '', secret = ''] = Buffer.from(basic, 'base64').toString('utf8').split(/:(.*)/s);
  return { id: decodeForm(id), secret: decodeForm(secret) };
}

/** RFC 6749 clause 2.3.1 has both form-encoded inside Basic. */
function decodeForm(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text;
  }
}
