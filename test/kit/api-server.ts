import { randomBytes } from 'node:crypto';
import { createLogger, randomIds, systemClock, type Clock, type TenantId } from '../../kernel/index.ts';
import {
  createAccessToken,
  createApi,
  createAuthenticator,
  serveApi,
  type ApiServer,
  type ListenOptions,
  type Route,
} from '../../orchestrator/api/index.ts';
import { createMemoryStore, type StateStore } from '../../orchestrator/store/index.ts';
import { createApiClient, sharedDocuments, type ApiClient } from './api-client.ts';

/** What the short-lived tokens of test servers are made with: for `oauthRoutes`. */
export const SHORT_LIVED_KEY = randomBytes(32);

export interface TestApi {
  readonly url: string;
  readonly store: StateStore;
  disconnect: ApiServer['disconnect'];
  useCertificate: ApiServer['useCertificate'];
  /** A token of a new name. */
  tokenFor(role: 'admin' | 'operator' | 'viewer', tenant?: string): string;
  clientFor(role: 'admin' | 'operator' | 'viewer', tenant?: string): ApiClient;
  close(): Promise<void>;
}

export interface TestApiOptions {
  readonly store?: StateStore;
  readonly clock?: Clock;
  readonly routes: (store: StateStore) => readonly Route[];
  readonly maxBodyMilliseconds?: number;
  readonly tls?: NonNullable<ListenOptions['tls']>;
}

/** Serves routes over the whole pipeline on a port of its own. */
export async function startTestApi(options: TestApiOptions): Promise<TestApi> {
  const clock = options.clock ?? systemClock;
  const store = options.store ?? createMemoryStore();
  const api = createApi({
    routes: options.routes(store),
    documents: sharedDocuments(),
    authenticate: createAuthenticator(store, clock, SHORT_LIVED_KEY),
    store,
    clock,
    ids: randomIds,
    log: createLogger('test-api', 'silent'),
    ...(options.maxBodyMilliseconds === undefined
      ? {}
      : { maxBodyMilliseconds: options.maxBodyMilliseconds }),
  });
  const server: ApiServer = await serveApi(api, {
    host: '127.0.0.1',
    port: 0,
    ...(options.tls === undefined ? {} : { tls: options.tls }),
  });
  const tokenFor: TestApi['tokenFor'] = (role, tenant = 'default') =>
    createAccessToken(
      { store, clock, ids: randomIds, random: randomBytes },
      { name: role, role },
      tenant as TenantId,
    ).token;
  return {
    url: server.url,
    store,
    disconnect: (hostId) => server.disconnect(hostId),
    useCertificate: (served) => server.useCertificate(served),
    tokenFor,
    clientFor: (role, tenant) => createApiClient(server.url, tokenFor(role, tenant)),
    close: () => server.close(500),
  };
}
