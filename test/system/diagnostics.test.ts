/** Operators look into functions beside an agent: orchestrator, agent and command line as processes, over each binding of Mco. */
import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../scripts/demo/processes.ts';
import { createTestSystem, eventually, isAlive, type TestSystem } from '../kit/test-system.ts';
import { isServiceMissing } from '../kit/services.ts';

const PROGRAM = join(import.meta.dirname, '../../bin/iotmano.js');
const NAME = 'back-main-0';

interface AuditEntry {
  readonly user: string;
  readonly action: string;
  readonly hostId?: string;
  readonly copy?: string;
  readonly command?: readonly string[];
  readonly end?: { readonly reason: string; readonly exitCode?: number; readonly outputBytes: number };
}

describe('functions beside an agent', () => {
  describe('over HTTP', () => {
    describeDiagnostics(() => createTestSystem());
  });
  describe.skipIf(isServiceMissing('nats-server'))('over NATS', () => {
    describeDiagnostics(async () => {
      const port = await freePort();
      const system = await createTestSystem({ nats: `nats://127.0.0.1:${port}` });
      const directory = join(system.folder, 'nats');
      await system.iotmano(['nats', 'setup', directory, '--listen', `127.0.0.1:${port}`]);
      spawn('nats-server', ['-c', join(directory, 'nats-server.conf')], { stdio: 'ignore' });
      return system;
    });
  });
});

function describeDiagnostics(create: () => Promise<TestSystem>): void {
  let system: TestSystem;
  const exec = (...command: readonly string[]) => system.iotmano(['exec', NAME, '--', ...command]);
  const begin = (args: readonly string[]): ChildProcess =>
    spawn(process.execPath, [PROGRAM, ...args], { env: system.environment, stdio: 'pipe' });
  const audit = (): Promise<AuditEntry[]> => system.get<AuditEntry[]>('/iotmano/v1/audit_entries');
  /** Ids of processes that a command has told. */
  const pidsOf = (output: string): number[] => (output.match(/\d+/g) ?? []).map(Number);

  beforeAll(async () => {
    system = await create();
    await system.startOrchestrator();
    await system.addHosts('host-a');
    await system.onboard({ back: { provides: 'back' } });
    await system.deploy('shop', [{ name: 'back' }]);
  }, 90_000);

  afterAll(() => system.cleanUp(), 30_000);

  // MCO-D-002 MCO-D-004
  it('cannot be looked into before that is switched on, by an admin, which the audit log has', async () => {
    for (const refused of [await exec('true'), await system.iotmano(['logs', NAME])])
      expect(refused).toMatchObject({ code: 6, stderr: expect.stringContaining('are switched off') });
    expect((await system.iotmano(['diagnostics'])).stdout).toMatch(/^logs +off[^]*^exec +off/m);
    const { stdout } = await system.iotmano(['diagnostics', 'on']);
    expect(stdout).toMatch(/^logs +on[^]*^exec +on/m);
    expect(await audit()).toMatchObject([{ user: 'admin', action: 'switch' }]);
  });

  // MCO-D-003
  it('run commands in their context, with their own exit code, and show their output', async () => {
    const script = 'echo "$HOME"; echo oops >&2; exit 7';
    const { code, stdout, stderr } = await exec('sh', '-c', script);
    expect([code, stderr]).toEqual([7, 'oops\n']);
    expect(stdout).toContain(join(system.folder, 'host-a'));
    expect(await exec('no-such-program')).toMatchObject({ code: 127 });
    const logs = await system.iotmano(['logs', NAME, '--tail', '1']);
    expect(logs).toMatchObject({ code: 0, stdout: expect.stringMatching(/^tiny function serve \d+\n$/) });
    const last = (await audit()).slice(-3);
    expect(last).toMatchObject([
      { action: 'exec', hostId: 'host-a', copy: NAME, command: ['sh', '-c', script] },
      { action: 'exec', end: { reason: 'EXITED', exitCode: 127 } },
      { action: 'logs', end: { reason: 'COMPLETE' } },
    ]);
    expect(last[0]?.end).toMatchObject({ reason: 'EXITED', exitCode: 7, outputBytes: stdout.length + 5 });
    expect((await system.iotmano(['audit'])).stdout).toMatch(/exec +back-main-0 +host-a +no-such-program/);
  });

  it('read what is piped into a command, however much that is', async () => {
    const child = begin(['exec', NAME, '--', 'sh', '-c', 'wc -c; echo done']);
    child.stdin?.end(Buffer.alloc(1_000_000, 'x'));
    const [output] = await Promise.all([text(child.stdout ?? process.stdin), exited(child)]);
    expect(output.trim().split(/\s+/)).toEqual(['1000000', 'done']);
  });

  // MCO-D-005 MCO-D-011
  it('have a command ended with all that it has started, when whoever began it leaves', async () => {
    const child = begin(['exec', NAME, '--', 'sh', '-c', 'echo $$; sleep 600 & echo $!; wait']);
    let output = '';
    child.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()));
    await eventually('both processes are told', () => pidsOf(output).length === 2);
    expect(pidsOf(output).every(isAlive)).toBe(true);
    child.kill('SIGINT');
    expect(await exited(child)).toBe(130);
    await eventually('both are gone', () => !pidsOf(output).some(isAlive));
    expect((await audit()).at(-1)).toMatchObject({ end: { reason: 'READER_GONE' } });
  });

  // MCO-D-014
  it('are followed until it is switched off', async () => {
    const child = begin(['logs', NAME, '--follow']);
    let output = '';
    let said = '';
    child.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()));
    await eventually('there is output', () => output.includes('tiny function'));
    await sleep(200);
    await system.iotmano(['diagnostics', 'off', 'logs']);
    expect(await exited(child)).toBe(3);
    expect(said).toContain('diagnostics were switched off');
    expect(await exec('true')).toMatchObject({ code: 0 });
    await system.iotmano(['diagnostics', 'on', 'logs']);
  });

  // MCO-D-011
  it('have no command outlive the agent, and the function goes on', async () => {
    const [copy] = await system.running('shop', 1);
    if (copy === undefined) throw new RangeError('nothing runs');
    const child = begin(['exec', NAME, '--', 'sh', '-c', 'echo $$; sleep 600 & echo $!; wait']);
    let output = '';
    child.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()));
    await eventually('both processes are told', () => pidsOf(output).length === 2);
    process.kill(system.agent('host-a').pid ?? 0, 'SIGKILL');
    await eventually('both are gone', () => !pidsOf(output).some(isAlive));
    await system.startAgent('host-a');
    await system.readyHosts('host-a');
    expect(await exited(child)).toBe(1);
    expect((await audit()).at(-1)).toMatchObject({ end: { reason: 'SESSION_ENDED' } });
    expect((await system.ask(copy)).pid).toBeGreaterThan(0);
    expect(await exec('true')).toMatchObject({ code: 0 });
  });
}

function exited(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => {
    if (child.exitCode !== null) resolve(child.exitCode);
    child.once('exit', resolve);
  });
}
