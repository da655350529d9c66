import { afterEach, describe, expect, it } from 'vitest';
import { startTestApi, type TestApi } from '../../test/kit/api-server.ts';
import { buildFunction } from '../../test/kit/descriptor-builder.ts';
import { createLifecycleBench, type LifecycleBench } from '../../test/kit/lifecycle-bench.ts';
import { onboardFunction } from '../../test/kit/simulated-host.ts';
import { vnfLcmRoutes } from './vnflcm-routes.ts';

const INSTANCES = '/vnflcm/v2/vnf_instances';

let api: TestApi | undefined;
afterEach(() => api?.close());

async function start(): Promise<{ api: TestApi; bench: LifecycleBench }> {
  const bench = createLifecycleBench([{ hostId: 'h1' }]);
  onboardFunction(bench.store, buildFunction('storage'));
  api = await startTestApi({
    store: bench.store,
    clock: bench.clock,
    routes: () => vnfLcmRoutes(bench.lifecycle),
  });
  return { api, bench };
}

interface Created {
  readonly id: string;
}

describe('VNF lifecycle management over HTTP', () => {
  it('creates, instantiates, shows, heals, scales not, terminates and deletes an instance as the document says', async () => {
    const { api, bench } = await start();
    const client = api.clientFor('operator');
    const created = await client.post<Created>(INSTANCES, { vnfdId: 'vnfd-storage' });
    expect(created.status).toBe(201);
    const instance = `${INSTANCES}/${created.body.id}`;

    const plan = await client.post(
      `${instance}/instantiate`,
      { flavourId: 'default' },
      { query: { dryRun: 'true' } },
    );
    expect(plan.body).toMatchObject({ fits: true, instances: [{ hostId: 'h1', change: 'ADDED' }] });

    const accepted = await client.post(`${instance}/instantiate`, { flavourId: 'default' });
    expect(accepted.status).toBe(202);
    await bench.converge();
    const operation = await client.get(new URL(accepted.headers['location'] ?? '').pathname);
    expect(operation.body).toMatchObject({
      operationState: 'COMPLETED',
      operation: 'INSTANTIATE',
      resourceChanges: {
        affectedVnfcs: [{ vduId: 'main', changeType: 'ADDED', computeResource: { vimConnectionId: 'h1' } }],
      },
    });
    expect((await client.get(instance)).body).toMatchObject({
      instantiationState: 'INSTANTIATED',
      instantiatedVnfInfo: {
        vnfState: 'STARTED',
        extCpInfo: [{ metadata: { address: 'h1.test', port: 20_000 } }],
        vnfcResourceInfo: [{ vduId: 'main', metadata: { hostId: 'h1', state: 'RUNNING' } }],
      },
    });
    expect((await client.get('/iotmano/v1/vnfc_instances')).body).toMatchObject([
      { unit: 'main', hostId: 'h1', state: 'RUNNING', endpoints: ['http=h1.test:20000'] },
    ]);

    expect((await client.post(`${instance}/heal`, { cause: 'because' })).status).toBe(202);
    await bench.converge();
    expect(bench.host('h1').running()).toEqual([`${created.body.id}-main-g1-0@2 RUNNING`]);
    const scaled = await client.post(`${instance}/scale`, { type: 'SCALE_OUT', aspectId: 'load' });
    expect(scaled.status).toBe(422);

    expect((await client.delete(instance)).status).toBe(409);
    expect((await client.post(`${instance}/terminate`, { terminationType: 'FORCEFUL' })).status).toBe(202);
    await bench.converge();
    expect((await client.delete(instance)).status).toBe(204);
    expect((await client.get(instance)).status).toBe(404);
  });

  it('scales only after it has shown how, and names the copies that an operation has changed', async () => {
    const { api, bench } = await start();
    const scaling = [{ aspect: 'load', deltas: { main: 1 }, min: 1, max: 3 }];
    onboardFunction(bench.store, buildFunction('worker', { scaling }));
    const client = api.clientFor('operator');
    const { body } = await client.post<Created>(INSTANCES, { vnfdId: 'vnfd-worker' });
    const instance = `${INSTANCES}/${body.id}`;
    await client.post(`${instance}/instantiate`, { flavourId: 'default' });
    await bench.converge();
    const request = { type: 'SCALE_OUT', aspectId: 'load' };
    const plan = await client.post(`${instance}/scale`, request, { query: { dryRun: 'true' } });
    expect(plan).toMatchObject({
      status: 200,
      body: {
        fits: true,
        instances: [
          { slot: 0, change: 'KEPT' },
          { slot: 1, change: 'ADDED' },
        ],
      },
    });
    await bench.converge();
    expect(bench.host('h1').running()).toHaveLength(1);

    const changesOf = async (path: string, task: object): Promise<unknown> => {
      const accepted = await client.post(path, task);
      await bench.converge();
      const operation = new URL(accepted.headers['location'] ?? '').pathname;
      const { body: shown } = await client.get<{
        resourceChanges: { affectedVnfcs: { changeType: string }[] };
      }>(operation);
      return shown.resourceChanges.affectedVnfcs.map(({ changeType }) => changeType);
    };
    expect(await changesOf(`${instance}/scale`, request)).toEqual(['ADDED']);
    expect(
      await changesOf(`${instance}/heal`, { additionalParams: { vnfcInstanceIds: ['main-1'] } }),
    ).toEqual(['MODIFIED']);
    expect(await changesOf(`${instance}/terminate`, { terminationType: 'FORCEFUL' })).toEqual([
      'REMOVED',
      'REMOVED',
    ]);
  });

  it('knows no rollback of a heal', async () => {
    const { api, bench } = await start();
    const client = api.clientFor('operator');
    const { body } = await client.post<Created>(INSTANCES, { vnfdId: 'vnfd-storage' });
    const instance = `${INSTANCES}/${body.id}`;
    await client.post(`${instance}/instantiate`, { flavourId: 'default' });
    await bench.converge();
    bench.host('h1').failStarts('', 'exited with code 1');
    const accepted = await client.post(`${instance}/heal`, { cause: 'because' });
    await bench.converge();
    const operation = new URL(accepted.headers['location'] ?? '').pathname;
    expect((await client.get(operation)).body).toMatchObject({ operationState: 'FAILED_TEMP' });
    expect((await client.post(`${operation}/rollback`)).status).toBe(404);
    expect(await client.post(`${operation}/fail`)).toMatchObject({
      status: 200,
      body: { operationState: 'FAILED' },
    });
  });

  it('gives the same instance for the same Idempotency-Key', async () => {
    const { api, bench } = await start();
    const client = api.clientFor('operator');
    const headers = { 'idempotency-key': 'once' };
    const first = await client.post<Created>(INSTANCES, { vnfdId: 'vnfd-storage' }, { headers });
    const second = await client.post<Created>(INSTANCES, { vnfdId: 'vnfd-storage' }, { headers });
    expect(second.body.id).toBe(first.body.id);
    expect([...bench.store.list('vnf-instance')]).toHaveLength(1);
  });

  it('answers 404 for what belongs to another tenant, and 409 for a second operation', async () => {
    const { api } = await start();
    const client = api.clientFor('operator');
    const { body } = await client.post<Created>(INSTANCES, { vnfdId: 'vnfd-storage' });
    expect((await api.clientFor('operator', 'other').get(`${INSTANCES}/${body.id}`)).status).toBe(404);
    await client.post(`${INSTANCES}/${body.id}/instantiate`, { flavourId: 'default' });
    const again = await client.post(`${INSTANCES}/${body.id}/instantiate`, { flavourId: 'default' });
    expect(again.status).toBe(409);
  });
});
