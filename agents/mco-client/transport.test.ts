import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer as createHttpServer, type Server } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createTransport } from './transport.ts';

const get = { method: 'GET' as const, path: '/x', headers: {}, timeoutMilliseconds: 2000 };
let server: Server;
let directory: string;

async function listen(made: Server): Promise<number> {
  server = made;
  await new Promise<void>((resolve) => made.listen(0, '127.0.0.1', resolve));
  return (made.address() as AddressInfo).port;
}

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'transport-'));
});

afterEach(() => {
  server.closeAllConnections();
  server.close();
  rmSync(directory, { recursive: true, force: true });
});

function hasOpenssl(): boolean {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

describe.skipIf(!hasOpenssl())('over TLS', () => {
  it('trusts the authorities of the CA file, and nobody else', async () => {
    const [key, cert] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
    const subject = [
      '-subj',
      '/CN=mano',
      '-addext',
      'subjectAltName=IP:127.0.0.1',
      '-keyout',
      key,
      '-out',
      cert,
    ];
    execFileSync(
      'openssl',
      [
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:P-256',
        '-nodes',
        '-days',
        '2',
        ...subject,
      ],
      {
        stdio: 'ignore',
      },
    );
    const options = { key: readFileSync(key), cert: readFileSync(cert) };
    const port = await listen(createServer(options, (_, response) => response.end('hello')));
    const serverUrl = `https://127.0.0.1:${port}`;
    const trusting = createTransport({ serverUrl, caFile: cert });
    expect((await trusting.send(get)).body.toString()).toBe('hello');
    const streamed = await trusting.stream(get);
    expect(streamed.status).toBe(200);
    streamed.body.destroy();
    trusting.close();
    const wary = createTransport({ serverUrl });
    await expect(wary.send(get)).rejects.toMatchObject({ code: 'unavailable' });
    wary.close();
  });
});

describe('transport', () => {
  // MCO-C-001
  it('keeps its connection, and uses two at most', async () => {
    const ports = new Set<number | undefined>();
    const port = await listen(
      createHttpServer((request, response) => {
        ports.add(request.socket.remotePort);
        response.end();
      }),
    );
    const transport = createTransport({ serverUrl: `http://127.0.0.1:${port}` });
    for (let round = 0; round < 5; round += 1)
      await Promise.all(Array.from({ length: 6 }, () => transport.send(get)));
    expect(ports.size).toBeLessThanOrEqual(2);
    transport.close();
  });

  it('repeats at once what met a connection that the server had just closed', async () => {
    let isClosing = false;
    const port = await listen(
      createHttpServer((request, response) => {
        if (isClosing) {
          isClosing = false;
          request.socket.destroy();
        } else response.end('ok');
      }),
    );
    const transport = createTransport({ serverUrl: `http://127.0.0.1:${port}` });
    await transport.send(get);
    isClosing = true;
    expect((await transport.send(get)).body.toString()).toBe('ok');
    transport.close();
  });

  it('gives up after its time, and says what was not answered', async () => {
    const port = await listen(createHttpServer(() => {}));
    const transport = createTransport({ serverUrl: `http://127.0.0.1:${port}` });
    await expect(transport.send({ ...get, timeoutMilliseconds: 100 })).rejects.toThrow(
      'GET /x was not answered within 100 ms',
    );
    transport.close();
  });

  it('ends at once when it is told to', async () => {
    const port = await listen(createHttpServer(() => {}));
    const transport = createTransport({ serverUrl: `http://127.0.0.1:${port}` });
    const ending = new AbortController();
    const sending = transport.send({ ...get, timeoutMilliseconds: 60_000, signal: ending.signal });
    setTimeout(() => ending.abort(), 50);
    await expect(sending).rejects.toMatchObject({ code: 'unavailable' });
    transport.close();
  });

  it('keeps nobody waiting for a connection who is told to end, and nobody at all once it is closed', async () => {
    let answered = 0;
    const port = await listen(
      createHttpServer((_, response) => {
        answered += 1;
        if (answered <= 2) response.end();
      }),
    );
    const transport = createTransport({ serverUrl: `http://127.0.0.1:${port}` });
    const patient = { ...get, timeoutMilliseconds: 60_000 };
    const endOf = (signal?: AbortSignal): Promise<unknown> =>
      transport.send({ ...patient, signal }).then(
        () => 'answered',
        ({ code }: { readonly code: string }) => code,
      );
    expect(await Promise.all([endOf(), endOf()])).toEqual(['answered', 'answered']);
    const unanswered = [endOf(), endOf()];
    const ending = new AbortController();
    const waiting = [endOf(ending.signal), endOf()];
    setTimeout(() => ending.abort(), 50);
    expect(await waiting[0]).toBe('unavailable');
    transport.close();
    expect(await Promise.all([...unanswered, ...waiting, endOf()])).toEqual(
      Array.from({ length: 5 }, () => 'unavailable'),
    );
    expect(answered).toBe(4);
  });

  // MCO-C-015
  it('does not take in an answer without end', async () => {
    const port = await listen(
      createHttpServer((_, response) => {
        const chunk = Buffer.alloc(4 * 1024 * 1024);
        const pour = (): void => {
          while (!response.destroyed && response.write(chunk));
          if (!response.destroyed) response.once('drain', pour);
        };
        pour();
      }),
    );
    const transport = createTransport({ serverUrl: `http://127.0.0.1:${port}` });
    await expect(transport.send({ ...get, timeoutMilliseconds: 15_000 })).rejects.toThrow(/larger than/);
    transport.close();
  });
});
