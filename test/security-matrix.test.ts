import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { HostId, TenantId } from '../kernel/index.ts';
import type { Route } from '../orchestrator/api/index.ts';
import { hashSecret } from '../orchestrator/domain/index.ts';
import { composeAllRoutes, type AllRoutes } from './kit/all-routes.ts';
import { sharedDocuments } from './kit/api-client.ts';
import { startTestApi, type TestApi } from './kit/api-server.ts';
import { SECURITY_MATRIX, type Who } from './kit/security-matrix.ts';

const composed: AllRoutes = await composeAllRoutes();
let api: TestApi;
let tokens: Readonly<Record<Exclude<Who, 'nobody'>, string>>;

beforeAll(async () => {
  api = await startTestApi({ store: composed.store, routes: () => composed.routes });
  tokens = {
    viewer: api.tokenFor('viewer'),
    operator: api.tokenFor('operator'),
    admin: api.tokenFor('admin'),
    foreigner: api.tokenFor('admin', 'other'),
    host: sessionOf('gw-1'),
    'other host': sessionOf('gw-2'),
  };
});
afterAll(async () => {
  await api.close();
  await composed.close();
});

function sessionOf(hostId: string): string {
  const token = `session-token-of-${hostId}-0123456789`;
  composed.store.commit([
    {
      op: 'put',
      kind: 'session',
      id: hashSecret(token),
      tenant: 'system' as TenantId,
      document: { hostId: hostId as HostId, bootId: 'boot-0001', expiresAt: '2999-01-01T00:00:00.000Z' },
    },
  ]);
  return token;
}

const nameOf = ({ method, path }: { readonly method: string; readonly path: string }): string =>
  `${method} ${path}`;

/** The path with ids that exist nowhere; hosts ask for themselves. */
const concrete = (path: string): string =>
  path.replaceAll(/\{(\w+)\}/g, (_match, name: string) => (name === 'hostId' ? 'gw-1' : 'no-such-id'));

async function statusOf(route: Route, who: Who): Promise<number> {
  const abort = new AbortController();
  // As much of a request as gets it past the parser: some handlers decide by tenant.
  const isJson = route.body === 'json';
  const response = await fetch(api.url + concrete(route.path), {
    method: route.method,
    headers: {
      ...(who === 'nobody' ? {} : { authorization: `Bearer ${tokens[who]}` }),
      ...(isJson ? { 'content-type': 'application/json' } : {}),
    },
    ...(isJson ? { body: '{}' } : {}),
    signal: abort.signal,
  });
  abort.abort();
  return response.status;
}

type Outcome = 'asked for a token' | 'kept out' | 'let in';

/** A public route has its own means: what it refuses with 401 was let in by the pipeline. */
function expectedOutcome(allowed: 'public' | readonly Who[] | undefined, who: Who): readonly Outcome[] {
  if (allowed === 'public') return ['let in', 'asked for a token'];
  if (who === 'nobody') return ['asked for a token'];
  return allowed?.includes(who) === true ? ['let in'] : ['kept out'];
}

function outcomeOf(status: number): Outcome {
  if (status === 401) return 'asked for a token';
  return status === 403 ? 'kept out' : 'let in';
}

const EVERYBODY: readonly Who[] = [
  'nobody',
  'viewer',
  'operator',
  'admin',
  'foreigner',
  'host',
  'other host',
];

test('the matrix names every route', () => {
  const missing = composed.routes.map(nameOf).filter((name) => SECURITY_MATRIX[name] === undefined);
  expect(missing, 'say in test/kit/security-matrix.ts who may use them').toEqual([]);
});

test('what the documents describe is served, and nothing else', () => {
  const served = composed.routes.map(nameOf).toSorted();
  expect(sharedDocuments().operations.map(nameOf).toSorted()).toEqual(served);
});

test('the matrix names nothing that no document describes', () => {
  const documented = new Set(sharedDocuments().operations.map(nameOf));
  expect(Object.keys(SECURITY_MATRIX).filter((name) => !documented.has(name))).toEqual([]);
});

describe.each(composed.routes.map((route) => [nameOf(route), route] as const))('%s', (name, route) => {
  test.each(EVERYBODY)('answers %s as the matrix says', async (who) => {
    const allowed = SECURITY_MATRIX[name];
    const status = await statusOf(route, who);
    expect(expectedOutcome(allowed, who)).toContain(outcomeOf(status));
  });
});

describe('what belongs to another tenant', () => {
  const created: { path: string; body: unknown }[] = [
    { path: '/vnfpkgm/v2/vnf_packages', body: {} },
    { path: '/nsd/v2/ns_descriptors', body: {} },
    { path: '/iotmano/v1/access_tokens', body: { name: 'mine', role: 'viewer' } },
  ];

  test.each(created)('is not there: $path', async ({ path, body }) => {
    const { body: mine } = await api.clientFor('admin').post<{ id: string }>(path, body);
    const foreigner = api.clientFor('admin', 'other');
    const below = composed.routes.filter((route) => route.path.startsWith(`${path}/{`));
    expect(below.length).toBeGreaterThan(0);
    for (const route of below) {
      const target = concrete(route.path).replace('no-such-id', mine.id);
      const status = await foreignStatus(target, route);
      expect([nameOf(route), status]).toEqual([nameOf(route), 404]);
    }
    const listed = await foreigner.get<{ id: string }[]>(path);
    expect(listed.body.map(({ id }) => id)).not.toContain(mine.id);
  });

  async function foreignStatus(target: string, route: Route): Promise<number> {
    const bodies = {
      none: {},
      json: { body: '{}', headers: { 'content-type': 'application/json' } },
      'optional-json': {},
      form: {},
      stream: { body: 'x', headers: { 'content-type': 'application/zip' } },
      'merge-patch': {
        body: JSON.stringify({ userDefinedData: {} }),
        headers: { 'content-type': 'application/merge-patch+json' },
      },
    } as const;
    const { headers = {}, ...rest } = bodies[route.body] as {
      headers?: Record<string, string>;
      body?: string;
    };
    const response = await fetch(api.url + target, {
      method: route.method,
      headers: { ...headers, authorization: `Bearer ${tokens.foreigner}` },
      ...rest,
    });
    return response.status;
  }
});
