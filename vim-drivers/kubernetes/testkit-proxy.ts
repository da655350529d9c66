/** A way to an API server that can be cut, where the cluster itself must not be stopped: others use it. */
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

export interface CuttingProxy {
  /** URL of the API server by this way. */
  readonly url: string;
  cut(): void;
  mend(): Promise<void>;
  close(): void;
}

export async function startCuttingProxy(server: string): Promise<CuttingProxy> {
  const target = new URL(server);
  const open = new Set<Socket>();
  let listening = await listen(0);
  const { port } = listening.address() as AddressInfo;
  async function listen(at: number): Promise<Server> {
    const made = createServer({ allowHalfOpen: true }, (near) => {
      const far = connect({ host: target.hostname, port: Number(target.port || 443), allowHalfOpen: true });
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
    await new Promise<void>((resolve) => made.listen(at, '127.0.0.1', resolve));
    return made;
  }
  const cut = (): void => {
    listening.close();
    for (const socket of open) socket.destroy();
  };
  return {
    url: `https://127.0.0.1:${port}`,
    cut,
    async mend() {
      listening = await listen(port);
    },
    close: cut,
  };
}
