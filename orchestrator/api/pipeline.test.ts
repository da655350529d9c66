import { createHmac, randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Registry } from 'prom-client';
import { randomIds, systemClock, type HostId, type TenantId } from '../../kernel/index.ts';
import { createApiClient, sharedDocuments } from '../../test/kit/api-client.ts';
import { SHORT_LIVED_KEY, startTestApi, type TestApi } from '../../test/kit/api-server.ts';
import { createMemoryStore } from '../store/index.ts';
import {
  accessTokenRoutes,
  apiVersionRoutes,
  createApi,
  healthRoutes,
  metricsRoutes,
  oauthRoutes,
  serveApi,
  type Route,
} from './index.ts';
import { hashSecret } from '../domain/index.ts';

/** A route of Mco that stands for all that hosts may use. */
const hostRoute: Route = {
  method: 'GET',
  path: '/mco/v1/hosts/{hostId}/wanted',
  access: 'host',
  body: 'none',
  handle: async () => ({ status: 304 }),
};

const failingRoute: Route = {
  method: 'GET',
  path: '/iotmano/v1/hosts',
  access: ['viewer'],
  body: 'none',
  handle: async () => {
    throw new Error('the password is secret-inner-detail');
  },
};

let api: TestApi;

beforeAll(async () => {
  api = await startTestApi({
    maxBodyMilliseconds: 300,
    routes: (store) => [
      ...accessTokenRoutes({ store, clock: systemClock, ids: randomIds, random: randomBytes }),
      ...oauthRoutes(store, systemClock, SHORT_LIVED_KEY),
      ...healthRoutes(() => true),
      ...metricsRoutes(new Registry()),
      ...apiVersionRoutes(sharedDocuments()),
      hostRoute,
      failingRoute,
    ],
  });
});
afterAll(() => api.close());

interface Problem {
  readonly status: number;
  readonly detail: string;
  readonly code: string;
  readonly pointer?: string;
}

describe('authentication', () => {
  test('health needs no token, everything else does', async () => {
    const nobody = createApiClient(api.url, null);
    expect((await nobody.get('/healthz')).status).toBe(200);
    expect((await nobody.get('/iotmano/v1/access_tokens')).status).toBe(401);
    expect((await nobody.get('/no/such/thing')).status).toBe(401);
  });

  test('a refused token is answered with what to authenticate with', async () => {
    const { status, headers } = await createApiClient(api.url, 'imt_x.y').get('/metrics');
    expect([status, headers['www-authenticate']]).toEqual([401, 'Bearer']);
  });

  test('a token works until it is deleted, and its short-lived one with it', async () => {
    const admin = api.clientFor('admin');
    const { body } = await admin.post<{ id: string; token: string }>('/iotmano/v1/access_tokens', {
      name: 'ci',
      role: 'viewer',
    });
    const exchanged = await admin.post<{ access_token: string }>('/oauth2/token', undefined, {
      content: new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: body.id,
        client_secret: body.token,
      }).toString(),
      contentType: 'application/x-www-form-urlencoded',
    });
    const shortLived = createApiClient(api.url, exchanged.body.access_token);
    expect((await shortLived.get('/metrics')).status).toBe(200);
    expect((await admin.delete(`/iotmano/v1/access_tokens/${body.id}`)).status).toBe(204);
    expect((await shortLived.get('/metrics')).status).toBe(401);
    expect((await createApiClient(api.url, body.token).get('/metrics')).status).toBe(401);
  });

  test('whoever has the store cannot make a short-lived token', async () => {
    const [record] = [...api.store.list('access-token')];
    const expires = Math.floor(Date.now() / 1000) + 60;
    const guesses = [record?.document.tokenHash ?? '', ''].map((key) =>
      createHmac('sha256', key)
        .update(`oauth2:${record?.id}:${record?.document.tokenHash}:${expires}`)
        .digest('base64url'),
    );
    for (const mac of guesses) {
      const forged = createApiClient(api.url, `ims_${record?.id}.${expires}.${mac}`);
      expect((await forged.get('/metrics')).status).toBe(401);
    }
  });

  test('neither the token nor its secret is stored or listed', async () => {
    const admin = api.clientFor('admin');
    const { body } = await admin.post<{ token: string }>('/iotmano/v1/access_tokens', {
      name: 'hidden',
      role: 'viewer',
    });
    const secret = body.token.split('.')[1] ?? '';
    expect(secret.length).toBeGreaterThan(30);
    const listed = await admin.get('/iotmano/v1/access_tokens');
    expect(JSON.stringify(listed.body)).not.toContain(secret);
    expect(JSON.stringify([...api.store.list('access-token')])).not.toContain(secret);
  });

  test('a host may use its own resources only, and only with a session', async () => {
    const sessionToken = 'session-of-gw-1-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa';
    api.store.commit([
      {
        op: 'put',
        kind: 'session',
        id: hashSecret(sessionToken),
        tenant: 'system' as TenantId,
        document: { hostId: 'gw-1' as HostId, bootId: 'boot-0001', expiresAt: '2999-01-01T00:00:00.000Z' },
      },
    ]);
    const host = createApiClient(api.url, sessionToken);
    const options = { query: { wait: '0' }, isInvalid: true };
    expect((await host.get('/mco/v1/hosts/gw-2/wanted', options)).status).toBe(403);
    expect((await host.get('/iotmano/v1/access_tokens')).status).toBe(403);
    expect((await api.clientFor('admin').get('/mco/v1/hosts/gw-1/wanted', options)).status).toBe(403);
  });
});

describe('refusals', () => {
  // MCO-C-009
  test('name the place in the body and the remedy', async () => {
    const { status, body } = await api
      .clientFor('admin')
      .post<Problem>('/iotmano/v1/access_tokens', { name: 'x', role: 'root' }, { isInvalid: true });
    expect([status, body.pointer]).toEqual([400, '/role']);
    expect(body.detail).toContain('use one of admin, operator, viewer');
  });

  test.each([
    ['text/plain', '{}', 415],
    ['application/json; charset=latin1', '{}', 415],
    ['application/json', '{"name":', 400],
    ['application/json', '['.repeat(100_000), 400],
    ['application/json', '{"name":"x","role":"viewer","__proto__":{}}', 400],
    ['application/json', '{"name":"x","role":"viewer","validSeconds":1e999}', 400],
    ['application/json', `{"name":"${'x'.repeat(2_000_000)}"}`, 413],
    ['application/json', '', 400],
  ])('a body %s %.30s is refused with %i', async (contentType, content, expected) => {
    const before = api.store.acceptedRevision;
    const client = createApiClient(api.url, api.tokenFor('admin'));
    const { status, body } = await client.post<Problem>('/iotmano/v1/access_tokens', undefined, {
      content,
      contentType,
      isInvalid: true,
    });
    expect(status).toBe(expected);
    expect(body.detail.length).toBeGreaterThan(20);
    expect(api.store.acceptedRevision).toBe(before + 1);
  });

  test('a fault of ours is a 500 without its inner detail', async () => {
    const { status, body } = await api.clientFor('viewer').get<Problem>('/iotmano/v1/hosts');
    expect(status).toBe(500);
    expect(JSON.stringify(body)).not.toContain('secret-inner-detail');
  });

  test('a method that the resource does not have is a 405 that lists those it has', async () => {
    const { status, headers } = await api.clientFor('admin').request('PUT', '/iotmano/v1/access_tokens');
    expect([status, headers['allow']]).toEqual([405, 'GET, POST']);
  });

  test('unknown paths and query parameters are refused by name', async () => {
    const admin = api.clientFor('admin');
    expect((await admin.get('/iotmano/v2/nothing')).status).toBe(404);
    const { status, body } = await admin.get<Problem>('/metrics?verbose=1', { isInvalid: true });
    expect([status, body.detail]).toEqual([
      400,
      'query parameter "verbose" is not known; this resource takes none',
    ]);
  });

  test('a body that does not arrive in time is refused', async () => {
    const answer = await raw(
      `POST /iotmano/v1/access_tokens HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${api.tokenFor('admin')}\r\n` +
        'Content-Type: application/json\r\nContent-Length: 10\r\n\r\n{',
    );
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).toContain('did not arrive within 0.3 s');
  });

  test.each(['GARBAGE\r\n\r\n', `GET / HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(40_000)}\r\n\r\n`])(
    'what is not HTTP, or not within its limits, is answered with a problem',
    async (bytes) => {
      const answer = await raw(bytes);
      expect(answer).toMatch(/^HTTP\/1\.1 4\d\d /);
      expect(answer).toContain('application/problem+json');
    },
  );

  test('a path that cannot be decoded is a 400', async () => {
    const answer = await raw(
      `DELETE /iotmano/v1/access_tokens/%ff HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer ${api.tokenFor('admin')}\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).toContain('percent-encode UTF-8');
  });
});

describe('versions (SOL013)', () => {
  test('the answer carries the version used', async () => {
    const { headers } = await api.clientFor('viewer').get('/vnfpkgm/v2/api_versions');
    expect(headers['version']).toBe('2.4.0-impl:iotmano:1');
  });

  test.each([
    ['2.4.0', 200],
    ['2.0.0', 200],
    ['2.9.0', 406],
    ['1.0.0', 406],
    ['two', 400],
  ])('Version: %s gives %i', async (version, expected) => {
    const answer = await api
      .clientFor('viewer')
      .get('/vnfpkgm/api_versions', { headers: { Version: version } });
    expect(answer.status).toBe(expected);
  });
});

describe('durability', () => {
  // MCO-C-010
  test('no answer leaves before what it reflects is durable', async () => {
    const store = createMemoryStore();
    const held = await startTestApi({
      store,
      routes: () => [
        ...accessTokenRoutes({ store, clock: systemClock, ids: randomIds, random: randomBytes }),
      ],
    });
    const admin = held.clientFor('admin');
    await store.whenDurable();
    store.disk.hold();
    let answered = false;
    const answer = admin
      .post('/iotmano/v1/access_tokens', { name: 'late', role: 'viewer' })
      .then(({ status }) => {
        answered = true;
        return status;
      });
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(answered).toBe(false);
    store.disk.release();
    expect(await answer).toBe(201);
    await held.close();
  });
});

describe('composition', () => {
  const common = {
    documents: sharedDocuments(),
    authenticate: () => undefined,
    store: createMemoryStore(),
    clock: systemClock,
    ids: randomIds,
    log: { error: () => {} } as never,
  };

  test('a route that no document describes is refused at the start', () => {
    const routes = [{ ...hostRoute, path: '/undocumented' }];
    expect(() => createApi({ ...common, routes })).toThrow('GET /undocumented is in no document');
  });

  // MCO-C-003
  test('an address that others reach needs TLS', async () => {
    const plain = createApi({ ...common, routes: [] });
    await expect(serveApi(plain, { host: '0.0.0.0', port: 0 })).rejects.toThrow('TLS certificate');
  });
});

/** Sends bytes as they are and gives back what comes until the connection ends. */
async function raw(bytes: string): Promise<string> {
  const { hostname, port } = new URL(api.url);
  return await new Promise((resolve, reject) => {
    let received = '';
    const socket = connect(Number(port), hostname, () => socket.write(bytes));
    socket.setTimeout(5000, () => socket.destroy(new Error(`no end after ${received}`)));
    socket.on('data', (chunk: Buffer) => (received += chunk.toString()));
    socket.on('end', () => resolve(received)).on('error', reject);
  });
}
