/** Orchestrator and agents as processes that speak over a server of NATS, set up as an operator does it. */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../scripts/demo/processes.ts';
import { createTestSystem, eventually, isAlive, type TestSystem } from '../kit/test-system.ts';
import { isServiceMissing } from '../kit/services.ts';

const FUNCTIONS = [{ name: 'front', bind: { back: 'back' } }, { name: 'back' }];

let system: TestSystem;
let nats: string;
let server: ChildProcess;

function startServer(): void {
  server = spawn('nats-server', ['-c', join(system.folder, 'nats', 'nats-server.conf')], { stdio: 'ignore' });
}

function killed(child: { readonly pid?: number | undefined }): Promise<true> {
  process.kill(child.pid ?? 0, 'SIGKILL');
  return eventually('the process is gone', () => !isAlive(child.pid ?? 0));
}

describe.skipIf(isServiceMissing('nats-server'))('processes over NATS', () => {
  beforeAll(async () => {
    const port = await freePort();
    nats = `nats://127.0.0.1:${port}`;
    system = await createTestSystem({ nats });
    const setup = ['nats', 'setup', join(system.folder, 'nats'), '--listen', `127.0.0.1:${port}`];
    const { code, stderr } = await system.iotmano(setup);
    if (code !== 0) throw new Error(stderr);
    // In this order: the orchestrator waits for its servers, and serves HTTP meanwhile.
    await system.startOrchestrator();
    startServer();
    await system.addHosts('host-a', 'host-b');
    await system.onboard({ back: { provides: 'back' }, front: { requires: 'back' } });
  }, 60_000);

  afterAll(() => system.cleanUp(), 30_000);

  describe('a service over NATS', () => {
    it('runs, is bound, and is changed through the loss of the server and of the orchestrator', async () => {
      const id = await system.deploy('shop', FUNCTIONS);
      const copies = await system.running('shop', 2);
      await killed(server);
      await killed(system.orchestrator());
      for (const copy of copies) expect((await system.ask(copy)).pid).toBeGreaterThan(0);
      startServer();
      await system.startOrchestrator();
      await system.readyHosts('host-a', 'host-b');
      expect(await system.running('shop', 2)).toHaveLength(2);
      await system.deploy('second', FUNCTIONS);
      await system.running('second', 2);
      expect(await system.ended(await system.begin(id, 'terminate'))).toMatchObject({
        operationState: 'COMPLETED',
      });
      expect(await system.copies('shop')).toEqual([]);
      const measured = await eventually('something is measured', async () => {
        const series = await system.get<object[]>('/iotmano/v1/measurements?hostId=host-a');
        return series.length > 0 && series;
      });
      expect(measured.length).toBeGreaterThan(0);
    }, 120_000);

    it('is left by a host in an orderly way, which the servers do not take any more then', async () => {
      const [copy] = await system.copies('second');
      const hostId = ['host-a', 'host-b'].find((each) => each !== copy?.hostId) ?? '';
      await killed(system.agent(hostId));
      const left = await system.iotmano(
        `agent leave --host-id ${hostId} --mco ${nats} --data ${join(system.folder, hostId)}`.split(' '),
      );
      expect(left).toMatchObject({ code: 0 });
      expect((await system.request('GET', `/iotmano/v1/hosts/${hostId}`)).status).toBe(404);
      expect(existsSync(join(system.folder, hostId, 'nats-user.jwt'))).toBe(true);
      const refused = await system.iotmano(
        `agent run --host-id ${hostId} --mco ${nats} --data ${join(system.folder, hostId)}`.split(' '),
      );
      expect(refused.code).not.toBe(0);
      expect(refused.stderr).toContain('iotmano token enrol');
    }, 60_000);
  });
});
