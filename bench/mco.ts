/**
 * `npm run bench:mco`: how long it takes from the commit of a change until its host has been told, and has reported; and what a heartbeat costs. The
 * same orchestrator, agents' clients and store in one process, over HTTP and over NATS by turns, with a real nats-server on loopback.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  assign,
  createNatsBench,
  eventually,
  keyOf,
  observedOf,
  type NatsAgent,
  type NatsBench,
} from '../test/kit/nats-bench.ts';
import { describeEnvironment } from './environment.ts';
import { median, rounded } from './statistics.ts';

const ROUNDS = 5;
const CHANGES = 40;
const HEARTBEATS = 1000;

type Binding = 'http' | 'nats';

interface Figures {
  readonly changeToReportMs: number;
  readonly changeToReportP95Ms: number;
  readonly heartbeatsPerSecond: number;
}

/** Changes one after the other, each told and reported before the next. */
async function timeChanges(bench: NatsBench, agent: NatsAgent, first: number): Promise<number[]> {
  const times: number[] = [];
  let { revision = 0 } = await agent.client.wanted({ waitSeconds: 0 });
  for (let change = 0; change < CHANGES; change += 1) {
    const asked = agent.client.wanted({ since: revision, waitSeconds: 10 });
    await sleep(5);
    const key = keyOf(first + change);
    const startedAt = performance.now();
    await assign(bench.store, agent.hostId, key);
    const { wanted } = await asked;
    revision = wanted?.revision ?? revision;
    const full = first + change === 0;
    await agent.client.postReport({ full, workloads: [observedOf(key)], removed: [] }, first + change + 1);
    times.push(performance.now() - startedAt);
  }
  return times;
}

/** Heartbeats one after the other. */
async function timeHeartbeats(agent: NatsAgent): Promise<number> {
  const { revision } = await agent.client.wanted({ waitSeconds: 0 });
  const startedAt = performance.now();
  for (let beat = 0; beat < HEARTBEATS; beat += 1)
    await agent.client.wanted({ since: revision, waitSeconds: 0 });
  return (HEARTBEATS * 1000) / (performance.now() - startedAt);
}

function p95(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length * 0.95)] ?? Number.NaN;
}

async function run(
  bench: NatsBench,
  agents: Readonly<Record<Binding, NatsAgent>>,
): Promise<Record<Binding, Figures>> {
  const times: Record<Binding, number[]> = { http: [], nats: [] };
  const rates: Record<Binding, number[]> = { http: [], nats: [] };
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const binding of ['http', 'nats'] as const) {
      times[binding].push(...(await timeChanges(bench, agents[binding], round * CHANGES)));
      rates[binding].push(await timeHeartbeats(agents[binding]));
    }
    process.stderr.write(`round ${round + 1} of ${ROUNDS}\n`);
  }
  const figures = (binding: Binding): Figures => ({
    changeToReportMs: rounded(median(times[binding])),
    changeToReportP95Ms: rounded(p95(times[binding])),
    heartbeatsPerSecond: rounded(median(rates[binding]), 0),
  });
  return { http: figures('http'), nats: figures('nats') };
}

const bench = await createNatsBench();
try {
  const orchestrator = bench.startOrchestrator();
  const server = await orchestrator.serveHttp();
  const nats = await bench.agent('gw-nats', await bench.credential(orchestrator, 'gw-nats'));
  const http = await bench.agent('gw-http', await bench.credential(orchestrator, 'gw-http'), {
    serverUrl: server.url,
  });
  await Promise.all([nats, http].map((agent) => eventually(() => agent.sessions.envelope())));
  const figures = await run(bench, { http, nats });
  process.stdout.write(`${JSON.stringify({ bench: 'mco', figures, environment: describeEnvironment() })}\n`);
  await server.close();
} finally {
  await bench.close();
}
