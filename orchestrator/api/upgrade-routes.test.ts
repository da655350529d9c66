import { afterEach, describe, expect, it } from 'vitest';
import { DEFAULT_TENANT } from '../../kernel/index.ts';
import type { ApiAnswer } from '../../test/kit/api-client.ts';
import { startTestApi, type TestApi } from '../../test/kit/api-server.ts';
import { buildFunction } from '../../test/kit/descriptor-builder.ts';
import { createLifecycleBench } from '../../test/kit/lifecycle-bench.ts';
import { onboardFunction } from '../../test/kit/simulated-host.ts';
import { vnfLcmRoutes } from './vnflcm-routes.ts';

const INSTANCES = '/vnflcm/v2/vnf_instances';
const CONFIG = {
  schema: { type: 'object', properties: { level: { type: 'string' }, key: { type: 'string' } } },
  defaults: {},
  secrets: ['key'],
  apply: { level: 'reload' as const },
};

let api: TestApi | undefined;
afterEach(() => api?.close());

async function start(secondConfig = CONFIG, values = {}) {
  const bench = createLifecycleBench([{ hostId: 'h1' }, { hostId: 'h2' }]);
  const worker = buildFunction('worker', { config: CONFIG });
  const metadata = { ...worker.metadata, id: 'vnfd-worker-2', softwareVersion: '2.0.0' };
  onboardFunction(bench.store, worker);
  onboardFunction(bench.store, { ...worker, config: secondConfig, metadata }, DEFAULT_TENANT, 'pkg-worker-2');
  api = await startTestApi({
    store: bench.store,
    clock: bench.clock,
    routes: () => vnfLcmRoutes(bench.lifecycle),
  });
  const client = api.clientFor('operator');
  const { body } = await client.post<{ id: string }>(INSTANCES, { vnfdId: 'vnfd-worker' });
  const instance = `${INSTANCES}/${body.id}`;
  await client.post(`${instance}/instantiate`, {
    flavourId: 'default',
    vnfConfigurableProperties: values,
  });
  await bench.converge();
  return { bench, client, instance };
}

const pathOf = ({ headers }: ApiAnswer): string => new URL(headers['location'] ?? '').pathname;

describe('a change of version over HTTP', () => {
  it('is shown before, followed, paused and resumed as the document says, and hides what is secret', async () => {
    const { bench, client, instance } = await start();
    const request = {
      vnfdId: 'vnfd-worker-2',
      vnfConfigurableProperties: { level: 'debug', key: 'hidden' },
      additionalParams: {
        cause: 'a test',
        upgrade: { strategy: 'canary', waves: [{ count: 1 }], bakeSeconds: 60, healthyForSeconds: 0 },
      },
    };
    const plan = await client.post(`${instance}/change_vnfpkg`, request, { query: { dryRun: 'true' } });
    expect(plan).toMatchObject({ status: 200, body: { fits: true } });
    const accepted = await client.post(`${instance}/change_vnfpkg`, request);
    expect(accepted.status).toBe(202);
    await bench.converge();
    const shown = await client.get(pathOf(accepted));
    expect(shown.body).toMatchObject({
      operation: 'CHANGE_VNFPKG',
      operationState: 'PROCESSING',
      operationParams: { vnfConfigurableProperties: { level: 'debug' } },
      rollout: { from: 'worker 1.0.0', to: 'worker 2.0.0', policy: { strategy: 'canary' } },
    });
    expect(JSON.stringify(shown.body)).not.toContain('hidden');
    const copies = await client.get<{ softwareVersion: string }[]>('/iotmano/v1/vnfc_instances');
    expect(copies.body.map(({ softwareVersion }) => softwareVersion).toSorted()).toEqual(['1.0.0', '2.0.0']);
    const id = pathOf(accepted).split('/').at(-1) ?? '';
    const act = (name: string) => client.post(`/iotmano/v1/vnf_lcm_op_occs/${id}/${name}`);
    expect((await act('pause')).status).toBe(204);
    expect((await client.get(pathOf(accepted))).body).toMatchObject({ rollout: { isPaused: true } });
    expect((await act('resume')).status).toBe(204);
    await bench.clock.advance(61_000);
    await bench.converge();
    expect((await client.get(pathOf(accepted))).body).toMatchObject({ operationState: 'COMPLETED' });
    expect((await act('pause')).status).toBe(409);
    expect((await client.get(instance)).body).toMatchObject({
      vnfdId: 'vnfd-worker-2',
      vnfSoftwareVersion: '2.0.0',
    });
  });

  it('hides for good what one of the versions calls secret, in the instance and in each of its operations', async () => {
    const { bench, client, instance } = await start(
      { ...CONFIG, secrets: [] },
      { level: 'info', key: 'hidden' },
    );
    const shown = async () =>
      JSON.stringify([
        (await client.get(instance)).body,
        (await client.get('/vnflcm/v2/vnf_lcm_op_occs')).body,
      ]);
    for (const vnfdId of ['vnfd-worker-2', 'vnfd-worker', 'vnfd-worker-2']) {
      const additionalParams = { upgrade: { healthyForSeconds: 0 } };
      const accepted = await client.post(`${instance}/change_vnfpkg`, { vnfdId, additionalParams });
      expect(accepted.status).toBe(202);
      expect(await shown()).not.toContain('hidden');
      await bench.converge();
      expect((await client.get(instance)).body).toMatchObject({ vnfdId });
      expect(await shown()).not.toContain('hidden');
      expect(await shown()).toContain('"level":"info"');
    }
  });

  it('is refused with what is wrong, never as a fault of the server', async () => {
    const { client, instance } = await start();
    const refused = await client.post(`${instance}/change_vnfpkg`, { vnfdId: 'vnfd-nobody' });
    expect(refused).toMatchObject({ status: 422, body: { detail: expect.stringMatching(/vnf_packages/) } });
  });
});

describe('PATCH of an instance', () => {
  it('changes name and configuration in an operation', async () => {
    const { bench, client, instance } = await start();
    const accepted = await client.patch(instance, {
      vnfInstanceName: 'renamed',
      vnfConfigurableProperties: { level: 'debug' },
    });
    expect(accepted.status).toBe(202);
    await bench.converge();
    expect((await client.get(pathOf(accepted))).body).toMatchObject({
      operation: 'MODIFY_INFO',
      operationState: 'COMPLETED',
    });
    expect((await client.get(instance)).body).toMatchObject({
      vnfInstanceName: 'renamed',
      vnfConfigurableProperties: { level: 'debug' },
    });
  });
});
