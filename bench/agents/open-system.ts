/** An orchestrator as a process of its own, and over NATS its server beside it. */
import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { IotmanoError } from '../../kernel/index.ts';
import { loadAccountKeys, type AccountKeys } from '../../orchestrator/mco/nats/index.ts';
import { freePort } from '../../scripts/demo/processes.ts';
import { createTestSystem, type TestSystem } from '../../test/kit/test-system.ts';

export const BINDINGS = ['http', 'nats'] as const;
export type Binding = (typeof BINDINGS)[number];

export interface OpenSystem {
  readonly system: TestSystem;
  /** Where agents find the orchestrator. */
  readonly serverUrl: string;
  readonly nats?: { readonly pid: number; readonly keys: AccountKeys };
  close(): Promise<void>;
}

export async function openSystem(binding: Binding): Promise<OpenSystem> {
  if (binding === 'http') {
    const system = await createTestSystem();
    return { system, serverUrl: system.url, close: () => system.cleanUp() };
  }
  const listen = `127.0.0.1:${await freePort()}`;
  const serverUrl = `nats://${listen}`;
  const system = await createTestSystem({ nats: serverUrl });
  const folder = join(system.folder, 'nats');
  const { code, stderr } = await system.iotmano(['nats', 'setup', folder, '--listen', listen]);
  if (code !== 0) throw new IotmanoError('unavailable', stderr);
  const server = spawn('nats-server', ['-c', join(folder, 'nats-server.conf')], { stdio: 'ignore' });
  return {
    system,
    serverUrl,
    nats: { pid: await pidOf(server), keys: loadAccountKeys(system.data) },
    close: async () => {
      server.kill('SIGKILL');
      await system.cleanUp();
    },
  };
}

function pidOf(server: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('spawn', () => resolve(server.pid ?? 0));
    server.once('error', reject);
  });
}
