import { deepEqual } from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseCpuTicks, parseMemory } from './sample-host.ts';
import { assignmentOf } from '../testkit/assignment.ts';
import { createAgentRunner, eventually, HOST_ID, type AgentRunner } from '../testkit/agent-runner.ts';
import { startMcoDouble, type McoDouble } from '../testkit/mco-double.ts';

const { key } = assignmentOf().workload;
const hostJob = { jobId: 'host', source: 'host' as const, everySeconds: 0.1 };
let server: McoDouble;
let agent: AgentRunner;

beforeEach(async () => {
  server = await startMcoDouble();
  agent = createAgentRunner(server.url);
});

afterEach(async () => {
  await agent.cleanUp();
  await server.disappear();
  // Every request was as the Mco document says.
  deepEqual(server.faults, []);
});

function metrics(): ReadonlySet<string> {
  return new Set(server.measurements.map(({ metric }) => metric));
}

describe('the monitoring agent', () => {
  // MCO-M-001
  it('measures host and functions as the collection jobs say, and nothing else', async () => {
    const usage = {
      jobId: 'usage-fn-1',
      source: 'usage' as const,
      workload: key,
      everySeconds: 0.1,
      metrics: ['instance_memory_bytes'],
    };
    server.assign([assignmentOf()], [hostJob, usage]);
    await agent.start();
    await eventually(
      'both are measured',
      () => metrics().has('host_cpu_used_ratio') && metrics().has('instance_memory_bytes'),
    );
    expect(metrics().has('instance_cpu_seconds_total')).toBe(false);
    expect(server.measurements.find(({ metric }) => metric === 'instance_memory_bytes')?.subject).toEqual({
      ...key,
      slot: 0,
    });
    server.assign([assignmentOf()], []);
    await new Promise((resolve) => setTimeout(resolve, 300));
    const count = server.measurements.length;
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(server.measurements.length).toBe(count);
  });

  // MCO-M-003
  it('delivers all that it measured while the orchestrator was away, in order, also over its own restart', async () => {
    server.assign([], [hostJob]);
    await agent.start();
    await eventually('it measures', () => metrics().has('host_load1'));
    await server.disappear();
    const awayFrom = new Date().toISOString();
    await new Promise((resolve) => setTimeout(resolve, 700));
    await agent.stop();
    await agent.start();
    await new Promise((resolve) => setTimeout(resolve, 500));
    const awayUntil = new Date().toISOString();
    await server.appear();
    await eventually('all is delivered', () => (server.measurements.at(-1)?.timestamp ?? '') > awayUntil);
    const loads = server.measurements
      .filter(({ metric }) => metric === 'host_load1')
      .map(({ timestamp }) => timestamp);
    expect(loads).toEqual(loads.toSorted());
    expect(loads.filter((at) => at > awayFrom && at < awayUntil).length).toBeGreaterThanOrEqual(6);
    expect(server.dropped).toBe(0);
  });

  // MCO-M-004
  it('drops the oldest beyond its bound, and tells how many', async () => {
    const jobs = ['a', 'b', 'c', 'd', 'e', 'f'].map((jobId) => ({ ...hostJob, jobId }));
    server.assign([], jobs);
    await agent.start({ maxQueueBytes: 16_000 });
    await eventually('it measures', () => metrics().has('host_load1'));
    await server.disappear();
    const cursor = join(agent.directory, 'queues', 'measurements', 'cursor.json');
    await eventually('some are dropped', () => {
      if (!existsSync(cursor)) return false;
      return (JSON.parse(readFileSync(cursor, 'utf8')) as { readonly dropped: number }).dropped > 0;
    });
    const before = server.measurements.length;
    await server.appear();
    await eventually(
      'it delivers again, and tells of a loss',
      () => server.measurements.length > before && server.dropped > 0,
    );
  });

  // MCO-M-009
  it('is not stopped by a batch that the orchestrator refuses', async () => {
    let refused = 0;
    server.misfortune = (operationId) => {
      if (operationId !== 'postMeasurements' || refused >= 2) return undefined;
      refused += 1;
      return { status: 400, body: JSON.stringify({ title: 'x', status: 400, detail: 'not these' }) };
    };
    server.assign([], [hostJob]);
    await agent.start();
    await eventually('later ones arrive', () => metrics().has('host_load1'));
  });

  // MCO-M-011
  it('raises an alarm when a function was given up, and clears it when it is gone', async () => {
    server.assign([
      assignmentOf({
        spec: { restart: { withinSeconds: 60, times: 0, backoffMinSeconds: 0.1, backoffMaxSeconds: 0.1 } },
      }),
    ]);
    await agent.start();
    await eventually('it runs', () => agent.world.host(HOST_ID).workloads.size === 1);
    agent.driver().crashInstance(key as never, 0, 7);
    await eventually('it is raised', () => server.alarms.some(({ name }) => name === 'crash-loop'));
    expect(server.alarms.find(({ name }) => name === 'crash-loop')).toMatchObject({
      severity: 'CRITICAL',
      subject: { ...key, slot: 0 },
    });
    server.assign([]);
    await eventually('it is cleared', () => server.alarms.at(-1)?.severity === 'CLEARED');
  });
});

describe('scraping', () => {
  let functionServer: Server;

  beforeEach(async () => {
    functionServer = createServer((_, response) =>
      response.end('# TYPE requests_total counter\nrequests_total{code="200"} 12\nnonsense!\n'),
    );
    await new Promise<void>((resolve) => functionServer.listen(0, '127.0.0.1', resolve));
  });

  afterEach(() => {
    functionServer.close();
  });

  it('reads the metrics that a function shows', async () => {
    const { port } = functionServer.address() as AddressInfo;
    const job = { jobId: 'scrape', source: 'scrape' as const, workload: key, everySeconds: 0.1 };
    const ports = [{ name: 'http', protocol: 'tcp' as const, number: port, expose: false }];
    server.assign([assignmentOf({ spec: { ports, metrics: { port: 'http', path: '/metrics' } } })], [job]);
    await agent.start();
    await eventually('it is scraped', () => metrics().has('requests_total'));
    expect(server.measurements.find(({ metric }) => metric === 'requests_total')).toMatchObject({
      labels: { code: '200' },
      kind: 'counter',
      value: 12,
      subject: { ...key, slot: 0 },
    });
    functionServer.closeAllConnections();
    functionServer.close();
    await eventually('it is seen to be down', () =>
      server.measurements.some(({ metric, value }) => metric === 'up' && value === 0),
    );
  });
});

describe('reading /proc', () => {
  it('counts all but idle and waiting time as busy, and guests once', () => {
    expect(parseCpuTicks('cpu  10 1 5 80 4 0 0 0 7 0\ncpu0 1 1 1 1 1\n')).toEqual({ total: 100, busy: 16 });
    expect(parseCpuTicks('nonsense')).toBeUndefined();
  });

  it('reads total and available memory', () => {
    expect(parseMemory('MemTotal:        2048 kB\nMemFree: 1 kB\nMemAvailable:    1024 kB\n')).toEqual({
      totalBytes: 2_097_152,
      availableBytes: 1_048_576,
    });
    expect(parseMemory('')).toBeUndefined();
  });
});
