import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { assign, keyOf } from './testkit/assignments.ts';
import { FACTS, createTestAgent, startMcoBench, type McoBench } from './testkit/mco-bench.ts';

let bench: McoBench;

beforeEach(async () => {
  bench = await startMcoBench();
});

afterEach(() => bench.close());

describe('hosts, as operators see them', () => {
  it('are shown with facts, lease and what is assigned, without anything secret', async () => {
    const agent = await bench.agent('gw-1');
    await agent.request('PUT', '/facts', { sequence: 1, body: FACTS });
    await agent.request('GET', '/wanted');
    await assign(bench.store, agent.hostId, keyOf(1));
    const { body } = await bench.admin.get('/iotmano/v1/hosts');
    expect(body).toMatchObject([
      {
        hostId: 'gw-1',
        state: 'READY',
        facts: FACTS,
        assignments: 1,
        allocated: { cpuMillis: 100, memoryBytes: 1e6 },
        stateConfirmed: true,
        braked: false,
        heartbeatSeconds: 9,
      },
    ]);
    expect(JSON.stringify(body)).not.toMatch(/publicKey|token|seed/i);
  });

  it('are seen by the tenants that they serve only, and changed by the installation’s own staff only', async () => {
    const token = await bench.admin.post<{ token: string }>('/iotmano/v1/enrolment_tokens', {
      tenants: ['acme'],
    });
    await createTestAgent(bench.url, 'gw-acme').enrol(token.body.token);
    const acme = bench.clientFor('admin', 'acme');
    const other = bench.clientFor('admin', 'other');
    expect(await acme.get('/iotmano/v1/hosts/gw-acme')).toMatchObject({ status: 200 });
    expect(await other.get('/iotmano/v1/hosts/gw-acme')).toMatchObject({ status: 404 });
    expect(await other.get('/iotmano/v1/hosts')).toMatchObject({ body: [] });
    expect(await acme.patch('/iotmano/v1/hosts/gw-acme', { draining: true })).toMatchObject({ status: 403 });
    expect(await acme.delete('/iotmano/v1/hosts/gw-acme')).toMatchObject({ status: 403 });
    expect(await acme.post('/iotmano/v1/enrolment_tokens', {})).toMatchObject({ status: 403 });
    expect(await other.delete('/iotmano/v1/hosts/gw-acme')).toMatchObject({ status: 404 });
  });

  it('cost what an operator says, and keep out whom it says, until that is taken back', async () => {
    await bench.agent('gw-1');
    const path = '/iotmano/v1/hosts/gw-1';
    const taints = [{ text: 'dedicated=lab', effect: 'refuse' }];
    expect(await bench.admin.patch(path, { taints, costPerHour: 0.05 })).toMatchObject({
      status: 200,
      body: { taints, costPerHour: 0.05, availability: 1 },
    });
    expect(await bench.admin.patch(path, { costPerHour: null })).toMatchObject({ body: { taints } });
    const { body } = await bench.admin.patch(path, { taints: null });
    expect(body).not.toHaveProperty('taints');
    expect(body).not.toHaveProperty('costPerHour');
  });

  it('are drained and taken back, at the version that the operator has seen', async () => {
    const agent = await bench.agent('gw-1');
    await agent.request('GET', '/wanted');
    const { headers } = await bench.admin.get('/iotmano/v1/hosts/gw-1');
    const ifMatch = { headers: { 'If-Match': headers['etag'] ?? '' } };
    const drained = await bench.admin.patch('/iotmano/v1/hosts/gw-1', { draining: true }, ifMatch);
    expect(drained).toMatchObject({ status: 200, body: { state: 'DRAINING', draining: true } });
    expect(await bench.admin.patch('/iotmano/v1/hosts/gw-1', { draining: false }, ifMatch)).toMatchObject({
      status: 412,
    });
    expect(await bench.admin.patch('/iotmano/v1/hosts/gw-1', { draining: false })).toMatchObject({
      body: { state: 'READY' },
    });
  });

  it('learn of being drained by their waiting poll', async () => {
    const agent = await bench.agent('gw-1');
    const { body } = await agent.request<{ revision: number }>('GET', '/wanted');
    await bench.store.whenDurable();
    const since = String(bench.store.durableRevision);
    const poll = agent.request('GET', '/wanted', { query: { since, wait: '10' } });
    await bench.admin.patch('/iotmano/v1/hosts/gw-1', { draining: true });
    expect(await poll).toMatchObject({ status: 200, body: { draining: true, full: false } });
    expect(body.revision).toBeLessThanOrEqual(Number(since));
  });

  // MCO-O-071
  it('are forgotten when nothing is assigned to them, with everything that they said', async () => {
    const agent = await bench.agent('gw-1');
    await agent.request('PUT', '/facts', { sequence: 1, body: FACTS });
    await assign(bench.store, agent.hostId, keyOf(1));
    expect(await bench.admin.delete('/iotmano/v1/hosts/gw-1')).toMatchObject({ status: 409 });
    const other = await bench.agent('gw-2');
    expect(await bench.admin.delete('/iotmano/v1/hosts/gw-2')).toMatchObject({ status: 204 });
    expect(await other.request('GET', '/wanted')).toMatchObject({ status: 401 });
    const kinds = ['host', 'host-facts', 'session'] as const;
    expect(kinds.map((kind) => bench.store.count(kind))).toEqual([1, 1, 1]);
    expect(await other.enrol(await bench.token())).toMatchObject({ status: 201 });
  });

  it('are given up only when they are silent', async () => {
    const agent = await bench.agent('gw-1');
    await agent.request('GET', '/wanted');
    expect(await bench.admin.patch('/iotmano/v1/hosts/gw-1', { givenUp: true })).toMatchObject({
      status: 409,
    });
  });
});
