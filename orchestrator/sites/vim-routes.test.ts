import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isServiceMissing } from '../../test/kit/services.ts';
import { eventually } from '../../test/kit/test-system.ts';
import { SP_ID, createTestAgent } from '../mco/testkit/mco-bench.ts';
import { makeCertificate, type CertificateAndKey } from './testkit/certificates.ts';
import { DOCKER, TOKEN, VIMS, startSitesBench, type SitesBench } from './testkit/sites-bench.ts';

let bench: SitesBench;

beforeAll(async () => {
  bench = await startSitesBench();
});
afterAll(() => bench.close());

const SERVER = { vimType: 'kubernetes', interfaceInfo: { endpoint: 'https://cluster.test:6443' } } as const;
const CLUSTER = { ...SERVER, accessInfo: { bearerToken: TOKEN } } as const;

function kubeconfig(user: object, cluster: object = { server: 'https://cluster.test:6443' }): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'here',
    contexts: [{ name: 'here', context: { cluster: 'c', user: 'u' } }],
    clusters: [{ name: 'c', cluster }],
    users: [{ name: 'u', user }],
  });
}

interface Problem {
  readonly detail: string;
  readonly pointer?: string;
}

/** Sends what must be refused; status, place, and what is said. */
async function refused(
  body: object,
): Promise<readonly [status: number, pointer: string | undefined, detail: string]> {
  const revision = bench.store.acceptedRevision;
  const answer = await bench.admin.post<Problem>(VIMS, { vimId: 'bad-1', ...body }, { isInvalid: true });
  expect(
    bench.store.count('vim-connection') === 0 || bench.store.get('vim-connection', 'bad-1') === undefined,
  ).toBe(true);
  expect(bench.store.acceptedRevision - revision).toBeLessThan(3);
  return [answer.status, answer.body.pointer, answer.body.detail];
}

describe('a registration', () => {
  const bad: readonly (readonly [what: string, body: object, status: number, pointer: string])[] = [
    ['without a type', { vimType: undefined }, 400, '/vimType'],
    ['of an unknown type', { vimType: 'openstack' }, 400, '/vimType'],
    ['of another member', { ...DOCKER, password: 'x' }, 400, '/password'],
    ['with an id that is none', { ...DOCKER, vimId: 'A b' }, 400, '/vimId'],
    ['with an id that ends in a dash', { ...DOCKER, vimId: 'a-' }, 400, '/vimId'],
    ['of docker without interfaceInfo', { vimType: 'docker' }, 400, '/interfaceInfo'],
    ['of docker without endpoint', { vimType: 'docker', interfaceInfo: {} }, 400, '/interfaceInfo/endpoint'],
    [
      'of docker in a cluster',
      { vimType: 'docker', interfaceInfo: { endpoint: 'unix:///x', inCluster: true } },
      400,
      '/interfaceInfo/inCluster',
    ],
    [
      'of docker with a token',
      { ...DOCKER, accessInfo: { bearerToken: TOKEN } },
      400,
      '/accessInfo/bearerToken',
    ],
    ['of docker with a quota', { ...DOCKER, extra: { quota: {} } }, 400, '/extra/quota'],
    [
      'of kubernetes with a port range',
      { ...CLUSTER, extra: { portRange: [1024, 2048] } },
      400,
      '/extra/portRange',
    ],
    [
      'with a relative socket',
      { vimType: 'docker', interfaceInfo: { endpoint: 'unix://docker.sock' } },
      422,
      '/interfaceInfo/endpoint',
    ],
    [
      'with a port that is none',
      { vimType: 'docker', interfaceInfo: { endpoint: 'tcp://127.0.0.1:70000' } },
      422,
      '/interfaceInfo/endpoint',
    ],
    [
      'over the network without TLS',
      { vimType: 'docker', interfaceInfo: { endpoint: 'tcp://10.0.0.1:2375' } },
      422,
      '/interfaceInfo/endpoint',
    ],
    [
      'of a socket with TLS',
      { vimType: 'docker', interfaceInfo: { endpoint: 'unix:///x', trustedCertificates: 'no PEM' } },
      422,
      '/interfaceInfo/trustedCertificates',
    ],
    [
      'with half a key pair',
      { ...SERVER, accessInfo: { clientKey: 'k' } },
      422,
      '/accessInfo/clientCertificate',
    ],
    [
      'with a certificate that is none',
      { ...SERVER, accessInfo: { clientCertificate: 'c', clientKey: 'k' } },
      422,
      '/accessInfo/clientCertificate',
    ],
    ['of a server without credentials', SERVER, 422, '/accessInfo'],
    [
      'of a server over plain HTTP',
      { ...CLUSTER, interfaceInfo: { endpoint: 'http://cluster.test' } },
      422,
      '/interfaceInfo/endpoint',
    ],
    [
      'of a server with a password in its URL',
      { ...CLUSTER, interfaceInfo: { endpoint: `https://me:${TOKEN}@cluster.test` } },
      422,
      '/interfaceInfo/endpoint',
    ],
    ['of nowhere', { vimType: 'kubernetes' }, 422, '/interfaceInfo/endpoint'],
    [
      'of a cluster around us and another one',
      { ...CLUSTER, interfaceInfo: { inCluster: true } },
      422,
      '/interfaceInfo/inCluster',
    ],
    ['with a context of nothing', { ...SERVER, accessInfo: { context: 'x' } }, 422, '/accessInfo/context'],
    [
      'with a token of two lines',
      { ...SERVER, accessInfo: { bearerToken: `${TOKEN}\n${TOKEN}` } },
      422,
      '/accessInfo/bearerToken',
    ],
    [
      'with a kubeconfig that is none',
      { vimType: 'kubernetes', accessInfo: { kubeconfig: `{${TOKEN}` } },
      422,
      '/accessInfo/kubeconfig',
    ],
    [
      'with a kubeconfig that runs a program',
      { vimType: 'kubernetes', accessInfo: { kubeconfig: kubeconfig({ exec: { command: 'sh' } }) } },
      422,
      '/accessInfo/kubeconfig',
    ],
    [
      'with a kubeconfig that reads files',
      { vimType: 'kubernetes', accessInfo: { kubeconfig: kubeconfig({ tokenFile: '/etc/shadow' }) } },
      422,
      '/accessInfo/kubeconfig',
    ],
    [
      'with a kubeconfig that reads files in the other spelling',
      { vimType: 'kubernetes', accessInfo: { kubeconfig: kubeconfig({ 'token-file': '/etc/shadow' }) } },
      422,
      '/accessInfo/kubeconfig',
    ],
    [
      'with a kubeconfig without that context',
      { vimType: 'kubernetes', accessInfo: { kubeconfig: kubeconfig({ token: TOKEN }), context: 'there' } },
      422,
      '/accessInfo/kubeconfig',
    ],
    [
      'with a kubeconfig of a server over plain HTTP',
      {
        vimType: 'kubernetes',
        accessInfo: { kubeconfig: kubeconfig({ token: TOKEN }, { server: 'http://cluster.test' }) },
      },
      422,
      '/accessInfo/kubeconfig',
    ],
    [
      'with a kubeconfig and a server',
      { ...SERVER, accessInfo: { kubeconfig: kubeconfig({ token: TOKEN }) } },
      422,
      '/accessInfo/kubeconfig',
    ],
    [
      'with a range of ports from high to low',
      { ...DOCKER, extra: { portRange: [3000, 2000] } },
      422,
      '/extra/portRange',
    ],
    [
      'with a label of control characters',
      { ...DOCKER, extra: { labels: { a: '\u0007' } } },
      400,
      '/extra/labels/a',
    ],
    [
      'with a secret that is too long',
      { ...SERVER, accessInfo: { bearerToken: TOKEN.repeat(20_000) } },
      400,
      '/accessInfo/bearerToken',
    ],
    [
      'with a secret that is no text',
      { ...SERVER, accessInfo: { bearerToken: [TOKEN] } },
      400,
      '/accessInfo/bearerToken',
    ],
  ];

  it.each(bad)('%s is refused, naming the place and no secret', async (_what, body, status, pointer) => {
    const [answered, place, detail] = await refused(body);
    expect([answered, place]).toEqual([status, pointer]);
    expect(detail.length).toBeGreaterThan(20);
    expect(detail).not.toContain(TOKEN);
  });

  it('is taken once: a second one, a host and a waiting token of that id keep the id', async () => {
    const { admin } = bench;
    const both = await Promise.all([1, 2, 3].map(() => admin.post(VIMS, { vimId: 'one', ...CLUSTER })));
    expect(both.map(({ status }) => String(status)).toSorted()).toEqual(['201', '409', '409']);
    const agent = createTestAgent(bench.url, 'gw-1');
    const { body } = await admin.post<{ token: string }>('/iotmano/v1/enrolment_tokens', {});
    expect((await agent.enrol(body.token)).status).toBe(201);
    expect(await admin.post(VIMS, { vimId: 'gw-1', ...DOCKER })).toMatchObject({ status: 409 });
    await admin.post('/iotmano/v1/enrolment_tokens', { hostId: 'gw-2' });
    expect(await admin.post(VIMS, { vimId: 'gw-2', ...DOCKER })).toMatchObject({
      status: 409,
      body: { detail: expect.stringContaining('enrolment token') },
    });
  });

  it('takes the id from agents: no token, enrolment or session for it', async () => {
    const { admin } = bench;
    await admin.post(VIMS, { vimId: 'mine', ...DOCKER });
    expect(await admin.post('/iotmano/v1/enrolment_tokens', { hostId: 'mine' })).toMatchObject({
      status: 409,
    });
    const { body } = await admin.post<{ token: string }>('/iotmano/v1/enrolment_tokens', {});
    expect((await createTestAgent(bench.url, 'mine').enrol(body.token)).status).toBe(409);
    const challenge = await admin.post('/mco/v1/hosts/mine/challenges', undefined, {
      headers: { 'Mco-Version': '1.0', 'Mco-Sp-Id': SP_ID, 'Mco-Boot-Id': 'boot-0001' },
    });
    expect(challenge.status).toBe(409);
  });

  it('is repeated under its Idempotency-Key', async () => {
    const request = () =>
      bench.admin.post<{ vimId: string }>(
        VIMS,
        { vimId: 'again', ...DOCKER },
        { headers: { 'Idempotency-Key': 'k-1' } },
      );
    const [first, second] = [await request(), await request()];
    expect([first.status, second.status]).toEqual([201, 201]);
    expect(second.body).toEqual(first.body);
    expect(second.headers['etag']).toBe(first.headers['etag']);
    expect((await bench.admin.get(`${VIMS}/again`)).headers['etag']).toBe(first.headers['etag']);
  });
});

describe('credentials', () => {
  it('are in no answer, record, event, alarm or log, and reach the driver', async () => {
    const { admin, store } = bench;
    const config = kubeconfig({ token: TOKEN });
    const { status } = await admin.post(VIMS, {
      vimId: 'secret-1',
      vimType: 'kubernetes',
      accessInfo: { kubeconfig: config, context: 'here' },
    });
    expect(status).toBe(201);
    await admin.post(VIMS, { vimId: 'secret-2', ...CLUSTER }, { headers: { 'Idempotency-Key': 'k-2' } });
    await eventually('both were opened', () =>
      ['secret-1', 'secret-2'].every((id) => bench.openings.some(({ vimId }) => vimId === id)),
    );
    expect(bench.openings.find(({ vimId }) => vimId === 'secret-1')?.accessInfo).toEqual({
      kubeconfig: config,
      context: 'here',
    });
    const seen: unknown[] = [bench.logged()];
    for (const path of [VIMS, `${VIMS}/secret-1`, '/iotmano/v1/hosts', '/iotmano/v1/alarms'])
      seen.push((await admin.get(path)).body);
    seen.push((await admin.get('/iotmano/v1/events', { query: { follow: 'false' } })).body);
    const shown = JSON.stringify(seen);
    const stored = JSON.stringify(store.changesSince(store.oldestRevision));
    expect([shown.includes('secret-1'), shown.includes(TOKEN), shown.includes('sealedAccess')]).toEqual([
      true,
      false,
      false,
    ]);
    expect([stored.includes('sealedAccess'), stored.includes(TOKEN)]).toEqual([true, false]);
  });

  it('are not in what a platform is quoted with either', async () => {
    const loud = await startSitesBench({
      openDriver: async () => {
        throw new RangeError(`server said: 401 for Bearer ${TOKEN}`);
      },
    });
    try {
      await loud.admin.post(VIMS, { vimId: 'loud', ...CLUSTER });
      const { body } = await loud.admin.post<{ reason?: string; remedy?: string }>(`${VIMS}/loud/check`);
      expect(body).toMatchObject({ isReachable: false, reason: 'server said: 401 for Bearer [secret]' });
      expect(body.remedy).toContain('give new ones');
      expect(loud.logged()).not.toContain(TOKEN);
    } finally {
      await loud.close();
    }
  });

  describe.skipIf(isServiceMissing('openssl'))('of certificate and key', () => {
    let own: CertificateAndKey;
    let other: CertificateAndKey;
    beforeAll(() => {
      own = makeCertificate('own');
      other = makeCertificate('other');
    });

    it('have to belong together', async () => {
      const interfaceInfo = { endpoint: 'tcp://engine.test:2376', trustedCertificates: own.certificate };
      const access = (key: string) => ({
        vimType: 'docker',
        interfaceInfo,
        accessInfo: { clientCertificate: own.certificate, clientKey: key },
      });
      expect((await refused(access(other.key))).slice(0, 2)).toEqual([422, '/accessInfo/clientKey']);
      expect(await bench.admin.post(VIMS, { vimId: 'tls-1', ...access(own.key) })).toMatchObject({
        status: 201,
        body: { credentials: 'certificate' },
      });
    });
  });
});

describe('a change', () => {
  it('is a merge patch at the version that was seen, opens the connection anew, and rotates credentials as a whole', async () => {
    const { admin } = bench;
    await admin.post(VIMS, {
      vimId: 'change',
      ...CLUSTER,
      extra: { labels: { a: '1', b: '2' }, tier: 'cloud' },
    });
    const path = `${VIMS}/change`;
    const etag = (await admin.get(path)).headers['etag'] ?? '';
    const openings = () => bench.openings.filter(({ vimId }) => vimId === 'change');
    await eventually('it was opened', () => openings().length === 1);
    const patched = await admin.patch(
      path,
      { extra: { labels: { b: null, c: '3' }, tier: null } },
      { headers: { 'If-Match': etag } },
    );
    expect(patched).toMatchObject({ status: 200, body: { extra: { labels: { a: '1', c: '3' } } } });
    expect((patched.body as { extra: object }).extra).not.toHaveProperty('tier');
    expect(
      await admin.patch(path, { extra: { tier: 'cloud' } }, { headers: { 'If-Match': etag } }),
    ).toMatchObject({ status: 412 });
    await eventually('it was opened anew', () => openings().length === 2);
    const rotated = await admin.patch(path, { accessInfo: { bearerToken: `${TOKEN}-2` } });
    expect(rotated.status).toBe(200);
    await eventually(
      'it was opened with the new token',
      () => openings()[2]?.accessInfo.bearerToken === `${TOKEN}-2`,
    );
    expect(await admin.patch(path, { accessInfo: null })).toMatchObject({ status: 422 });
    expect(
      await admin.patch(path, { interfaceInfo: { endpoint: null, inCluster: true }, accessInfo: null }),
    ).toMatchObject({
      status: 200,
      body: { credentials: 'none' },
    });
    const same = (await admin.get(path)).headers['etag'];
    expect((await admin.patch(path, { extra: { labels: { a: '1' } } })).headers['etag']).toBe(same);
  });

  it('that is wrong names the place and changes nothing', async () => {
    const { admin } = bench;
    await admin.post(VIMS, { vimId: 'steady', ...DOCKER });
    const path = `${VIMS}/steady`;
    const before = (await admin.get(path)).headers['etag'];
    const wrong: readonly (readonly [object, number, string])[] = [
      [{ vimType: 'kubernetes' }, 400, '/vimType'],
      [{ interfaceInfo: { inCluster: true } }, 400, '/interfaceInfo/inCluster'],
      [{ interfaceInfo: { endpoint: null } }, 400, '/interfaceInfo/endpoint'],
      [{ interfaceInfo: { endpoint: 'tcp://10.0.0.1:1' } }, 422, '/interfaceInfo/endpoint'],
      [{ accessInfo: { bearerToken: TOKEN } }, 400, '/accessInfo/bearerToken'],
      [{ accessInfo: { clientKey: TOKEN } }, 422, '/accessInfo/clientCertificate'],
      [{ extra: { portRange: [2000, 1999] } }, 422, '/extra/portRange'],
      [{ extra: { tenants: ['A B'] } }, 400, '/extra/tenants/0'],
      [{ extra: { __proto__x: 1 } }, 400, '/extra/__proto__x'],
    ];
    for (const [body, status, pointer] of wrong) {
      const answer = await admin.patch<Problem>(path, body, { isInvalid: true });
      expect([answer.status, answer.body.pointer]).toEqual([status, pointer]);
      expect(answer.body.detail).not.toContain(TOKEN);
    }
    expect((await admin.get(path)).headers['etag']).toBe(before);
  });
});

describe('a VIM that serves some tenants', () => {
  it('is seen by them without how it is reached, not at all by others, and changed by the installation’s admins only', async () => {
    const { admin, clientFor } = bench;
    await admin.post(VIMS, { vimId: 'shared', ...DOCKER, extra: { tenants: ['acme'] } });
    const [acme, other, viewer, operator] = [
      clientFor('admin', 'acme'),
      clientFor('admin', 'other'),
      clientFor('viewer'),
      clientFor('operator'),
    ];
    const path = `${VIMS}/shared`;
    await eventually(
      'it is reached',
      async () => (await admin.get<{ health: { state: string } }>(path)).body.health.state === 'REACHABLE',
    );
    const seen = await acme.get<object>(path);
    expect(seen).toMatchObject({ status: 200, body: { vimId: 'shared', health: { state: 'REACHABLE' } } });
    expect(seen.body).not.toHaveProperty('interfaceInfo');
    expect((await acme.get<{ vimId: string }[]>(VIMS)).body.map(({ vimId }) => vimId)).toContain('shared');
    expect((await other.get(path)).status).toBe(404);
    expect((await other.get<{ vimId: string }[]>(VIMS)).body.map(({ vimId }) => vimId)).not.toContain(
      'shared',
    );
    for (const client of [acme, operator, viewer]) {
      expect((await client.post(VIMS, { vimId: 'theirs', ...DOCKER })).status).toBe(403);
      expect((await client.patch(path, { extra: { tier: 'cloud' } })).status).toBe(403);
      expect((await client.delete(path)).status).toBe(403);
    }
    expect((await acme.post(`${path}/check`)).status).toBe(403);
    expect(await operator.post(`${path}/check`)).toMatchObject({ status: 404 });
    expect(await admin.post(`${path}/check`)).toMatchObject({
      status: 200,
      body: { isReachable: true, driver: { driver: 'fake' } },
    });
    expect((await admin.get('/iotmano/v1/hosts/shared')).status).toBe(200);
    expect((await other.get('/iotmano/v1/hosts/shared')).status).toBe(404);
    await admin.patch(path, { extra: { tenants: null } });
    expect((await other.get(path)).status).toBe(200);
    expect(
      (await other.get<{ hostId: string }[]>('/iotmano/v1/hosts')).body.map(({ hostId }) => hostId),
    ).toContain('shared');
  });
});
