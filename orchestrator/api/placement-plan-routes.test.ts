import { afterEach, describe, expect, it } from 'vitest';
import { startTestApi, type TestApi } from '../../test/kit/api-server.ts';
import { buildFunction } from '../../test/kit/descriptor-builder.ts';
import { createLifecycleBench, type LifecycleBench } from '../../test/kit/lifecycle-bench.ts';
import { onboardFunction } from '../../test/kit/simulated-host.ts';
import { placementPlanRoutes } from './placement-plan-routes.ts';
import { vnfLcmRoutes } from './vnflcm-routes.ts';

const PLANS = '/iotmano/v1/placement_plans';
const INSTANCES = '/vnflcm/v2/vnf_instances';
const DRAIN = { kind: 'drain', hostIds: ['h1'] };

interface Plan {
  readonly placementPlanId: string;
  readonly operations: readonly { readonly vnfLcmOpOccId: string }[];
}

let api: TestApi | undefined;
afterEach(() => api?.close());

async function start(): Promise<{
  readonly api: TestApi;
  readonly bench: LifecycleBench;
  readonly id: string;
}> {
  const bench = createLifecycleBench([{ hostId: 'h1' }, { hostId: 'h2' }]);
  onboardFunction(bench.store, buildFunction('worker'));
  api = await startTestApi({
    store: bench.store,
    clock: bench.clock,
    routes: () => [...vnfLcmRoutes(bench.lifecycle), ...placementPlanRoutes(bench.lifecycle)],
  });
  const client = api.clientFor('operator');
  const { body } = await client.post<{ readonly id: string }>(INSTANCES, { vnfdId: 'vnfd-worker' });
  await client.post(`${INSTANCES}/${body.id}/instantiate`, { flavourId: 'default' });
  await bench.converge();
  return { api, bench, id: body.id };
}

describe('placement plans over HTTP', () => {
  it('are shown with dryRun, and carried out without, once for each Idempotency-Key', async () => {
    const { api, bench, id } = await start();
    const client = api.clientFor('operator');
    const shown = await client.post(PLANS, DRAIN, { query: { dryRun: 'true' } });
    expect(shown.status).toBe(200);
    expect(shown.body).toMatchObject({
      kind: 'drain',
      moves: [{ step: 1, vnfInstanceId: id, vduId: 'main', fromHostId: 'h1', toHostId: 'h2', cost: 10 }],
      freedHostIds: ['h1'],
      operations: [],
    });
    const headers = { 'idempotency-key': 'drain-h1' };
    const carried = await client.post<Plan>(PLANS, DRAIN, { headers });
    expect(carried.status).toBe(202);
    expect(carried.body.operations).toHaveLength(1);
    await bench.converge();
    expect((await client.post<Plan>(PLANS, DRAIN, { headers })).body).toEqual(carried.body);
    expect(bench.host('h2').running()).toHaveLength(1);
    const [operation] = carried.body.operations;
    const occurrence = await client.get(`/vnflcm/v2/vnf_lcm_op_occs/${operation?.vnfLcmOpOccId}`);
    expect(occurrence.body).toMatchObject({
      operation: 'HEAL',
      operationState: 'COMPLETED',
      operationParams: { cause: `placement plan ${carried.body.placementPlanId} (drain)` },
    });
    expect((await client.post(PLANS, DRAIN)).status).toBe(200);
  });

  it('are refused with what is wrong and what is right', async () => {
    const { api, id } = await start();
    const client = api.clientFor('operator');
    const detail = async (body: object, of = client): Promise<unknown> => {
      const { status, body: problem } = await of.post<{ readonly detail: string }>(PLANS, body);
      return `${status} ${problem.detail}`;
    };
    expect(await detail({ kind: 'drain' })).toBe('422 a plan of kind drain needs one of: hostIds');
    expect(await detail({ kind: 'drain', hostIds: ['h9'] })).toContain('422 hostIds: there is no host h9');
    expect(await detail({ kind: 'evacuate', zone: 'x', expression: 'tier exists' })).toContain('422');
    const foreign = api.clientFor('admin', 'acme');
    expect(await detail(DRAIN, foreign)).toMatch(/^403 .*tenant acme may move its own functions/);
    expect(await detail({ kind: 'move', vnfInstanceId: id }, foreign)).toMatch(/^404 /);
    expect(await detail({ kind: 'rebalance' }, api.clientFor('viewer'))).toMatch(/^403 /);
  });
});
