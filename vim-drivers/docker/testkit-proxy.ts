/** A way to an engine that can be cut, where the engine itself must not be stopped: others use it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DockerEndpoint } from './index.ts';

export interface CuttingProxy {
  /** Socket to speak to. */
  readonly path: string;
  cut(): void;
  mend(): Promise<void>;
  close(): Promise<void>;
}

export async function startCuttingProxy(endpoint: DockerEndpoint): Promise<CuttingProxy> {
  const directory = await mkdtemp(join(tmpdir(), 'iotmano-docker-'));
  const path = join(directory, 'engine.sock');
  const open = new Set<Socket>();
  const target =
    endpoint.type === 'socket' ? { path: endpoint.path } : { host: endpoint.host, port: endpoint.port };
  let server = await listen();
  async function listen(): Promise<Server> {
    const made = createServer({ allowHalfOpen: true }, (near) => {
      const far = connect({ ...target, allowHalfOpen: true });
      for (const [socket, other] of [
        [near, far],
        [far, near],
      ] as const) {
        open.add(socket);
        socket.pipe(other);
        socket.on('error', () => other.destroy());
        socket.on('close', () => {
          open.delete(socket);
          other.destroy();
        });
      }
    });
    await rm(path, { force: true });
    await new Promise<void>((resolve) => made.listen(path, resolve));
    return made;
  }
  const cut = (): void => {
    server.close();
    for (const socket of open) socket.destroy();
  };
  return {
    path,
    cut,
    async mend() {
      server = await listen();
    },
    async close() {
      cut();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
