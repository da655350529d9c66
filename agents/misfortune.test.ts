import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { assignmentOf } from './testkit/assignment.ts';
import { createAgentRunner, eventually, HOST_ID, type AgentRunner } from './testkit/agent-runner.ts';
import { startMcoDouble, type McoDouble, type Misfortune } from './testkit/mco-double.ts';

let server: McoDouble;
let agent: AgentRunner;

beforeEach(async () => {
  server = await startMcoDouble();
  agent = createAgentRunner(server.url);
});

afterEach(async () => {
  server.misfortune = () => undefined;
  await agent.cleanUp();
  await server.disappear();
});

function pids(): number[] {
  return [...agent.world.host(HOST_ID).workloads.values()].flatMap(({ instances }) =>
    [...instances.values()].map(({ pid }) => pid),
  );
}

function isReported(name: string): boolean {
  return [...server.observed().values()].some(
    ({ key, instances }) => key.vnfInstanceId === name && instances[0]?.state === 'RUNNING',
  );
}

/** Strikes every operation the first times it is called. */
function strikes(fate: Misfortune, times: number): McoDouble['misfortune'] {
  return (_, count) => (count <= times ? fate : undefined);
}

describe('an agent whose orchestrator has misfortunes', () => {
  const problem = (status: number): Misfortune => ({
    status,
    body: JSON.stringify({ title: 'x', status, detail: 'x' }),
  });
  // MCO-C-007
  it.each<[string, Misfortune]>([
    ['cuts connections', 'reset'],
    ['loses its answers', 'lose-answer'],
    ['answers 500', problem(500)],
    [
      'answers 503 and asks for a pause',
      { ...(problem(503) as object), status: 503, headers: { 'retry-after': '0' } },
    ],
    ['answers 429', problem(429)],
    ['answers 409', problem(409)],
    ['answers 410', problem(410)],
    ['answers with a web page', { status: 200, body: '<html>It works!</html>' }],
    ['answers with nothing', { status: 200 }],
  ])('gets there when it first %s', async (_, fate) => {
    server.tokens.add('one-time-token-0001');
    await agent.start();
    await eventually('it is heard', () => server.calls.includes('getWanted'));
    const counted = new Map<string, number>();
    server.misfortune = (operationId) => {
      const count = (counted.get(operationId) ?? 0) + 1;
      counted.set(operationId, count);
      return strikes(fate, 2)(operationId, count);
    };
    server.assign([assignmentOf()]);
    await eventually('the function runs and is reported', () => isReported('fn-1'), 15);
    expect(pids()).toHaveLength(1);
    expect(server.faults).toEqual([]);
  });

  // MCO-O-036
  it('sends a report whose answer was lost again under its number, so that it counts once', async () => {
    await agent.start();
    await eventually('it is heard', () => server.reports.length > 0);
    let isStruck = false;
    server.misfortune = (operationId) => {
      if (operationId !== 'postReport' || isStruck) return undefined;
      isStruck = true;
      return 'lose-answer';
    };
    server.assign([assignmentOf()]);
    await eventually('the function is reported', () => isReported('fn-1'));
    const firsts = server.reports.filter(({ workloads, full }) => !full && workloads.length > 0);
    expect(new Set(firsts.map((report) => JSON.stringify(report))).size).toBe(firsts.length);
    expect(server.faults).toEqual([]);
  });

  // MCO-O-049
  it('never stops a function and never ends, whatever the server answers', async () => {
    server.assign([assignmentOf()]);
    await agent.start();
    await eventually('it runs', () => isReported('fn-1'));
    const before = pids();
    const wanted = {
      revision: 9,
      full: true,
      fence: { leaseNumber: 9, revision: 9 },
      stateId: 'state-1',
      stateIdConfirmed: true,
    };
    const garbage = fc.oneof(
      fc.json().map((body) => ({ status: 200, body })),
      fc.string().map((body) => ({ status: 200, body })),
      fc.uint8Array({ maxLength: 200 }).map((body) => ({ status: 200, body: Buffer.from(body) })),
      fc
        .record(
          {
            ...mapValues(wanted),
            assignments: fc.anything(),
            removed: fc.anything(),
            collectionJobs: fc.anything(),
          },
          { requiredKeys: [] },
        )
        .map((body) => ({
          status: 200,
          body: JSON.stringify(body, (_, value: unknown) => (typeof value === 'bigint' ? 1 : value)) ?? '',
        })),
      fc.constantFrom<Misfortune>(
        'reset',
        'lose-answer',
        { status: 418 },
        { status: 204 },
        { status: 301, headers: { location: '/' } },
        {
          status: 200,
          body: '['.repeat(50_000),
        },
      ),
      fc
        .integer({ min: 200, max: 599 })
        .map((status) => ({ status, body: status === 204 || status === 304 ? '' : '{"detail":1}' })),
    );
    const samples = fc.sample(garbage, 120);
    let next = 0;
    server.misfortune = () => samples[(next += 1) % samples.length];
    for (let look = 0; look < 20; look += 1) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      expect(pids()).toEqual(before);
    }
    expect(next).toBeGreaterThan(10);
    server.misfortune = () => undefined;
    server.assign([assignmentOf(), assignmentOf({ name: 'fn-2' })]);
    await eventually('it goes on', () => isReported('fn-2'), 20);
    expect(pids().slice(0, 1)).toEqual(before);
  }, 40_000);
});

function mapValues(object: Readonly<Record<string, unknown>>): Record<string, fc.Arbitrary<unknown>> {
  return Object.fromEntries(Object.entries(object).map(([name, value]) => [name, fc.constant(value)]));
}
