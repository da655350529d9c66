import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { components } from '../../api-specs/generated/iotmano.ts';
import type { components as mco } from '../../api-specs/generated/mco.ts';
import type { HostId } from '../../kernel/index.ts';
import { createFakeClock, type FakeClock } from '../../test/kit/fake-clock.ts';
import { vnfcInstanceId } from '../domain/index.ts';
import { assign, keyOf, observedOf } from '../mco/testkit/assignments.ts';
import { FACTS, startMcoBench, type McoBench, type TestAgent } from '../mco/testkit/mco-bench.ts';
import { createMemoryStore, type MemoryStore } from '../store/index.ts';
import { diagnosticsOver } from './testkit/diagnostics-over.ts';
import { readStream, type OutputReader } from './testkit/output-reader.ts';

type AuditEntry = components['schemas']['AuditEntry'];
type Switches = components['schemas']['Diagnostics'];
type Wanted = mco['schemas']['wanted'];
type Request = mco['schemas']['diagnostic-request'];
type Chunk = mco['schemas']['stream-chunk'];
type Receipt = mco['schemas']['stream-receipt'] & { readonly expectedSequence?: number };

const SWITCHES = '/iotmano/v1/diagnostics';
const BASE = '/iotmano/v1/vnfc_instances';

let clock: FakeClock;
let store: MemoryStore;
let bench: McoBench;
let gw1: TestAgent;
let operator: string;

beforeEach(async () => {
  clock = createFakeClock();
  store = createMemoryStore();
  bench = await startMcoBench({ store, clock });
  gw1 = await begin('gw-1', 1);
  operator = bench.tokenFor('operator');
});

afterEach(() => bench.close());

/** A host that runs one copy. */
async function begin(hostId: string, number: number): Promise<TestAgent> {
  const agent = await bench.agent(hostId);
  await agent.request('PUT', '/facts', { sequence: 1, body: FACTS });
  await assign(store, agent.hostId, keyOf(number));
  await wanted(agent);
  const report = { full: true, workloads: [observedOf(keyOf(number))], removed: [] };
  await agent.request('POST', '/reports', { sequence: 1, body: report });
  return agent;
}

const switchOn = (changes: object = { logs: true, exec: true }) =>
  bench.clientFor('admin').patch(SWITCHES, changes);
const copyOf = (hostId = 'gw-1', number = 1): string =>
  `${BASE}/${vnfcInstanceId(hostId as HostId, keyOf(number), 0)}`;
const exec = (command: readonly string[], more: object = {}, token = operator): Promise<OutputReader> =>
  readStream(`${bench.url}${copyOf()}/exec`, token, { body: { command, ...more } });
const logs = (query = '', token = operator): Promise<OutputReader> =>
  readStream(`${bench.url}${copyOf()}/logs${query}`, token);

async function wanted(agent = gw1, since?: number): Promise<Wanted> {
  const query = since === undefined ? {} : { since: String(since), wait: '0' };
  return (await agent.request<Wanted>('GET', '/wanted', { query })).body;
}

async function requests(agent = gw1): Promise<readonly Request[]> {
  return (await wanted(agent)).diagnosticRequests;
}

/** The request that stands, as soon as there is one. */
async function asked(agent = gw1, count = 1): Promise<Request> {
  return await eventually(async () => {
    const all = await requests(agent);
    return all.length === count ? all[count - 1] : undefined;
  });
}

function send(streamId: string, chunk: Partial<Chunk> & { number: number }, agent = gw1) {
  return agent.request<Receipt>('POST', `/streams/${streamId}`, { body: { inputBytes: 0, ...chunk } });
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');

async function audit(token = bench.clientFor('admin')): Promise<readonly AuditEntry[]> {
  return (await token.get<AuditEntry[]>('/iotmano/v1/audit_entries')).body;
}

async function eventually<T>(look: () => T | undefined | false | Promise<T | undefined | false>): Promise<T> {
  for (let turn = 0; turn < 500; turn += 1) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new RangeError('it never came to pass');
}

/** A stream that its agent has taken up. */
async function taken(reading: Promise<OutputReader>): Promise<{ reader: OutputReader; streamId: string }> {
  const { streamId } = await asked();
  expect(await send(streamId, { number: 1 })).toMatchObject({ status: 200 });
  return { reader: await reading, streamId };
}

describe('the switches of diagnostics', () => {
  // MCO-D-002
  it('are off at first, and are an admin’s of the installation', async () => {
    expect((await bench.clientFor('viewer').get(SWITCHES)).body).toEqual({
      logs: false,
      exec: false,
      changed: {},
    });
    for (const refused of [await exec(['true']), await logs()])
      expect(refused).toMatchObject({
        status: 409,
        detail: expect.stringContaining('iotmano diagnostics on'),
      });
    expect((await bench.clientFor('operator').patch(SWITCHES, { exec: true })).status).toBe(403);
    expect((await bench.clientFor('admin', 'acme').patch(SWITCHES, { exec: true })).status).toBe(403);
    expect(await switchOn({ exec: true })).toMatchObject({ status: 200, body: { logs: false, exec: true } });
    expect((await logs()).status).toBe(409);
    expect(await audit()).toMatchObject([{ action: 'switch', switched: { exec: true }, user: 'admin' }]);
  });

  it('say of each kind when it was changed last, and by whom', async () => {
    await switchOn({ logs: true });
    const first = { at: expect.any(String), by: 'admin' };
    expect(await switchOn({ logs: true })).toMatchObject({ body: { changed: { logs: first } } });
    const { changed } = (await bench.clientFor('viewer').get<Switches>(SWITCHES)).body;
    expect(changed).toEqual({ logs: first });
    await clock.advance(60_000);
    const later = (await bench.clientFor('admin').patch<Switches>(SWITCHES, { logs: true, exec: true })).body;
    expect(later.changed.logs).toEqual(changed.logs);
    expect(Date.parse(later.changed.exec?.at ?? '') - Date.parse(changed.logs?.at ?? '')).toBe(60_000);
  });

  // MCO-D-014
  it('end what runs of what is switched off, and leave the other kind alone', async () => {
    await switchOn();
    const command = await taken(exec(['wait']));
    const reading = logs('?follow=true');
    const { streamId } = await asked(gw1, 2);
    await send(streamId, { number: 1 });
    const output = await reading;
    await switchOn({ logs: false });
    await output.done;
    expect(output.end).toEqual({ reason: 'SWITCHED_OFF' });
    expect(await send(streamId, { number: 2 })).toMatchObject({ status: 410 });
    expect((await requests()).map(({ kind }) => kind)).toEqual(['exec']);
    expect(await send(command.streamId, { number: 2, end: { reason: 'EXITED', exitCode: 0 } })).toMatchObject(
      {
        status: 200,
      },
    );
    await command.reader.done;
    expect(command.reader.end).toEqual({ reason: 'EXITED', exitCode: 0 });
  });
});

describe('a use of diagnostics', () => {
  // MCO-D-003 MCO-D-004 MCO-D-006
  it('is in the audit log before the host hears of it, and its end is noted there', async () => {
    await switchOn();
    const since = (await wanted()).revision;
    const poll = gw1.request<Wanted>('GET', '/wanted', { query: { since: String(since), wait: '9' } });
    const reading = exec(['ls', '-l'], { maxSeconds: 60 });
    const [request] = (await poll).body.diagnosticRequests;
    expect(request).toMatchObject({
      kind: 'exec',
      command: ['ls', '-l'],
      workload: keyOf(1),
      maxSeconds: 60,
    });
    const [, entry] = await audit();
    expect(entry).toMatchObject({
      user: 'operator',
      role: 'operator',
      tenant: 'default',
      action: 'exec',
      hostId: 'gw-1',
      vnfInstanceId: keyOf(1).vnfInstanceId,
      command: ['ls', '-l'],
      streamId: request?.streamId,
    });
    expect(entry?.tokenId).toBeDefined();
    expect(entry).not.toHaveProperty('end');
    const { reader, streamId } = await taken(reading);
    await send(streamId, { number: 2, stdout: base64('out'), stderr: base64('err!') });
    await send(streamId, { number: 3, end: { reason: 'EXITED', exitCode: 2 } });
    await reader.done;
    expect(reader).toMatchObject({ stdout: 'out', stderr: 'err!', end: { reason: 'EXITED', exitCode: 2 } });
    expect((await audit())[1]?.end).toMatchObject({ reason: 'EXITED', exitCode: 2, outputBytes: 7 });
    expect(await requests()).toEqual([]);
  });

  it('is for the tenant of the function, and a command for those who may change things', async () => {
    await switchOn();
    const viewer = bench.tokenFor('viewer');
    expect((await exec(['true'], {}, viewer)).status).toBe(403);
    expect((await exec(['true'], {}, bench.tokenFor('operator', 'acme'))).status).toBe(404);
    expect((await logs('', bench.tokenFor('viewer', 'acme'))).status).toBe(404);
    const { reader, streamId } = await taken(logs('?tail=3', viewer));
    await send(streamId, { number: 2, stdout: base64('line\n'), end: { reason: 'COMPLETE' } });
    await reader.done;
    expect(reader).toMatchObject({ stdout: 'line\n', end: { reason: 'COMPLETE' } });
    expect(await audit(bench.clientFor('admin', 'acme'))).toEqual([]);
    expect((await bench.clientFor('operator').get('/iotmano/v1/audit_entries')).status).toBe(403);
  });

  it('of output is plain text for who asks for that', async () => {
    await switchOn();
    const answer = fetch(`${bench.url}${copyOf()}/logs`, {
      headers: { authorization: `Bearer ${operator}` },
    });
    const { streamId } = await asked();
    await send(streamId, { number: 1 });
    await send(streamId, { number: 2, stdout: base64('as it is'), end: { reason: 'COMPLETE' } });
    expect(await (await answer).text()).toBe('as it is');
  });

  it('is refused with a reason where the host is not there, refuses it, or never takes it up', async () => {
    await switchOn();
    const refused = exec(['true']);
    const { streamId } = await asked();
    await send(streamId, { number: 1, end: { reason: 'REFUSED', detail: 'main-0 is FAILED' } });
    expect(await refused).toMatchObject({ status: 409, detail: expect.stringContaining('main-0 is FAILED') });
    const silent = exec(['true']);
    await asked();
    await clock.advance(21_000);
    expect(await silent).toMatchObject({ status: 504, detail: expect.stringContaining('within 20 s') });
    expect((await audit()).at(-1)?.end).toMatchObject({ reason: 'HOST_SILENT' });
    const host = store.get('host', 'gw-1');
    if (host === undefined) throw new RangeError('gw-1 is gone');
    const document = { ...host.document, state: 'LOST' as const };
    store.commit([{ op: 'put', kind: 'host', id: 'gw-1', tenant: host.tenant, document }]);
    expect(await exec(['true'])).toMatchObject({
      status: 503,
      detail: expect.stringContaining('gw-1 is LOST'),
    });
  });

  it.each([
    [['a\0b'], '/command/0 holds a NUL character'],
    [[''], '/command/0 is empty'],
    [['é'.repeat(8192), 'x'], '/command has 16385 bytes'],
    [[], 'command'],
  ])('with the command %j is refused at its place', async (command, text) => {
    await switchOn();
    expect(await exec(command)).toMatchObject({ status: 400, detail: expect.stringContaining(text) });
    expect(await requests()).toEqual([]);
  });

  // MCO-D-014
  it('is one of a bounded number for each host, of which each has a share, and ends with its reader', async () => {
    await switchOn();
    const leaving = new AbortController();
    const { signal } = leaving;
    const url = `${bench.url}${copyOf()}/logs?follow=true`;
    const readers = Array.from({ length: 6 }, () =>
      readStream(url, operator, { signal }).catch(() => undefined),
    );
    await eventually(async () => (await requests()).length === 6);
    const refused = {
      status: 429,
      detail: expect.stringContaining('operator has 6 of the 16 streams at host gw-1'),
    };
    expect(await logs()).toMatchObject(refused);
    const viewer = bench.tokenFor('viewer');
    readers.push(readStream(url, viewer, { signal }).catch(() => undefined));
    await eventually(async () => (await requests()).length === 7);
    const [first] = await requests();
    await send(first?.streamId ?? '', { number: 1 });
    leaving.abort();
    await Promise.all(readers);
    await eventually(async () => (await requests()).length === 0);
    expect(await send(first?.streamId ?? '', { number: 2 })).toMatchObject({ status: 410 });
    const ends = (await audit()).map(({ end }) => end?.reason);
    expect(ends.filter((reason) => reason === 'READER_GONE')).toHaveLength(7);
  });

  it('has one reader: two of the same copy are two streams', async () => {
    await switchOn();
    const one = await taken(logs('?follow=true'));
    const reading = logs('?follow=true');
    const { streamId } = await asked(gw1, 2);
    await send(streamId, { number: 1 });
    const other = await reading;
    await send(one.streamId, { number: 2, stdout: base64('one'), end: { reason: 'COMPLETE' } });
    await send(streamId, { number: 2, stdout: base64('two'), end: { reason: 'COMPLETE' } });
    await Promise.all([one.reader.done, other.done]);
    expect([one.reader.stdout, other.stdout]).toEqual(['one', 'two']);
  });

  it('ends when its token is deleted', async () => {
    await switchOn();
    const { reader, streamId } = await taken(exec(['wait']));
    const { tokenId } = (await audit()).at(-1) ?? {};
    const token = store.get('access-token', tokenId ?? '');
    if (token === undefined) throw new RangeError('the entry names no token');
    const { id, revision } = token;
    store.commit([{ op: 'delete', kind: 'access-token', id, expectedRevision: revision }]);
    await send(streamId, { number: 2, stdout: base64('secret') });
    await reader.done;
    await eventually(async () => (await requests()).length === 0);
    expect(reader.stdout).toBe('');
    expect((await audit()).at(-1)?.end).toMatchObject({ reason: 'READER_GONE' });
  });
});

describe('the chunks of a stream', () => {
  // MCO-D-007
  it('are taken once each, in order, however often they come', async () => {
    await switchOn();
    const { reader, streamId } = await taken(exec(['talk']));
    for (const number of [2, 2, 1, 2]) await send(streamId, { number, stdout: base64('a') });
    const gap = await send(streamId, { number: 4, stdout: base64('c') });
    expect(gap).toMatchObject({ status: 409, body: { expectedSequence: 3 } });
    await send(streamId, { number: 3, stdout: base64('b'), end: { reason: 'EXITED', exitCode: 0 } });
    await reader.done;
    expect(reader.stdout).toBe('ab');
  });

  // MCO-D-008
  it('are those of the host and the session that have taken the stream up', async () => {
    await switchOn();
    const other = await begin('gw-2', 2);
    const { reader, streamId } = await taken(exec(['wait']));
    expect(await send(streamId, { number: 2 }, other)).toMatchObject({ status: 410 });
    expect(await send('never-there', { number: 1 })).toMatchObject({ status: 410 });
    const again = gw1.reboot();
    await again.open();
    await reader.done;
    expect(reader.end).toEqual({ reason: 'SESSION_ENDED' });
    expect(await send(streamId, { number: 2 }, again)).toMatchObject({ status: 410 });
  });

  it('may hold so much as the reader leaves room for, and no more than was asked for', async () => {
    await switchOn();
    const { reader, streamId } = await taken(exec(['yes'], { maxBytes: 300_000 }));
    const piece = base64('x'.repeat(200_000));
    const first = await send(streamId, { number: 2, stdout: piece });
    expect(first.body.creditBytes).toBe(262_144);
    await send(streamId, { number: 3, stdout: piece });
    await reader.done;
    expect(reader).toMatchObject({ end: { reason: 'BYTES' } });
    expect(reader.stdout).toHaveLength(300_000);
    expect((await audit()).at(-1)?.end).toMatchObject({ reason: 'BYTES', outputBytes: 300_000 });
  });

  // MCO-D-010
  it('end a stream with more at once than the reader leaves room for', async () => {
    await switchOn();
    const { reader, streamId } = await taken(exec(['yes']));
    const piece = base64('x'.repeat(200_000));
    expect(await send(streamId, { number: 2, stdout: piece, stderr: piece })).toMatchObject({ status: 200 });
    await reader.done;
    expect(reader).toMatchObject({
      stdout: '',
      end: { reason: 'FAILED', detail: expect.stringContaining('400000 bytes at once where 262144') },
    });
    expect(await send(streamId, { number: 3 })).toMatchObject({ status: 410 });
  });

  // MCO-D-013
  it('have to come now and then: a stream that nothing is heard of ends', async () => {
    await switchOn();
    const { reader, streamId } = await taken(exec(['wait']));
    for (const number of [2, 3]) {
      await clock.advance(40_000);
      expect(await send(streamId, { number })).toMatchObject({ status: 200 });
    }
    await clock.advance(46_000);
    await reader.done;
    expect(reader.end).toMatchObject({ reason: 'HOST_SILENT', detail: expect.stringContaining('for 45 s') });
  });

  it('are refused after the time that was asked for', async () => {
    await switchOn();
    const { reader, streamId } = await taken(exec(['wait'], { maxSeconds: 30 }));
    await clock.advance(36_000);
    await reader.done;
    expect(reader.end).toEqual({ reason: 'SECONDS' });
    expect(await send(streamId, { number: 2 })).toMatchObject({ status: 410 });
  });
});

describe('standard input', () => {
  const give = async (streamId: string, offset: number, text: string, more = '', token = operator) => {
    const response = await fetch(
      `${bench.url}/iotmano/v1/diagnostic_streams/${streamId}/input?offset=${offset}${more}`,
      {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/octet-stream' },
        body: text,
      },
    );
    return { status: response.status, body: (await response.json()) as { receivedBytes?: number } };
  };

  it('reaches the command in order, whatever is repeated on either side', async () => {
    await switchOn();
    const { streamId } = await taken(exec(['cat'], { hasInput: true }));
    expect(await give(streamId, 0, 'hello ')).toEqual({ status: 200, body: { receivedBytes: 6 } });
    expect(await give(streamId, 0, 'hello you')).toEqual({ status: 200, body: { receivedBytes: 9 } });
    expect((await give(streamId, 20, 'x')).status).toBe(409);
    const first = await send(streamId, { number: 2 });
    expect(first.body).toMatchObject({ input: base64('hello you') });
    expect((await send(streamId, { number: 2 })).body).toMatchObject({ input: base64('hello you') });
    expect(await give(streamId, 9, '', '&end=true')).toMatchObject({ status: 200 });
    const last = await send(streamId, { number: 3, inputBytes: 9 });
    expect(last.body).toMatchObject({ isInputEnded: true });
    expect(last.body).not.toHaveProperty('input');
  });

  it('is bounded, is who began the stream’s to give, and is not taken once it has ended', async () => {
    await switchOn();
    const { reader, streamId } = await taken(exec(['cat'], { hasInput: true }));
    expect((await give(streamId, 0, 'x'.repeat(300_000))).status).toBe(413);
    expect((await give(streamId, 0, 'x', '', bench.tokenFor('operator'))).status).toBe(404);
    expect(await give(streamId, 0, 'x'.repeat(262_144))).toMatchObject({ body: { receivedBytes: 262_144 } });
    const waiting = give(streamId, 262_144, 'yz');
    const chunk = await send(streamId, { number: 2, inputBytes: 0 });
    await send(streamId, { number: 3, inputBytes: Buffer.from(chunk.body.input ?? '', 'base64').length });
    expect(await waiting).toMatchObject({ body: { receivedBytes: 262_146 } });
    await send(streamId, { number: 4, inputBytes: 65_536, end: { reason: 'EXITED', exitCode: 0 } });
    await reader.done;
    expect([404, 410]).toContain((await give(streamId, 262_146, 'more')).status);
  });

  it('is complete from the beginning where none is given', async () => {
    await switchOn();
    const reading = exec(['cat']);
    const { streamId } = await asked();
    expect((await send(streamId, { number: 1 })).body).toMatchObject({ isInputEnded: true });
    (await reading).leave();
  });
});

describe('the audit log', () => {
  it('says of what a process before has left open that it has ended with it', async () => {
    await switchOn();
    const { reader } = await taken(exec(['wait']));
    const later = createMemoryStore({ disk: store.disk });
    diagnosticsOver(later).start();
    const ends = [...later.list('audit-entry')].map(({ document }) => document.end?.reason);
    expect(ends).toContain('RESTARTED');
    reader.leave();
  });
});
