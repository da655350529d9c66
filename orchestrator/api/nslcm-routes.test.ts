import { afterEach, describe, expect, it } from 'vitest';
import { startTestApi, type TestApi } from '../../test/kit/api-server.ts';
import {
  buildConstituent,
  buildFunction,
  buildProvider,
  buildService,
  requirement,
} from '../../test/kit/descriptor-builder.ts';
import { createLifecycleBench, type LifecycleBench } from '../../test/kit/lifecycle-bench.ts';
import { onboardFunction, onboardService } from '../../test/kit/simulated-host.ts';
import { nsLcmRoutes } from './nslcm-routes.ts';
import { vnfLcmRoutes } from './vnflcm-routes.ts';

const INSTANCES = '/nslcm/v2/ns_instances';
const CREATE = { nsdId: 'nsd-pair', nsName: 'pair', nsDescription: 'two functions' };

let api: TestApi | undefined;
afterEach(() => api?.close());

async function start(): Promise<{ api: TestApi; bench: LifecycleBench }> {
  const bench = createLifecycleBench([{ hostId: 'h1' }]);
  onboardFunction(bench.store, buildProvider('broker'));
  onboardFunction(bench.store, buildFunction('worker', { requires: [requirement('broker')] }));
  onboardService(bench.store, buildService('pair', [buildConstituent('worker'), buildConstituent('broker')]));
  api = await startTestApi({
    store: bench.store,
    clock: bench.clock,
    routes: () => [...nsLcmRoutes(bench.services), ...vnfLcmRoutes(bench.lifecycle)],
  });
  return { api, bench };
}

describe('NS lifecycle management over HTTP', () => {
  it('creates, plans, instantiates, shows, heals, terminates and deletes a service as the document says', async () => {
    const { api, bench } = await start();
    const client = api.clientFor('operator');
    const created = await client.post<{ id: string }>(INSTANCES, CREATE);
    expect(created.status).toBe(201);
    const instance = `${INSTANCES}/${created.body.id}`;

    const request = { nsFlavourId: 'default' };
    const plan = await client.post(`${instance}/instantiate`, request, { query: { dryRun: 'true' } });
    expect(plan.body).toMatchObject({ fits: true, instances: [{ hostId: 'h1' }, { hostId: 'h1' }] });

    const accepted = await client.post(`${instance}/instantiate`, request);
    expect(accepted.status).toBe(202);
    const operation = new URL(accepted.headers['location'] ?? '').pathname;
    expect((await client.get(operation)).body).toMatchObject({
      operationState: 'PROCESSING',
      progress: { wanted: 2, ready: 0 },
    });
    expect((await client.post(`${instance}/terminate`, {})).status).toBe(409);
    await bench.converge();
    expect((await client.get(operation)).body).toMatchObject({
      operationState: 'COMPLETED',
      resourceChanges: { affectedVnfs: [{ changeResult: 'COMPLETED' }, { changeResult: 'COMPLETED' }] },
    });
    expect((await client.get(instance)).body).toMatchObject({
      nsState: 'INSTANTIATED',
      vnfInstance: [{ instantiationState: 'INSTANTIATED' }, { instantiationState: 'INSTANTIATED' }],
    });
    expect((await client.get('/iotmano/v1/vnfc_instances')).body).toMatchObject([
      { service: 'pair', state: 'RUNNING' },
      { service: 'pair', state: 'RUNNING' },
    ]);

    const heal = { healNsData: { degreeHealing: 'HEAL_RESTORE' } };
    expect((await client.post(`${instance}/heal`, heal)).status).toBe(202);
    await bench.converge();
    expect((await client.delete(instance)).status).toBe(409);
    expect((await client.post(`${instance}/terminate`, {})).status).toBe(202);
    await bench.converge();
    expect((await client.delete(instance)).status).toBe(204);
    expect((await client.get(instance)).status).toBe(404);
  });

  it('shows what failed and lets an operator roll it back', async () => {
    const { api, bench } = await start();
    bench.host('h1').failStarts('', 'exited with code 3');
    const client = api.clientFor('operator');
    const created = await client.post<{ id: string }>(INSTANCES, CREATE);
    const instance = `${INSTANCES}/${created.body.id}`;
    const accepted = await client.post(`${instance}/instantiate`, { nsFlavourId: 'default' });
    const operation = new URL(accepted.headers['location'] ?? '').pathname;
    expect((await client.post(`${operation}/retry`)).status).toBe(409);
    await bench.converge();
    expect((await client.get(operation)).body).toMatchObject({
      operationState: 'FAILED_TEMP',
      error: { detail: expect.stringContaining('exited with code 3') },
    });
    const rollback = await client.post(`${operation}/rollback`);
    expect([rollback.status, new URL(rollback.headers['location'] ?? '').pathname]).toEqual([202, operation]);
    await bench.converge();
    expect((await client.get(operation)).body).toMatchObject({ operationState: 'ROLLED_BACK' });
    expect((await client.delete(instance)).status).toBe(204);
  });

  it('never shows the values of secret parameters and secret configuration', async () => {
    const { api, bench } = await start();
    const config = {
      schema: { type: 'object', properties: { apiKey: { type: 'string', secret: true } } },
      defaults: {},
      secrets: ['apiKey'],
      apply: {},
    };
    onboardFunction(bench.store, buildFunction('keeper', { config }));
    onboardService(
      bench.store,
      buildService('guarded', [buildConstituent('keeper', { config: { apiKey: '{{ parameters.key }}' } })], {
        parameters: {
          schema: { type: 'object', properties: { key: { type: 'string', secret: true } } },
          defaults: {},
        },
      }),
    );
    const client = api.clientFor('operator');
    const created = await client.post<{ id: string }>(INSTANCES, {
      ...CREATE,
      nsdId: 'nsd-guarded',
      nsName: 'guarded',
    });
    const instance = `${INSTANCES}/${created.body.id}`;
    await client.post(`${instance}/instantiate`, {
      nsFlavourId: 'default',
      additionalParamsForNs: { key: 'hush-hush' },
    });
    await bench.converge();
    const [assignment] = [...bench.store.list('assignment')];
    expect(JSON.stringify(assignment)).toContain('hush-hush');
    for (const path of [
      instance,
      '/nslcm/v2/ns_lcm_op_occs',
      '/vnflcm/v2/vnf_instances',
      '/vnflcm/v2/vnf_lcm_op_occs',
    ]) {
      const query = path === instance ? {} : { query: { all_fields: '' } };
      const { status, body } = await client.get(path, query);
      expect(status).toBe(200);
      expect(JSON.stringify(body)).not.toContain('hush-hush');
    }
  });
});
