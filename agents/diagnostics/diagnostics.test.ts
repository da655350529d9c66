import { deepEqual } from 'node:assert/strict';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { components } from '../../api-specs/generated/mco.ts';
import { assignmentOf } from '../testkit/assignment.ts';
import { createAgentRunner, eventually, type AgentRunner } from '../testkit/agent-runner.ts';
import type { DoubleStream } from '../testkit/diagnostics-double.ts';
import { startMcoDouble, type McoDouble } from '../testkit/mco-double.ts';
import { createOutputGatherer } from './output-gatherer.ts';

type Request = components['schemas']['diagnostic-request'];

const WORKLOAD = assignmentOf().workload.key;

let server: McoDouble;
let agent: AgentRunner;

beforeEach(async () => {
  server = await startMcoDouble();
  agent = createAgentRunner(server.url);
  server.assign([assignmentOf()]);
  await agent.start();
  await eventually('the function is reported', () => server.observed().size === 1);
});

afterEach(async () => {
  await agent.cleanUp();
  await server.disappear();
  // Every request was as the Mco document says.
  deepEqual(server.faults, []);
});

function exec(command: readonly string[], more: Partial<Request> = {}): DoubleStream {
  return server.diagnostics.ask({ kind: 'exec', workload: WORKLOAD, command, ...more });
}

function ended(stream: DoubleStream): Promise<void> {
  return eventually(`${stream.streamId} ends`, () => stream.end !== undefined);
}

describe('a stream of an agent', () => {
  // MCO-D-003 MCO-D-009
  it('begins with an empty chunk, and delivers what the command writes and how it ended', async () => {
    const stream = exec(['fail', 'no', 'such', 'file']);
    await ended(stream);
    expect(stream.chunks[0]).toEqual({ number: 1, inputBytes: 0 });
    expect(stream).toMatchObject({
      stdout: '',
      stderr: 'no such file\n',
      end: { reason: 'EXITED', exitCode: 1 },
    });
  });

  it('shows the output of a function, and ends when all of it was sent', async () => {
    const stream = server.diagnostics.ask({ kind: 'logs', workload: WORKLOAD, tailLines: 1 });
    await ended(stream);
    expect(stream).toMatchObject({
      stdout: expect.stringMatching(/^started as/),
      end: { reason: 'COMPLETE' },
    });
  });

  // MCO-D-009
  it('is refused in its first chunk for what is not here, or cannot be done', async () => {
    const other = { ...WORKLOAD, vnfInstanceId: 'somebody-else' };
    const refused = [
      exec(['true'], { workload: other }),
      exec(['true'], { workload: { ...WORKLOAD, tenant: 'acme' } }),
      exec(['true'], { slot: 7 }),
      server.diagnostics.ask({ kind: 'exec', workload: WORKLOAD }),
    ];
    for (const stream of refused) {
      await ended(stream);
      expect(stream.chunks).toHaveLength(1);
      expect(stream.end).toMatchObject({ reason: 'REFUSED' });
    }
  });

  it('passes on standard input, piece by piece, to its end', async () => {
    const stream = exec(['cat'], { hasInput: true });
    stream.input = Buffer.alloc(200_000, 'abc');
    await eventually('it was read', () => stream.stdout.length === 200_000);
    stream.input = Buffer.concat([stream.input, Buffer.from('end')]);
    stream.isInputEnded = true;
    await ended(stream);
    expect(stream.stdout.length).toBe(200_003);
    expect(stream.end).toEqual({ reason: 'EXITED', exitCode: 0 });
  });

  // MCO-D-010
  it('sends no more than it may, one chunk at a time, and goes on when there is room again', async () => {
    const stream = exec(['yes'], { maxBytes: 50_000 });
    stream.creditBytes = 0;
    await eventually('it asks again and again', () => stream.chunks.length > 4);
    expect(stream.stdout).toBe('');
    stream.creditBytes = 1000;
    await ended(stream);
    const sizes = stream.chunks.map(({ stdout = '' }) => Buffer.from(stdout, 'base64').length);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(1000);
    expect(stream.stdout).toHaveLength(50_000);
    expect(stream.chunks.map(({ number }) => number)).toEqual(stream.chunks.map((_, index) => index + 1));
  });

  it('sends a chunk again whose answer was lost, unchanged', async () => {
    server.misfortune = (operationId, count) =>
      operationId === 'postStream' && count % 2 === 1 ? 'lose-answer' : undefined;
    const stream = exec(['echo', 'once']);
    await eventually('it ends, or is over', () => stream.end !== undefined);
    expect(stream).toMatchObject({ stdout: 'once\n', end: { reason: 'EXITED', exitCode: 0 } });
  });
});

describe('a stream ends', () => {
  // MCO-D-005
  it('when its request is withdrawn', async () => {
    const stream = exec(['yes']);
    await eventually('there is output', () => stream.stdout.length > 0);
    const asked = server.wantedSince.length;
    server.diagnostics.withdraw(stream.streamId);
    await eventually('the agent has heard of it', () => server.wantedSince.length > asked + 1);
    const before = stream.chunks.length;
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(stream.chunks.length).toBe(before);
    expect(stream.end).toBeUndefined();
  });

  // MCO-D-005
  it('at its bounds of bytes and of time', async () => {
    const [bytes, seconds] = [exec(['yes'], { maxBytes: 5000 }), exec(['wait'], { maxSeconds: 0.2 })];
    await ended(bytes);
    await ended(seconds);
    expect(bytes.stdout).toHaveLength(5000);
    expect([bytes.end, seconds.end]).toEqual([{ reason: 'BYTES' }, { reason: 'SECONDS' }]);
  });

  // MCO-D-005
  it('with its session', async () => {
    const stream = exec(['yes']);
    await eventually('there is output', () => stream.stdout.length > 0);
    server.forgetSessions();
    await eventually(
      'a new session is open',
      () => server.calls.filter((call) => call === 'openSession').length === 2,
    );
    const before = stream.chunks.length;
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(stream.chunks.length).toBe(before);
    expect(stream.end).toBeUndefined();
  });

  it('when the orchestrator does not know it any more', async () => {
    const stream = exec(['yes']);
    await eventually('there is output', () => stream.stdout.length > 0);
    stream.isGone = true;
    const before = stream.chunks.length;
    await new Promise((resolve) => setTimeout(resolve, 200));
    const calls = server.calls.length;
    expect(stream.chunks.length).toBeLessThanOrEqual(before + 1);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(server.calls.slice(calls).filter((call) => call === 'postStream')).toEqual([]);
  });
});

describe('requests', () => {
  it('beyond sixteen at one time are refused', async () => {
    const all = Array.from({ length: 17 }, () => exec(['wait']));
    const last = all.at(-1);
    if (last === undefined) throw new RangeError('there is none');
    await ended(last);
    expect(last.end).toMatchObject({ reason: 'REFUSED', detail: expect.stringContaining('the most') });
    expect(all.slice(0, 16).every(({ end }) => end === undefined)).toBe(true);
  });

  // MCO-D-012
  it('that cannot be read keep nothing from being taken over', async () => {
    server.answerWanted = (wanted) => ({
      ...wanted,
      diagnosticRequests: [{ kind: 'of a later version' }, ...wanted.diagnosticRequests] as never,
    });
    server.assign([assignmentOf(), assignmentOf({ name: 'fn-2' })]);
    const stream = exec(['echo', 'well']);
    await ended(stream);
    expect(stream.stdout).toBe('well\n');
    await eventually('both functions are reported', () => server.observed().size === 2);
    // The double sees that its own answers are of a later version.
    const own = (server.faults as string[]).splice(0);
    expect(own.filter((fault) => !fault.includes('/diagnosticRequests/0'))).toEqual([]);
  });
});

it('gathered output keeps to its bound, and ends when all of it was taken', () => {
  const gatherer = createOutputGatherer(7, () => {});
  gatherer.push('stdout', Buffer.from('abcd'));
  gatherer.push('stderr', Buffer.from('efghij'));
  gatherer.close({ reason: 'EXITED', exitCode: 0 });
  const text = (chunk: string | undefined): string => Buffer.from(chunk ?? '', 'base64').toString();
  const first = gatherer.take(4);
  expect([text(first.stdout), text(first.stderr), first.end]).toEqual(['a', 'efg', undefined]);
  const rest = gatherer.take(100);
  expect([text(rest.stdout), rest.stderr, rest.end]).toEqual(['bcd', undefined, { reason: 'BYTES' }]);
});
