import { IotmanoError, SYSTEM_TENANT } from '../../kernel/index.ts';
import {
  ADMINS,
  OPERATORS,
  READERS,
  bodyOf,
  etagOf,
  listResponse,
  requireIfMatch,
  type ApiRequest,
  type ApiResponse,
  type Route,
} from '../api/route.ts';
import { isInstallationAdmin, isInstallationTenant, type Caller } from '../domain/index.ts';
import { isVisible } from '../inventory/index.ts';
import type { StateStore, StoredRecord } from '../store/index.ts';
import type { Sites } from './sites.ts';
import type { VimModifications, VimRegistration, VimUseCases } from './vim-requests.ts';
import { viewCheck, viewVim } from './vim-view.ts';

export interface VimRoutesOptions {
  readonly store: StateStore;
  readonly sites: Sites;
  readonly vims: VimUseCases;
}

const PATH = '/iotmano/v1/vim_connections';
const ONE = `${PATH}/{vimId}`;

/** VIM connections: registered and changed by admins of the installation, seen by those whom they serve. */
export function vimRoutes(options: VimRoutesOptions): readonly Route[] {
  const { store } = options;
  return [
    {
      method: 'GET',
      path: PATH,
      access: READERS,
      body: 'none',
      handle: async (request) =>
        listResponse(request, visible(store, request.caller), (record) =>
          viewVim(options, request.caller, record),
        ),
    },
    {
      method: 'POST',
      path: PATH,
      access: ADMINS,
      body: 'json',
      idempotent: true,
      handle: (request) => register(options, request),
    },
    {
      method: 'GET',
      path: ONE,
      access: READERS,
      body: 'none',
      handle: async (request) => present(options, request, find(store, request)),
    },
    {
      method: 'PATCH',
      path: ONE,
      access: ADMINS,
      body: 'merge-patch',
      handle: (request) => modify(options, request),
    },
    {
      method: 'DELETE',
      path: ONE,
      access: ADMINS,
      body: 'none',
      handle: (request) => remove(options, request),
    },
    {
      method: 'POST',
      path: `${ONE}/check`,
      access: OPERATORS,
      body: 'none',
      handle: (request) => check(options, request),
    },
  ];
}

async function register({ vims, ...options }: VimRoutesOptions, request: ApiRequest): Promise<ApiResponse> {
  requireInstallationAdmin(request.caller);
  const answer = (record: StoredRecord<'vim-connection'>): ApiResponse => ({
    status: 201,
    headers: { Location: `${request.origin}${PATH}/${record.id}`, ETag: etagOf(record) },
    body: viewVim(options, request.caller, record),
  });
  return answer(
    await vims.register(bodyOf<VimRegistration>(request), (record) =>
      request.idempotencyWrites(answer(record)),
    ),
  );
}

async function modify(options: VimRoutesOptions, request: ApiRequest): Promise<ApiResponse> {
  requireInstallationAdmin(request.caller);
  const record = find(options.store, request);
  requireIfMatch(request, record);
  return present(options, request, await options.vims.modify(record, bodyOf<VimModifications>(request)));
}

async function remove({ store, vims }: VimRoutesOptions, request: ApiRequest): Promise<ApiResponse> {
  requireInstallationAdmin(request.caller);
  const record = find(store, request);
  requireIfMatch(request, record);
  await vims.remove(record);
  return { status: 204 };
}

async function check({ store, sites }: VimRoutesOptions, request: ApiRequest): Promise<ApiResponse> {
  if (!isInstallationTenant(request.caller.tenant)) throw forbidden(request.caller);
  const { id } = find(store, request);
  const site = sites.requireSite(id);
  return { status: 200, body: viewCheck(site, await site.check()) };
}

function present(
  options: Omit<VimRoutesOptions, 'vims'>,
  { caller }: ApiRequest,
  record: StoredRecord<'vim-connection'>,
): ApiResponse {
  return { status: 200, headers: { ETag: etagOf(record) }, body: viewVim(options, caller, record) };
}

/** @throws IotmanoError `not-found`, also where it does not serve the caller's tenant */
function find(store: StateStore, { params, caller }: ApiRequest): StoredRecord<'vim-connection'> {
  const id = params['vimId'] ?? '';
  const record = store.get('vim-connection', id);
  if (record !== undefined && isVisibleVim(store, id, caller)) return record;
  throw new IotmanoError('not-found', `there is no VIM ${id}; list them to see which there are`);
}

function* visible(store: StateStore, caller: Caller): Iterable<StoredRecord<'vim-connection'>> {
  for (const record of store.list('vim-connection')) if (isVisibleVim(store, record.id, caller)) yield record;
}

/** As its host; those who may change it have to see it. */
function isVisibleVim(store: StateStore, id: string, caller: Caller): boolean {
  const host = store.get('host', id)?.document;
  return isInstallationAdmin(caller) || (host !== undefined && isVisible(host, caller.tenant));
}

/** @throws IotmanoError `forbidden` */
function requireInstallationAdmin(caller: Caller): void {
  if (!isInstallationAdmin(caller)) throw forbidden(caller);
}

function forbidden({ tenant }: Caller): IotmanoError {
  return new IotmanoError(
    'forbidden',
    `VIMs belong to the tenant ${SYSTEM_TENANT}; tenant ${tenant} sees those that serve it and changes none`,
  );
}
