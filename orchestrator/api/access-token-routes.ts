import { IotmanoError, toTimestamp, type Clock, type IdSource, type TenantId } from '../../kernel/index.ts';
import type { components } from '../../api-specs/generated/iotmano.ts';
import {
  hashSecret,
  isInstallationAdmin,
  newSecret,
  type AccessTokenDocument,
  type Caller,
  type RandomBytes,
} from '../domain/index.ts';
import type { StateStore, StoredRecord } from '../store/index.ts';
import { formatAccessToken } from './access-token.ts';
import { ADMINS, bodyOf, type ApiRequest, type ApiResponse, type Route } from './route-types.ts';
import { listResponse } from './sol013/index.ts';

export interface AccessTokenOptions {
  readonly store: StateStore;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly random: RandomBytes;
}

type Wire = components['schemas'];

const PATH = '/iotmano/v1/access_tokens';

/** Access tokens: created (and shown once), listed, deleted by admins. */
export function accessTokenRoutes(options: AccessTokenOptions): readonly Route[] {
  return [
    {
      method: 'GET',
      path: PATH,
      access: ADMINS,
      body: 'none',
      handle: async (request) => listResponse(request, visibleTokens(options.store, request.caller), view),
    },
    {
      method: 'POST',
      path: PATH,
      access: ADMINS,
      body: 'json',
      handle: async (request) => create(options, request),
    },
    {
      method: 'DELETE',
      path: `${PATH}/{accessTokenId}`,
      access: ADMINS,
      body: 'none',
      handle: async (request) => remove(options.store, request),
    },
  ];
}

/**
 * Creates an access token; only its hash is stored.
 * @returns its id and the token itself, which nobody can learn again
 */
export function createAccessToken(
  { store, clock, ids, random }: AccessTokenOptions,
  token: Pick<AccessTokenDocument, 'name' | 'role'> & { readonly validSeconds?: number },
  tenant: TenantId,
): { readonly record: StoredRecord<'access-token'>; readonly token: string } {
  const id = ids.uuid();
  const text = formatAccessToken(id, newSecret(random));
  const document: AccessTokenDocument = {
    name: token.name,
    role: token.role,
    tokenHash: hashSecret(text),
    createdAt: toTimestamp(clock.now()),
    ...(token.validSeconds === undefined
      ? {}
      : { expiresAt: toTimestamp(clock.now() + token.validSeconds * 1000) }),
  };
  const { revision } = store.commit([{ op: 'create', kind: 'access-token', id, tenant, document }]);
  return { record: { kind: 'access-token', id, tenant, revision, document }, token: text };
}

function create(options: AccessTokenOptions, request: ApiRequest): ApiResponse {
  const wanted = bodyOf<Wire['CreateAccessTokenRequest']>(request);
  const tenant = wanted.tenant === undefined ? request.caller.tenant : (wanted.tenant as TenantId);
  if (tenant !== request.caller.tenant && !isInstallationAdmin(request.caller)) {
    throw new IotmanoError(
      'forbidden',
      `body/tenant: an admin of tenant ${request.caller.tenant} cannot create tokens of another; leave tenant out`,
      { pointer: '/tenant' },
    );
  }
  const { record, token } = createAccessToken(options, wanted, tenant);
  return {
    status: 201,
    headers: { Location: `${request.origin}${PATH}/${record.id}` },
    body: { ...view(record), token },
  };
}

function remove(store: StateStore, request: ApiRequest): ApiResponse {
  const id = request.params['accessTokenId'] ?? '';
  const record = store.get('access-token', id);
  if (record === undefined || !isVisible(record, request.caller))
    throw new IotmanoError('not-found', `there is no access token ${id}; list them to see which there are`);
  store.commit([{ op: 'delete', kind: 'access-token', id, expectedRevision: record.revision }]);
  return { status: 204 };
}

function isVisible(record: StoredRecord<'access-token'>, caller: Caller): boolean {
  return record.tenant === caller.tenant || isInstallationAdmin(caller);
}

function visibleTokens(store: StateStore, caller: Caller): StoredRecord<'access-token'>[] {
  return [...store.list('access-token')].filter((record) => isVisible(record, caller));
}

function view({ id, tenant, document }: StoredRecord<'access-token'>): Wire['AccessToken'] {
  const { name, role, createdAt, expiresAt } = document;
  return { id, name, tenant, role, createdAt, ...(expiresAt === undefined ? {} : { expiresAt }) };
}
