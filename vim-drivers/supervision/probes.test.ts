import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { probeOnce } from './probes.ts';

describe('an HTTP probe', () => {
  let server: Server | undefined;
  const sockets: Socket[] = [];

  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    await new Promise<void>((resolve) => (server === undefined ? resolve() : server.close(() => resolve())));
    server = undefined;
  });

  const probe = async (
    onRequest: (socket: Socket) => void,
    signal = new AbortController().signal,
  ): Promise<string | undefined> => {
    const listening = createServer((socket) => {
      sockets.push(socket);
      socket.on('error', () => undefined);
      socket.once('data', () => onRequest(socket));
    });
    server = listening;
    await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
    const ports = { http: (listening.address() as AddressInfo).port };
    const exec = (): never => {
      throw new Error('not asked for');
    };
    const action = { type: 'http', port: 'http', path: '/ready' } as const;
    return probeOnce(
      { action, everySeconds: 1, timeoutSeconds: 0.2, failAfter: 1 },
      { address: '127.0.0.1', ports, exec },
      signal,
    );
  };

  it('takes 2xx and 3xx for well, also when the answer comes in pieces', async () => {
    expect(await probe((socket) => socket.end('HTTP/1.1 204 No Content\r\n\r\n'))).toBeUndefined();
    server?.close();
    const inPieces = (socket: Socket): void => {
      socket.write('HTTP/1.');
      setTimeout(() => socket.end('1 302 Found\r\n\r\n'), 20);
    };
    expect(await probe(inPieces)).toBeUndefined();
  });

  it('says what was wrong otherwise', async () => {
    expect(await probe((socket) => socket.end('HTTP/1.1 503 No\r\n\r\n'))).toMatch(
      /GET http.*\/ready answered 503/,
    );
    server?.close();
    expect(await probe((socket) => socket.end('hello\n'))).toMatch(/not HTTP/);
    server?.close();
    expect(await probe((socket) => socket.end())).toMatch(/closed without an answer/);
    server?.close();
    expect(await probe(() => undefined)).toBe('no answer within 0.2 s');
    server?.close();
    expect(await probe((socket) => socket.write('x'.repeat(100_000)))).toMatch(/not HTTP/);
  });

  it('ends at once when it is interrupted', async () => {
    const abort = new AbortController();
    expect(await probe(() => abort.abort(), abort.signal)).toMatch(/interrupted/);
  });
});
