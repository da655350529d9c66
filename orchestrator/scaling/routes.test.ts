import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApi, type TestApi } from '../../test/kit/api-server.ts';
import { createServiceScalingBench } from './testkit/service-scaling-bench.ts';
import { POLICY, createScalingBench, type ScalingBench } from './testkit/scaling-bench.ts';

let bench: ScalingBench;
let api: TestApi;
let path: string;

beforeAll(async () => {
  bench = await createScalingBench();
  await bench.tell(25);
  const { store, clock } = bench.bench;
  api = await startTestApi({ store, clock, routes: () => bench.scaling.routes });
  path = `/iotmano/v1/vnf_instances/${bench.id}/scaling_aspects/load`;
});
afterAll(async () => {
  await api.close();
  await bench.scaling.stop();
});

describe('scaling aspects over the API', () => {
  it('show the policy in force, what it found last and why, and the steps that were taken', async () => {
    const viewer = api.clientFor('viewer');
    const { body } = await viewer.get<object[]>('/iotmano/v1/scaling_aspects');
    expect(body).toMatchObject([
      {
        vnfInstanceId: bench.id,
        vnfInstanceName: 'worker',
        aspectId: 'load',
        level: 3,
        minLevel: 1,
        maxLevel: 5,
        policy: POLICY,
        policySource: 'descriptor',
        lastLook: { nextLevel: 3, reasons: expect.any(Array) as unknown },
        changes: [{ from: 1, to: 3 }],
      },
    ]);
    const one = await viewer.get(path);
    expect(one.body).toMatchObject({
      state: { type: 'target', policy: { wishes: expect.any(Array) as unknown } },
    });
  });

  it('are held, released and given another policy by an operator, and by no viewer', async () => {
    const operator = api.clientFor('operator');
    const patch = (body: object) => operator.patch<Record<string, unknown>>(path, body);
    expect((await patch({ hold: {} })).body).toMatchObject({
      hold: { since: expect.any(String) as unknown },
    });
    expect((await patch({ hold: null })).body).not.toHaveProperty('hold');
    expect((await patch({ policy: { target: 20 } })).body).toMatchObject({
      policy: { ...POLICY, target: 20 },
      policySource: 'operator',
    });
    expect((await patch({ policy: null })).body).toMatchObject({
      policy: POLICY,
      policySource: 'descriptor',
    });
    expect((await api.clientFor('viewer').patch(path, { hold: {} })).status).toBe(403);
  });

  it('are refused what is not valid with its faults, and are not there for other tenants', async () => {
    const operator = api.clientFor('operator');
    const wrong = await operator.patch<{ faults: object[] }>(path, { policy: { target: 'much' } });
    expect(wrong.status).toBe(422);
    expect(wrong.body.faults).toMatchObject([{ rule: 'schema/type', pointer: '/target' }]);
    const elsewhere = path.replace('load', 'size');
    expect((await operator.get(elsewhere)).status).toBe(404);
    expect((await api.clientFor('admin', 'other').get(path)).status).toBe(404);
    expect((await api.clientFor('admin', 'other').get('/iotmano/v1/scaling_aspects')).body).toEqual([]);
  });
});

describe('scaling aspects of services over the API', () => {
  it('are listed with those of functions, shown and set as these are', async () => {
    const services = await createServiceScalingBench();
    await services.tell(35);
    const { store, clock } = services.bench;
    const served = await startTestApi({ store, clock, routes: () => services.scaling.routes });
    const operator = served.clientFor('operator');
    const one = `/iotmano/v1/ns_instances/${services.id}/scaling_aspects/load`;
    const { body } = await operator.get<object[]>('/iotmano/v1/scaling_aspects');
    expect(body).toHaveLength(3);
    expect(body).toContainEqual(
      expect.objectContaining({
        nsInstanceId: services.id,
        nsInstanceName: 'cse',
        level: 3,
        minLevel: 1,
        maxLevel: 4,
        changes: [expect.objectContaining({ from: 1, to: 3 })],
      }),
    );
    const scaledBy = { nsInstanceId: services.id, nsInstanceName: 'cse', aspectId: 'load' };
    expect(body).toContainEqual(
      expect.objectContaining({ vnfInstanceId: services.idOf('worker'), scaledBy }),
    );
    expect((await operator.patch(one, { hold: {} })).body).toMatchObject({
      hold: { since: expect.any(String) },
    });
    expect(
      (await operator.get(`/iotmano/v1/ns_instances/${services.idOf('worker')}/scaling_aspects/load`)).status,
    ).toBe(404);
    expect((await served.clientFor('viewer').patch(one, { hold: null })).status).toBe(403);
    await served.close();
    await services.scaling.stop();
  });
});
