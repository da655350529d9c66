/** Mco-d over a real server of NATS: streams are those of one host and one operator, and nobody fills memory with them. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DEFAULT_TENANT, SYSTEM_TENANT, randomIds, systemClock } from '../kernel/index.ts';
import { createAccessToken } from '../orchestrator/api/index.ts';
import { readStream, type OutputReader } from '../orchestrator/diagnostics/testkit/output-reader.ts';
import { vnfcInstanceId } from '../orchestrator/domain/index.ts';
import { assign, keyOf, observedOf } from '../orchestrator/mco/testkit/assignments.ts';
import { FACTS } from '../orchestrator/mco/testkit/mco-bench.ts';
import { createNatsBench, eventually, type NatsAgent, type NatsBench } from './kit/nats-bench.ts';
import { isServiceMissing } from './kit/services.ts';

const BASE = '/iotmano/v1';
const PIECE = Buffer.alloc(150_000, 'x').toString('base64');

let bench: NatsBench;
let http: { readonly url: string; close(milliseconds: number): Promise<void> };
let gw1: NatsAgent;
let gw2: NatsAgent;
let operator: string;

function tokenOf(name: string): string {
  const { store } = bench;
  const about = { name, role: 'operator' } as const;
  return createAccessToken(
    { store, clock: systemClock, ids: randomIds, random: randomBytes },
    about,
    DEFAULT_TENANT,
  ).token;
}

/** As the first host is told. */
function askedStream(): Promise<string> {
  return eventually(async () => {
    const { wanted } = await gw1.client.wanted({ waitSeconds: 0 });
    const [request] = (wanted?.diagnosticRequests ?? []) as readonly { readonly streamId: string }[];
    if (request === undefined) throw new RangeError('nothing is asked yet');
    return request.streamId;
  });
}

/** A stream that the first host has been asked for, and has not taken up. */
async function asked(): Promise<{ reading: Promise<OutputReader>; streamId: string }> {
  const copy = vnfcInstanceId(gw1.hostId, keyOf(1), 0);
  const body = { command: ['talk'], hasInput: true };
  const reading = readStream(`${http.url}${BASE}/vnfc_instances/${copy}/exec`, operator, { body });
  const streamId = await askedStream();
  return { reading, streamId };
}

describe.skipIf(isServiceMissing('nats-server'))('diagnostics over NATS', () => {
  beforeAll(async () => {
    bench = await createNatsBench();
    const orchestrator = bench.startOrchestrator();
    http = await orchestrator.serveHttp();
    const begin = async (hostId: string, number: number): Promise<NatsAgent> => {
      const agent = await bench.agent(hostId, await bench.credential(orchestrator, hostId));
      await eventually(() => agent.sessions.envelope());
      await agent.client.putFacts(FACTS, 1);
      await assign(bench.store, agent.hostId, keyOf(number));
      await agent.client.wanted({ waitSeconds: 0 });
      await agent.client.postReport({ full: true, workloads: [observedOf(keyOf(number))], removed: [] }, 1);
      return agent;
    };
    gw1 = await begin('gw-1', 1);
    gw2 = await begin('gw-2', 2);
    operator = tokenOf('ann');
    const document = { logs: { isOn: true }, exec: { isOn: true } };
    bench.store.commit([
      { op: 'put', kind: 'diagnostics', id: 'diagnostics', tenant: SYSTEM_TENANT, document },
    ]);
  }, 60_000);

  afterAll(async () => {
    await http.close(100);
    await bench.close();
  }, 30_000);

  // MCO-D-008
  it('are answered by the host that was asked, with input of whoever began them, and under no other id', async () => {
    const { reading, streamId } = await asked();
    await expect(
      gw2.client.stream(streamId)({ number: 1, inputBytes: 0, stdout: PIECE }),
    ).rejects.toMatchObject({
      code: 'gone',
    });
    await expect(gw1.client.stream(randomIds.uuid())({ number: 1, inputBytes: 0 })).rejects.toMatchObject({
      code: 'gone',
    });
    const post = gw1.client.stream(streamId);
    await post({ number: 1, inputBytes: 0 });
    const reader = await reading;
    const give = async (token: string): Promise<number> => {
      const answer = await fetch(`${http.url}${BASE}/diagnostic_streams/${streamId}/input?offset=0`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/octet-stream' },
        body: 'hello',
      });
      await answer.arrayBuffer();
      return answer.status;
    };
    expect([await give(tokenOf('bob')), await give(tokenOf('ann')), await give(operator)]).toEqual([
      404, 404, 200,
    ]);
    const receipt = await post({ number: 2, inputBytes: 0 });
    expect(Buffer.from(receipt.input ?? '', 'base64').toString()).toBe('hello');
    await expect(gw2.client.stream(streamId)({ number: 3, inputBytes: 0 })).rejects.toMatchObject({
      code: 'gone',
    });
    await post({ number: 3, inputBytes: 5, end: { reason: 'EXITED', exitCode: 0 } });
    await reader.done;
    expect(reader).toMatchObject({ stdout: '', end: { reason: 'EXITED', exitCode: 0 } });
  });

  // MCO-D-010
  it('stop a host whose reader does not read, and end where it sends on all the same', async () => {
    const copy = vnfcInstanceId(gw1.hostId, keyOf(1), 0);
    const abort = new AbortController();
    const answer = fetch(`${http.url}${BASE}/vnfc_instances/${copy}/logs?follow=true`, {
      headers: { authorization: `Bearer ${operator}` },
      signal: abort.signal,
    });
    const streamId = await askedStream();
    const post = gw1.client.stream(streamId);
    let { creditBytes } = await post({ number: 1, inputBytes: 0 });
    await answer;
    let number = 2;
    for (; creditBytes >= 150_000 && number < 300; number += 1)
      ({ creditBytes } = await post({ number, inputBytes: 0, stdout: PIECE }));
    expect(creditBytes).toBeLessThan(150_000);
    await post({ number, inputBytes: 0, stdout: PIECE });
    await expect(post({ number: number + 1, inputBytes: 0 })).rejects.toMatchObject({ code: 'gone' });
    const ends = [...bench.store.list('audit-entry')].map(({ document }) => document.end);
    expect(ends.at(-1)).toMatchObject({ reason: 'FAILED', detail: expect.stringContaining('were allowed') });
    abort.abort();
  });
});
