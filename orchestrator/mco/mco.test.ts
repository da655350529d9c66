import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { WantedMessage } from './messages.ts';
import { DIGEST, assign, keyOf, observedOf, unassign } from './testkit/assignments.ts';
import { FACTS, startMcoBench, type McoBench, type TestAgent } from './testkit/mco-bench.ts';

let directory: string;
let bench: McoBench;
let gw1: TestAgent;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'mco-'));
  const path = join(directory, 'artifact');
  writeFileSync(path, '0123456789');
  bench = await startMcoBench({ artifacts: { openArtifact: async () => ({ path, sizeBytes: 10 }) } });
  gw1 = await bench.agent('gw-1');
});

afterEach(async () => {
  await bench.close();
  rmSync(directory, { recursive: true, force: true });
});

function wanted(query: Record<string, string>, agent = gw1) {
  return agent.request<WantedMessage>('GET', '/wanted', { query });
}

describe('the path of a host', () => {
  // MCO-O-010 MCO-D-002
  it('leads from enrolment over facts and wanted state to reports', async () => {
    expect(await gw1.request('PUT', '/facts', { sequence: 1, body: FACTS })).toMatchObject({
      status: 200,
      body: { nextSequence: 2 },
    });
    await assign(bench.store, gw1.hostId, keyOf(1));
    const whole = await wanted({ full: 'true' });
    expect(whole.body).toMatchObject({ full: true, stateIdConfirmed: true, heartbeatIntervalSeconds: 9 });
    expect(whole.body.diagnosticRequests).toEqual([]);
    expect(whole.body.assignments.map(({ workload }) => workload.key)).toEqual([keyOf(1)]);
    expect(whole.body.fence).toEqual({ leaseNumber: bench.store.leaseNumber, revision: whole.body.revision });
    const report = { full: true, workloads: [observedOf(keyOf(1))], removed: [] };
    const receipt = await gw1.request('POST', '/reports', { sequence: 1, body: report });
    expect(receipt).toMatchObject({ status: 200, body: { nextSequence: 2, ignored: 0 } });
    const [observed] = bench.store.listByPrefix('observed', 'gw-1.');
    expect(observed).toMatchObject({ tenant: 'default', document: { workload: observedOf(keyOf(1)) } });
    expect(bench.store.get('host', 'gw-1')?.document.state).toBe('READY');
  });

  // MCO-C-053 MCO-O-070
  it('ends with leaving: drained first while something is assigned, then forgotten', async () => {
    await assign(bench.store, gw1.hostId, keyOf(1));
    expect(await gw1.request('DELETE', '')).toMatchObject({ status: 409 });
    expect(bench.store.get('host', 'gw-1')?.document.draining).toBe(false);
    const drain = await gw1.request('DELETE', '', { query: { drain: 'true' } });
    expect(drain).toMatchObject({ status: 202, body: { remainingAssignments: 1 } });
    expect(bench.store.get('host', 'gw-1')?.document.draining).toBe(true);
    await unassign(bench.store, gw1.hostId, keyOf(1));
    expect(await gw1.request('DELETE', '', { query: { drain: 'true' } })).toMatchObject({ status: 204 });
    expect(await wanted({})).toMatchObject({ status: 401 });
    expect(await gw1.request('POST', '/challenges', { token: null })).toMatchObject({ status: 404 });
  });
});

describe('wanted state', () => {
  // MCO-O-014
  it('answers a waiting poll with what changed, as soon as it is durable', async () => {
    const { body } = await wanted({});
    const poll = wanted({ since: String(body.revision), wait: '10' });
    await assign(bench.store, gw1.hostId, keyOf(1));
    const answer = await poll;
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ full: false, removed: [] });
    expect(answer.body.assignments).toHaveLength(1);
    expect(answer.headers['mco-revision']).toBe(String(answer.body.revision));
  });

  // MCO-O-011
  it('names what was removed, and not what was assigned again since', async () => {
    await assign(bench.store, gw1.hostId, keyOf(1));
    await assign(bench.store, gw1.hostId, keyOf(2));
    const { body } = await wanted({});
    await unassign(bench.store, gw1.hostId, keyOf(1));
    await unassign(bench.store, gw1.hostId, keyOf(2));
    await assign(bench.store, gw1.hostId, keyOf(2));
    const answer = await wanted({ since: String(body.revision) });
    expect(answer.body.removed).toEqual([keyOf(1)]);
    expect(answer.body.assignments.map(({ workload }) => workload.key)).toEqual([keyOf(2)]);
  });

  // MCO-O-012
  it('is 304 when nothing changed in the wait, with the revision to go on from', async () => {
    const { body } = await wanted({});
    const other = await bench.agent('gw-2');
    await assign(bench.store, other.hostId, keyOf(7));
    const answer = await wanted({ since: String(body.revision), wait: '0.05' });
    expect(answer.status).toBe(304);
    expect(Number(answer.headers['mco-revision'])).toBeGreaterThan(body.revision);
  });

  // MCO-O-013 MCO-O-041
  it('waits no longer than the heartbeat interval, which is a third of the shortest patience', async () => {
    await assign(bench.store, gw1.hostId, keyOf(1), 1.5);
    const { body } = await wanted({});
    expect(body).toMatchObject({ heartbeatIntervalSeconds: 0.5, leaseSeconds: 1 });
    const begin = performance.now();
    expect(await wanted({ since: String(body.revision), wait: '60' })).toMatchObject({ status: 304 });
    expect(performance.now() - begin).toBeLessThan(5_000);
  });

  // MCO-O-017
  it('ends the older of two waiting polls of a session, and leaves the newer one waiting', async () => {
    const { body } = await wanted({});
    const query = { since: String(body.revision), wait: '10' };
    const older = wanted(query);
    const newer = wanted(query);
    const first = await Promise.race([older, newer]);
    expect(first.status).toBe(304);
    await assign(bench.store, gw1.hostId, keyOf(1));
    const answers = await Promise.all([older, newer]);
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 304]);
  });

  // MCO-O-015
  it('is 410 for a revision that was never here', async () => {
    expect(await wanted({ since: '999999' })).toMatchObject({ status: 410 });
  });

  // MCO-C-014
  it('measures the offset of the host clock', async () => {
    const time = new Date(Date.now() - 3_600_000).toISOString();
    const answer = await gw1.request('GET', '/wanted', { headers: { 'Mco-Time': time } });
    const offset = Number(answer.headers['mco-clock-offset']);
    expect(Math.abs(offset + 3_600_000)).toBeLessThan(5_000);
    const shown = await bench.admin.get('/iotmano/v1/hosts/gw-1');
    expect(shown.body).toMatchObject({ clockOffsetMilliseconds: offset });
  });
});

describe('reports', () => {
  const full = { full: true, workloads: [observedOf(keyOf(1))], removed: [] };

  beforeEach(() => assign(bench.store, gw1.hostId, keyOf(1)));

  // MCO-O-034
  it('write nothing when they say what is known', async () => {
    await gw1.request('POST', '/reports', { sequence: 1, body: full });
    const { acceptedRevision } = bench.store;
    await gw1.request('POST', '/reports', { sequence: 2, body: full });
    expect(bench.store.acceptedRevision).toBe(acceptedRevision);
  });

  // MCO-C-011 MCO-O-031
  it('are refused after a gap with the number that is expected, and applied once when repeated', async () => {
    const part = { full: false, workloads: [observedOf(keyOf(1), 1)], removed: [] };
    await gw1.request('POST', '/reports', { sequence: 1, body: full });
    expect(await gw1.request('POST', '/reports', { sequence: 3, body: part })).toMatchObject({
      status: 409,
      body: { expectedSequence: 2, fullRequired: false },
    });
    await gw1.request('POST', '/reports', { sequence: 2, body: part });
    const repeated = await gw1.request('POST', '/reports', { sequence: 1, body: full });
    expect(repeated).toMatchObject({ status: 200, body: { nextSequence: 3 } });
    const [observed] = bench.store.listByPrefix('observed', 'gw-1.');
    expect(observed?.document.workload.instances[0]?.restarts).toBe(1);
  });

  // MCO-O-030
  it('have to begin with a full one', async () => {
    const part = { full: false, workloads: [], removed: [] };
    expect(await gw1.request('POST', '/reports', { sequence: 1, body: part })).toMatchObject({
      status: 409,
      body: { expectedSequence: 1, fullRequired: true },
    });
  });

  // MCO-O-032
  it('delete what is gone: named as removed, or missing from a full one', async () => {
    await assign(bench.store, gw1.hostId, keyOf(2));
    const both = { ...full, workloads: [observedOf(keyOf(1)), observedOf(keyOf(2))] };
    await gw1.request('POST', '/reports', { sequence: 1, body: both });
    await gw1.request('POST', '/reports', {
      sequence: 2,
      body: { full: false, workloads: [], removed: [keyOf(2)] },
    });
    expect([...bench.store.list('observed')]).toHaveLength(1);
    await gw1.request('POST', '/reports', { sequence: 3, body: { ...full, workloads: [] } });
    expect([...bench.store.list('observed')]).toHaveLength(0);
  });

  // MCO-O-033
  it('are ignored where they concern what was never assigned, or another tenant', async () => {
    const foreign = { ...observedOf(keyOf(1)), key: { ...keyOf(1), tenant: 'other' } };
    const body = { ...full, workloads: [foreign, observedOf(keyOf(9))] };
    const answer = await gw1.request('POST', '/reports', { sequence: 1, body });
    expect(answer).toMatchObject({ status: 200, body: { ignored: 2 } });
    expect([...bench.store.list('observed')]).toHaveLength(0);
  });
});

describe('facts', () => {
  // MCO-O-001
  it('are replaced by newer ones, and older ones are refused', async () => {
    await gw1.request('PUT', '/facts', { sequence: 2, body: FACTS });
    expect(await gw1.request('PUT', '/facts', { sequence: 2, body: FACTS })).toMatchObject({ status: 200 });
    const older = { ...FACTS, address: '192.0.2.9' };
    expect(await gw1.request('PUT', '/facts', { sequence: 1, body: older })).toMatchObject({
      status: 409,
      body: { expectedSequence: 3 },
    });
    expect(await gw1.request('PUT', '/facts', { sequence: 3, body: older })).toMatchObject({ status: 200 });
    expect(bench.store.get('host-facts', 'gw-1')?.document.address).toBe('192.0.2.9');
  });

  // MCO-O-001
  it('that say nothing new are the newest all the same: older ones are refused after them', async () => {
    await gw1.request('PUT', '/facts', { sequence: 1, body: FACTS });
    await gw1.request('PUT', '/facts', { sequence: 5, body: FACTS });
    const late = { ...FACTS, address: '192.0.2.9' };
    expect(await gw1.request('PUT', '/facts', { sequence: 3, body: late })).toMatchObject({
      status: 409,
      body: { expectedSequence: 6 },
    });
    expect(bench.store.get('host-facts', 'gw-1')?.document.address).toBe(FACTS.address);
  });

  // MCO-O-002
  it('of a new boot count from 1 again', async () => {
    await gw1.request('PUT', '/facts', { sequence: 5, body: FACTS });
    const rebooted = gw1.reboot();
    await rebooted.open();
    const body = { ...FACTS, address: '192.0.2.10' };
    expect(await rebooted.request('PUT', '/facts', { sequence: 1, body })).toMatchObject({ status: 200 });
  });
});

describe('artifacts', () => {
  // MCO-O-060 MCO-O-061
  it('are given by digest, whole or in part, to hosts that need them', async () => {
    expect(await gw1.request('GET', `/artifacts/${DIGEST}`)).toMatchObject({ status: 404 });
    await assign(bench.store, gw1.hostId, keyOf(1));
    expect(await gw1.request('GET', `/artifacts/${DIGEST}`)).toMatchObject({
      status: 200,
      body: '0123456789',
      headers: { etag: `"${DIGEST}"` },
    });
    expect(
      await gw1.request('GET', `/artifacts/${DIGEST}`, { headers: { Range: 'bytes=4-' } }),
    ).toMatchObject({ status: 206, body: '456789', headers: { 'content-range': 'bytes 4-9/10' } });
    expect(
      await gw1.request('GET', `/artifacts/${DIGEST}`, { headers: { Range: 'bytes=10-' } }),
    ).toMatchObject({ status: 416 });
  });

  // MCO-O-060
  it('stay hidden from hosts that do not need them', async () => {
    await assign(bench.store, gw1.hostId, keyOf(1));
    const other = await bench.agent('gw-2');
    expect(await other.request('GET', `/artifacts/${DIGEST}`)).toMatchObject({ status: 404 });
  });
});
