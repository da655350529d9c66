import { generateKeyPairSync } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseId, type StateId } from '../../kernel/index.ts';
import { createMemoryStore } from '../store/index.ts';
import { assign, keyOf } from './testkit/assignments.ts';
import { SP_ID, createTestAgent, startMcoBench, type McoBench } from './testkit/mco-bench.ts';

let bench: McoBench;

beforeEach(async () => {
  bench = await startMcoBench();
});

afterEach(() => bench.close());

describe('an enrolment token', () => {
  // MCO-C-020 MCO-C-021
  it('is good once, for one host; the same host may repeat its request', async () => {
    const token = await bench.token();
    const agent = createTestAgent(bench.url, 'gw-1');
    expect(await agent.enrol(token)).toMatchObject({ status: 201 });
    const revision = bench.store.acceptedRevision;
    expect(await agent.enrol(token)).toMatchObject({ status: 201 });
    expect(bench.store.acceptedRevision).toBe(revision);
    expect(await createTestAgent(bench.url, 'gw-2').enrol(token)).toMatchObject({ status: 410 });
    expect(bench.store.get('host', 'gw-2')).toBeUndefined();
  });

  // MCO-C-022
  it('that names a host enrols no other', async () => {
    const token = await bench.token('gw-1');
    expect(await createTestAgent(bench.url, 'gw-2').enrol(token)).toMatchObject({ status: 401 });
    expect(await createTestAgent(bench.url, 'gw-1').enrol(token)).toMatchObject({ status: 201 });
  });

  // MCO-C-023
  it('does not bind a host to another key', async () => {
    await bench.agent('gw-1');
    const thief = createTestAgent(bench.url, 'gw-1');
    expect(await thief.enrol(await bench.token())).toMatchObject({ status: 409 });
    expect(await thief.open()).toMatchObject({ status: 401 });
  });

  // MCO-C-020
  it('is refused when unknown, misspelt, or deleted', async () => {
    const token = await bench.token();
    const [id = ''] = token.split('.');
    const agent = createTestAgent(bench.url, 'gw-1');
    expect(await agent.enrol(`${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}`)).toMatchObject({
      status: 401,
    });
    await bench.admin.delete(`/iotmano/v1/enrolment_tokens/${id}`);
    expect(await agent.enrol(token)).toMatchObject({ status: 401 });
  });

  // MCO-C-024
  it('is stored as a hash only, and shown once', async () => {
    const token = await bench.token();
    const stored = JSON.stringify([...bench.store.list('enrolment-token')]);
    expect(stored).not.toContain(token.split('.')[1]);
    const listed = await bench.admin.get('/iotmano/v1/enrolment_tokens');
    expect(JSON.stringify(listed.body)).not.toContain('token"');
  });
});

describe('a proof of possession', () => {
  // MCO-C-030
  it('is refused with a nonce that was used, that is another host’s, or that nobody issued', async () => {
    const agent = await bench.agent('gw-1');
    const other = await bench.agent('gw-2');
    const nonce = await agent.challenge();
    expect(await agent.open({ nonce })).toMatchObject({ status: 201 });
    expect(await agent.open({ nonce })).toMatchObject({ status: 401 });
    expect(await agent.open({ nonce: await other.challenge() })).toMatchObject({ status: 401 });
    expect(await agent.open({ nonce: '1_2_3' })).toMatchObject({ status: 401 });
  });

  // MCO-C-031
  it('is refused when signed with another key, for another host, another resource or of another type', async () => {
    const agent = await bench.agent('gw-1');
    const thief = createTestAgent(bench.url, 'gw-1', generateKeyPairSync('ed25519'));
    expect(await thief.open()).toMatchObject({ status: 401 });
    expect(await agent.open({ sub: 'gw-2' })).toMatchObject({ status: 401 });
    expect(await agent.open({ htu: '/mco/v1/hosts/gw-2/sessions' })).toMatchObject({ status: 401 });
    expect(await agent.open({ bootId: '../..' })).toMatchObject({ status: 401 });
  });

  // MCO-C-032
  it('is refused with a counter that was seen', async () => {
    const agent = await bench.agent('gw-1');
    expect(await agent.open({ counter: 1 })).toMatchObject({ status: 401 });
    expect(await agent.open({ counter: 7 })).toMatchObject({ status: 201 });
  });

  // MCO-C-014 MCO-C-033
  it('holds whatever the host clock says, whose offset is measured', async () => {
    const agent = await bench.agent('gw-1');
    const answer = await agent.open({ iat: Date.now() / 1000 - 3600, exp: 1, nbf: 9e9 });
    expect(answer.status).toBe(201);
    expect(Math.abs((answer.body.clockOffsetMilliseconds ?? 0) + 3_600_000)).toBeLessThan(5_000);
  });
});

describe('a session', () => {
  // MCO-C-035
  it('opens nothing of another host', async () => {
    const agent = await bench.agent('gw-1');
    const other = await bench.agent('gw-2');
    await assign(bench.store, other.hostId, keyOf(1));
    expect(await agent.request('GET', '/mco/v1/hosts/gw-2/wanted')).toMatchObject({ status: 403 });
    expect(await agent.request('DELETE', '/mco/v1/hosts/gw-2')).toMatchObject({ status: 403 });
    expect(await agent.request('GET', '/wanted')).toMatchObject({ body: { assignments: [] } });
  });

  it('opens nothing for operators, and their tokens open nothing of a host', async () => {
    const agent = await bench.agent('gw-1');
    const answer = await agent.request('GET', '/wanted');
    expect(answer.status).toBe(200);
    expect(
      await bench.admin.request('GET', '/mco/v1/hosts/gw-1/wanted', {
        headers: { 'Mco-Version': '1.0', 'Mco-Sp-Id': SP_ID, 'Mco-Boot-Id': agent.bootId },
      }),
    ).toMatchObject({ status: 403 });
  });

  // MCO-C-034
  it('ends when the next boot of the host opens one, and its waiting poll with it', async () => {
    const agent = await bench.agent('gw-1');
    const { body } = await agent.request<{ revision: number }>('GET', '/wanted');
    const poll = agent.request('GET', '/wanted', { query: { since: String(body.revision), wait: '10' } });
    await new Promise((resolve) => setTimeout(resolve, 50));
    await agent.reboot().open({}, bench.store.stateId);
    expect(await poll).toMatchObject({ status: 401 });
  });

  // MCO-C-024 MCO-C-036
  it('is bound to its boot id, and its token is stored as a hash only', async () => {
    const agent = await bench.agent('gw-1');
    const opened = await agent.open();
    const headers = { 'Mco-Boot-Id': 'another-boot' };
    expect(await agent.request('GET', '/wanted', { headers })).toMatchObject({ status: 401 });
    expect(JSON.stringify([...bench.store.list('session')])).not.toContain(opened.body.token);
  });

  // MCO-C-037
  it('for monitoring only reads the wanted state without renewing the lease, and reports nothing', async () => {
    const agent = await bench.agent('gw-1');
    const monitor = agent.reboot();
    const nonce = await monitor.challenge();
    const claims = {
      sub: 'gw-1',
      htm: 'POST',
      htu: '/mco/v1/hosts/gw-1/sessions',
      nonce,
      bootId: monitor.bootId,
      counter: 1,
    };
    const proof = await monitor.sign(claims);
    const { body } = await monitor.request<{ token: string }>('POST', '/sessions', {
      token: null,
      body: { proof, roles: ['monitoring'], lastStateId: bench.store.stateId },
    });
    const silent = bench.store.get('host', 'gw-1')?.document.state;
    const { token } = body;
    expect(await monitor.request('GET', '/wanted', { token })).toMatchObject({ status: 200 });
    expect(bench.store.get('host', 'gw-1')?.document.state).toBe(silent);
    const report = { full: true, workloads: [], removed: [] };
    expect(await monitor.request('POST', '/reports', { token, sequence: 1, body: report })).toMatchObject({
      status: 403,
    });
    expect(await agent.request('GET', '/wanted')).toMatchObject({ status: 200 });
  });
});

describe('the envelope', () => {
  // MCO-C-004 MCO-C-005
  it('is refused with another major version or another service provider', async () => {
    const agent = await bench.agent('gw-1');
    expect(await agent.request('GET', '/wanted', { headers: { 'Mco-Version': '2.0' } })).toMatchObject({
      status: 400,
    });
    expect(await agent.request('GET', '/wanted', { headers: { 'Mco-Sp-Id': '//else.where' } })).toMatchObject(
      { status: 400 },
    );
    expect(await agent.request('GET', '/wanted', { headers: { 'Mco-Version': '1.99' } })).toMatchObject({
      status: 200,
    });
  });
});

describe('two machines with one identity', () => {
  // MCO-C-040 MCO-C-041
  it('are both refused as soon as each has come back after the other, until an operator settles it', async () => {
    const first = await bench.agent('gw-1');
    const { stateId } = bench.store;
    const second = first.reboot();
    expect(await second.open({}, stateId)).toMatchObject({ status: 201 });
    expect(await first.request('GET', '/wanted')).toMatchObject({ status: 401 });
    expect(await first.open({}, stateId)).toMatchObject({ status: 201 });
    expect(await second.open({}, stateId)).toMatchObject({ status: 409 });
    expect(await first.request('GET', '/wanted')).toMatchObject({ status: 401 });
    expect(await first.request('POST', '/challenges', { token: null })).toMatchObject({ status: 409 });
    const shown = await bench.admin.get('/iotmano/v1/hosts/gw-1');
    expect(shown.body).toMatchObject({ state: 'DISPUTED', disputed: true });
    expect(JSON.stringify(shown.body)).toContain(second.bootId);
    const settled = await bench.admin.patch('/iotmano/v1/hosts/gw-1', { disputed: false });
    expect(settled.body).toMatchObject({ state: 'ENROLLED', disputed: false });
    expect(await first.open({}, stateId)).toMatchObject({ status: 201 });
    expect(await first.request('GET', '/wanted')).toMatchObject({ status: 200 });
  });
});

describe('a store whose state was reset', () => {
  // MCO-C-051
  it('gives a host no orders until an operator has confirmed it, then the whole', async () => {
    const agent = await bench.agent('gw-1');
    await assign(bench.store, agent.hostId, keyOf(1));
    expect(await agent.open({}, 'another-state')).toMatchObject({
      status: 201,
      body: { stateIdConfirmed: false },
    });
    const refused = await agent.request('GET', '/wanted', { query: { full: 'true' } });
    expect(refused.status).toBe(304);
    const since = refused.headers['mco-revision'] ?? '';
    const poll = agent.request('GET', '/wanted', { query: { since, wait: '10' } });
    await bench.admin.patch('/iotmano/v1/hosts/gw-1', { stateConfirmed: true });
    expect(await poll).toMatchObject({ status: 200, body: { full: true, stateIdConfirmed: true } });
  });

  // MCO-C-051
  it('takes no session that was opened under the state before, so that every host says first which one it follows', async () => {
    const agent = await bench.agent('gw-1');
    await assign(bench.store, agent.hostId, keyOf(1));
    const [session] = [...bench.store.list('session')];
    if (session === undefined) throw new Error('there is no session');
    const { id, revision, document } = session;
    // As a backup of that time has it when it was restored, which gives the store another stateId.
    const restored = { ...document, stateId: parseId<StateId>('state-of-the-backup', 'stateId') };
    await bench.store.commit([
      { op: 'update', kind: 'session', id, expectedRevision: revision, document: restored },
    ]).durable;
    expect(await agent.request('GET', '/wanted', { query: { full: 'true' } })).toMatchObject({ status: 401 });
    expect(await agent.open({}, 'state-of-the-backup')).toMatchObject({ body: { stateIdConfirmed: false } });
  });
});

describe('a new leader', () => {
  // MCO-C-039 MCO-O-030
  it('knows enrolments and sessions, and asks for a full report', async () => {
    const store = createMemoryStore();
    const before = await startMcoBench({ store });
    const agent = await before.agent('gw-1');
    await assign(store, agent.hostId, keyOf(1));
    await assign(store, agent.hostId, keyOf(2));
    const { body } = await agent.request<{ revision: number }>('GET', '/wanted');
    const assigned = store.get('assignment', `gw-1.${keyOf(2).vnfInstanceId}-main-g1`);
    await store.commit([
      { op: 'delete', kind: 'assignment', id: assigned?.id ?? '', expectedRevision: assigned?.revision ?? 0 },
    ]).durable;
    const empty = { full: true, workloads: [], removed: [] };
    await agent.request('POST', '/reports', { sequence: 1, body: empty });
    const opened = await agent.open();
    await before.close();
    const after = await startMcoBench({ store: createMemoryStore({ disk: store.disk }) });
    const again = createTestAgent(after.url, 'gw-1', agent.keys);
    const headers = { 'Mco-Boot-Id': agent.bootId };
    const { token } = opened.body;
    const wanted = await again.request('GET', '/wanted', {
      token,
      headers,
      query: { since: String(body.revision) },
    });
    expect(wanted).toMatchObject({ status: 200, body: { full: false, removed: [keyOf(2)] } });
    const part = { full: false, workloads: [], removed: [] };
    expect(
      await again.request('POST', '/reports', { token, headers, sequence: 2, body: part }),
    ).toMatchObject({
      status: 409,
      body: { fullRequired: true, expectedSequence: 2 },
    });
    expect(
      await again.request('POST', '/reports', { token, headers, sequence: 2, body: empty }),
    ).toMatchObject({
      status: 200,
    });
    await after.close();
  });

  // MCO-O-015
  it('answers 410 where the change log no longer reaches back', async () => {
    const store = createMemoryStore({ changeLogLimit: 3 });
    const before = await startMcoBench({ store });
    const agent = await before.agent('gw-1');
    const { body } = await agent.request<{ revision: number }>('GET', '/wanted');
    for (let number = 0; number < 10; number += 1) await assign(store, agent.hostId, keyOf(number));
    const opened = await agent.open();
    await before.close();
    const after = await startMcoBench({ store: createMemoryStore({ disk: store.disk, changeLogLimit: 3 }) });
    const again = createTestAgent(after.url, 'gw-1', agent.keys);
    const options = { token: opened.body.token, headers: { 'Mco-Boot-Id': agent.bootId } };
    const query = { since: String(body.revision) };
    expect(await again.request('GET', '/wanted', { ...options, query })).toMatchObject({ status: 410 });
    const whole = await again.request<{ assignments: unknown[] }>('GET', '/wanted', {
      ...options,
      query: { full: 'true' },
    });
    expect(whole.body.assignments).toHaveLength(10);
    await after.close();
  });
});
