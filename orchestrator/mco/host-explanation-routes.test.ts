import { afterEach, describe, expect, it } from 'vitest';
import type { TenantId } from '../../kernel/index.ts';
import { startTestApi, type TestApi } from '../../test/kit/api-server.ts';
import { buildFunction } from '../../test/kit/descriptor-builder.ts';
import { createLifecycleBench, type LifecycleBench } from '../../test/kit/lifecycle-bench.ts';
import { onboardFunction } from '../../test/kit/simulated-host.ts';
import { hostExplanationRoutes } from './index.ts';

const TENANT = 'acme' as TenantId;
const PATH = '/iotmano/v1/hosts/h1/explanation';

let api: TestApi | undefined;
afterEach(() => api?.close());

async function start(): Promise<{ api: TestApi; bench: LifecycleBench; id: string }> {
  const bench = createLifecycleBench([
    { hostId: 'h1', host: { tenants: [TENANT] } },
    { hostId: 'h2', host: { tenants: ['other' as TenantId] } },
  ]);
  onboardFunction(bench.store, buildFunction('storage'), TENANT);
  const { id } = bench.lifecycle.vnf.create(TENANT, {
    vnfdId: 'vnfd-storage',
    vnfInstanceName: 'storage',
  });
  bench.lifecycle.vnf.instantiate(TENANT, id, { flavourId: 'default' });
  await bench.converge();
  const { store, clock, lifecycle } = bench;
  api = await startTestApi({ store, clock, routes: () => hostExplanationRoutes(store, lifecycle) });
  return { api, bench, id };
}

describe('the explanation of a host over HTTP', () => {
  it('is what the document says, for all functions of the tenant or for the one named', async () => {
    const { api, bench, id } = await start();
    const client = api.clientFor('viewer', TENANT);
    const all = await client.get(PATH);
    expect(all).toMatchObject({
      status: 200,
      body: { hostId: 'h1', functions: [{ vnfInstanceId: id, fits: true, rank: 1, candidates: 1 }] },
    });
    const one = await client.get(PATH, { query: { vnfInstanceId: id } });
    expect(one.body).toEqual(all.body);
    const [pkg] = [...bench.store.list('vnf-package')];
    const ofPackage = await client.get(PATH, { query: { vnfPkgId: pkg?.id ?? '' } });
    expect(ofPackage.body).toMatchObject({ functions: [{ function: 'storage', instancesHere: 0 }] });
  });

  it('is not there for a tenant that the host does not serve, nor for functions of others', async () => {
    const { api, id } = await start();
    const other = api.clientFor('admin', 'other');
    expect((await other.get(PATH)).status).toBe(404);
    const foreign = await other.get('/iotmano/v1/hosts/h2/explanation', { query: { vnfInstanceId: id } });
    expect(foreign.status).toBe(404);
    expect((await api.clientFor('viewer', TENANT).get('/iotmano/v1/hosts/h9/explanation')).status).toBe(404);
  });

  it('tells who runs the installation how much others have there, and not what', async () => {
    const { api, id } = await start();
    const { body } = await api.clientFor('admin', 'system').get(PATH);
    expect(body).toMatchObject({ placed: [], functions: [], others: { instances: 1 } });
    expect(JSON.stringify(body)).not.toMatch(new RegExp(`storage-|"storage"|${id}`));
  });

  it('refuses two questions at once', async () => {
    const { api, id } = await start();
    const query = { vnfInstanceId: id, vnfPkgId: 'any' };
    expect(await api.clientFor('viewer', TENANT).get(PATH, { query })).toMatchObject({
      status: 400,
      body: { detail: expect.stringContaining('vnfInstanceId and vnfPkgId exclude each other') },
    });
  });
});
