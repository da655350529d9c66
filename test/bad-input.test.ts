import { connect, type Socket } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { HostId, TenantId } from '../kernel/index.ts';
import { hashSecret } from '../orchestrator/domain/index.ts';
import { composeAllRoutes, type AllRoutes } from './kit/all-routes.ts';
import { startTestApi, type TestApi } from './kit/api-server.ts';
import { loadBodyMembers } from './kit/body-members.ts';
import { generateBadRequest, type BadRequest } from './kit/bad-request.ts';

const REQUESTS = 10_000;
const BATCH = 250;
const SESSION = 'session-token-of-gw-1-0123456789';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

let composed: AllRoutes;
let api: TestApi;
let token: string;

beforeAll(async () => {
  composed = await composeAllRoutes();
  api = await startTestApi({
    store: composed.store,
    routes: () => composed.routes,
    maxBodyMilliseconds: 150,
  });
  token = api.tokenFor('admin');
  composed.store.commit([
    {
      op: 'put',
      kind: 'session',
      id: hashSecret(SESSION),
      tenant: 'system' as TenantId,
      document: { hostId: 'gw-1' as HostId, bootId: 'boot-0001', expiresAt: '2999-01-01T00:00:00.000Z' },
    },
  ]);
});
afterAll(async () => {
  await api.close();
  await composed.close();
});

test(
  `${REQUESTS} bad requests over all routes give problems that name the place, and change nothing`,
  { timeout: 120_000 },
  async () => {
    const routes = composed.routes;
    const requests = fc.sample(generateBadRequest(routes, loadBodyMembers()), {
      numRuns: REQUESTS,
      seed: 20_261_122,
    });
    const revision = composed.store.acceptedRevision;
    const startedAt = performance.now();
    const failures: string[] = [];
    let heapAfterWarmUp = 0;
    for (let start = 0; start < requests.length; start += BATCH) {
      const batch = requests.slice(start, start + BATCH);
      const answers = await sendAll(batch);
      for (const [index, answer] of answers.entries()) {
        const fault = faultOf(answer);
        const request = batch[index];
        if (fault !== undefined && request !== undefined)
          failures.push(`${describeRequest(request)} → ${fault}`);
      }
      if (start === BATCH * 8) heapAfterWarmUp = await settledHeap();
    }
    expect(failures.slice(0, 10), `${failures.length} of ${requests.length} failed`).toEqual([]);
    expect(composed.store.acceptedRevision).toBe(revision);
    expect((await settledHeap()) - heapAfterWarmUp).toBeLessThan(20 * 1024 * 1024);
    expect(performance.now() - startedAt).toBeLessThan(60_000);
    const usedRoutes = new Set(requests.map(({ route }) => route));
    expect(usedRoutes.size).toBe(routes.length);
  },
);

/** What is left when nothing is in flight and all garbage is gone. */
async function settledHeap(): Promise<number> {
  for (let round = 0; round < 3; round += 1) {
    collectGarbage();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return process.memoryUsage().heapUsed;
}

function describeRequest({ route, kind, bytes }: BadRequest): string {
  return `${kind}: ${route.method} ${route.path}: ${JSON.stringify(bytes.toString('latin1').slice(0, 300))}`;
}

function faultOf(answer: string): string | undefined {
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(answer)?.[1]);
  if (Number.isNaN(status)) return `no answer: ${JSON.stringify(answer.slice(0, 100))}`;
  if (status < 400) return `accepted with ${status}`;
  if (status >= 500) return `${status}: ${answer.slice(-300)}`;
  if (!/\r\ncontent-type: application\/problem\+json\r\n/i.test(answer)) return `${status} without a problem`;
  const body = answer.slice(answer.indexOf('\r\n\r\n') + 4);
  const problem = JSON.parse(body) as { status?: number; detail?: string };
  if (problem.status !== status) return `${status} and the problem says ${problem.status}`;
  return (problem.detail?.length ?? 0) < 15 ? `the detail says nothing: ${problem.detail}` : undefined;
}

/** One connection for each request: many of them break it. */
async function sendAll(requests: readonly BadRequest[]): Promise<string[]> {
  const answers: string[] = [];
  const pending = [...requests.entries()];
  const worker = async (): Promise<void> => {
    for (let next = pending.shift(); next !== undefined; next = pending.shift())
      answers[next[0]] = await send(next[1]);
  };
  await Promise.all(Array.from({ length: 64 }, worker));
  return answers;
}

async function send(request: BadRequest): Promise<string> {
  const { hostname, port } = new URL(api.url);
  const bytes = Buffer.from(
    request.bytes.toString('latin1').replace('@TOKEN@', request.route.access === 'host' ? SESSION : token),
    'latin1',
  );
  return await new Promise((resolve) => {
    let received = '';
    const socket: Socket = connect(Number(port), hostname, () => {
      socket.write(bytes);
      if (request.endsEarly) socket.end();
    });
    socket.setTimeout(10_000, () => socket.destroy());
    socket.on('data', (chunk: Buffer) => (received += chunk.toString()));
    socket.on('error', () => socket.destroy());
    socket.on('close', () => resolve(received));
  });
}
