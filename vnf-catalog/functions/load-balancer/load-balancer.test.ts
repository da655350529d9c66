import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, createServer as createHttpServer, request as httpRequest } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../../../scripts/demo/processes.ts';
import { isServiceMissing } from '../../../test/kit/services.ts';
import { RSC } from '../../shared/index.ts';
import { serveMca, type McaServer } from '../field-device-http/mca-server.ts';

const MAIN = join(import.meta.dirname, 'main.ts');

interface Answer {
  readonly status: number;
  readonly rsc: string | undefined;
  readonly body: string;
}

/** A gateway without a CSE behind it: it answers at once, with its name. */
function serveGateway(name: string, milliseconds = 0): Promise<McaServer> {
  return serveMca(
    { host: '127.0.0.1', port: 0 },
    () => ({
      cseId: '/id-in',
      credentials: [],
      maxBodyBytes: 100_000,
      maxInFlight: 500,
      maxInFlightBytes: 10_000_000,
      drainMilliseconds: 1_000,
    }),
    async () => {
      await sleep(milliseconds);
      return { rsc: RSC.ok, pc: { name } };
    },
    () => undefined,
  );
}

describe('the load balancer, where there is no haproxy', () => {
  test('ends and says how to get it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'balancer-'));
    writeFileSync(join(folder, 'bindings.json'), '{}');
    const child = spawn(process.execPath, [MAIN], {
      env: { PATH: '/nowhere', NODE_NO_WARNINGS: '1', BINDINGS_FILE: join(folder, 'bindings.json') },
      stdio: ['ignore', 'pipe', 'pipe'],
      cwd: folder,
    });
    let said = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (said += text));
    expect(await ended(child)).toBe(1);
    expect(said).toContain(
      'haproxy is not on PATH: install it on this host (Debian: apt-get install haproxy)',
    );
    rmSync(folder, { recursive: true });
  });
});

describe.skipIf(isServiceMissing('haproxy'))('the load balancer', () => {
  const folder = mkdtempSync(join(tmpdir(), 'balancer-'));
  const file = join(folder, 'bindings.json');
  const agent = new Agent({ keepAlive: true });
  let ports = { http: 0, metrics: 0 };
  let child: ChildProcess;
  const servers: McaServer[] = [];
  let counted = 0;

  const gateway = async (name: string, milliseconds = 0): Promise<McaServer> => {
    const server = await serveGateway(name, milliseconds);
    servers.push(server);
    return server;
  };
  const bind = (config: object, ...ends: readonly { readonly port: number }[]): void => {
    const endpoints = ends.map(({ port }) => ({ host: '127.0.0.1', port, instance: `i${port}` }));
    const backends = { capability: 'onem2m-mca', protocol: 'http', endpoints };
    writeFileSync(`${file}.new`, JSON.stringify({ config, requires: { backends }, clients: [] }));
    renameSync(`${file}.new`, file);
    child?.kill('SIGHUP');
  };
  const ask = (method = 'GET', headers: Record<string, string> = {}): Promise<Answer> =>
    new Promise((resolve, reject) => {
      counted += 1;
      const own = { 'X-M2M-Origin': 'Ctest', 'X-M2M-RI': `${counted}`, 'X-M2M-RVI': '4', ...headers };
      const options = { host: '127.0.0.1', port: ports.http, path: '/cse-in', agent, method, headers: own };
      const outgoing = httpRequest(options, (response) => {
        let body = '';
        response.setEncoding('utf8').on('data', (text: string) => (body += text));
        response.once('error', reject);
        response.once('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            rsc: response.headers['x-m2m-rsc']?.toString(),
            body,
          }),
        );
      });
      outgoing.once('error', reject);
      outgoing.end();
    });
  const ready = async (): Promise<string> =>
    (await fetch(`http://127.0.0.1:${ports.metrics}/ready`).catch(() => undefined))?.text() ?? 'no answer';
  const metric = async (name: string): Promise<number> => {
    const text = await (await fetch(`http://127.0.0.1:${ports.metrics}/metrics`)).text();
    return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
  };
  const until = async (isSo: () => boolean | Promise<boolean>): Promise<void> => {
    const end = performance.now() + 15_000;
    while (!(await isSo())) {
      expect(performance.now()).toBeLessThan(end);
      await sleep(30);
    }
  };
  const start = async (): Promise<void> => {
    child = spawn(process.execPath, [MAIN], {
      env: {
        PATH: process.env['PATH'] ?? '',
        NODE_NO_WARNINGS: '1',
        HTTP_PORT: `${ports.http}`,
        METRICS_PORT: `${ports.metrics}`,
        WORK_DIRECTORY: folder,
        BINDINGS_FILE: file,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (text: Buffer) => writeFileSync(join(folder, 'log'), text, { flag: 'a' }));
    await until(async () => (await ready()) !== 'no answer');
  };
  /** As in an upgrade, where the old one stops only when the new one is in its place. */
  const untilServed = (name: string): Promise<void> =>
    until(async () => (await ask()).body === `{"name":"${name}"}`);
  /** Devices that go on asking until it is done. @returns every answer that was no success */
  const whileAsking = async (work: () => Promise<void>, devices = 12): Promise<readonly string[]> => {
    const over = new AbortController();
    const faults: string[] = [];
    const device = async (): Promise<void> => {
      while (!over.signal.aborted) {
        await ask().then(
          ({ status, body }) => status === 200 || faults.push(`${status} ${body}`),
          (error: unknown) => faults.push(String(error)),
        );
        await sleep(2);
      }
    };
    const asking = Array.from({ length: devices }, device);
    await work();
    over.abort();
    await Promise.all(asking);
    return faults;
  };

  beforeAll(async () => {
    ports = { http: await freePort(), metrics: await freePort() };
    writeFileSync(join(folder, 'log'), '');
    bind({});
    await start();
  });

  afterAll(async () => {
    agent.destroy();
    child.kill('SIGKILL');
    await Promise.all(servers.map((server) => server.drain()));
    rmSync(folder, { recursive: true, force: true });
  });

  test('without a back end is not ready, and tells devices when to come again', async () => {
    await until(async () => (await ready()) === 'no back end is ready\n');
    expect(await ask()).toMatchObject({ status: 503, rsc: '5103' });
  });

  test('spreads requests over its back ends', async () => {
    bind({}, await gateway('a'), await gateway('b'));
    await until(async () => (await metric('backends_ready')) === 2);
    expect(await ready()).toBe('ready\n');
    const answers = await Promise.all(Array.from({ length: 40 }, () => ask()));
    expect(new Set(answers.map(({ body }) => body))).toEqual(new Set(['{"name":"a"}', '{"name":"b"}']));
  });

  test('fails no request while back ends come, drain and go, all of them by turns', async () => {
    const faults = await whileAsking(async () => {
      let current = [await gateway('0', 3), await gateway('1', 3)];
      bind({}, ...current);
      for (const round of [2, 3, 4, 5]) {
        const [oldest, ...others] = current;
        current = [...others, await gateway(`${round}`, 3)];
        bind({}, ...current);
        await untilServed(`${round}`);
        await oldest?.drain();
      }
      const [first, second] = current;
      // It stops before anybody is told.
      await first?.drain();
      current = [await gateway('last', 3)];
      bind({}, ...current);
      await untilServed('last');
      await second?.drain();
      await until(async () => (await metric('backends_ready')) === 1);
    });
    expect(faults).toEqual([]);
    expect((await ask()).body).toBe('{"name":"last"}');
  });

  test('sends what a back end never answered to another one, but no registration that nothing tells apart', async () => {
    const asked: string[] = [];
    const silent = createServer((socket) => {
      socket.on('data', (text) => {
        const request = text.toString();
        if (request.startsWith('OPTIONS')) socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
        else {
          asked.push(/x-m2m-origin: (\S*)/i.exec(request)?.[1] ?? '');
          socket.destroy();
        }
      });
      socket.on('error', () => undefined);
    });
    await new Promise<void>((resolve) => {
      silent.listen(0, '127.0.0.1', resolve);
    });
    const address = silent.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    bind({ algorithm: 'roundrobin' }, { port }, await gateway('talks'));
    await until(async () => (await metric('backends_ready')) === 2);
    await until(async () => (await ask()).body === '{"name":"talks"}' && asked.length > 0);
    for (let round = 0; round < 10; round += 1) expect((await ask()).body).toBe('{"name":"talks"}');
    // Answered by a gateway, whatever it thinks of it.
    const register = (): Promise<boolean> =>
      ask('POST', { 'X-M2M-Origin': 'S', 'Content-Length': '0' }).then(
        ({ status }) => status !== 502,
        () => false,
      );
    const registered = await Promise.all(Array.from({ length: 10 }, register));
    const once = registered.filter((isDone) => !isDone).length;
    expect(once).toBeGreaterThan(0);
    expect(asked.filter((origin) => origin === 'S')).toHaveLength(once);
    silent.close();
  });

  test('keeps a back end that is slow to say that it is ready, as on a busy machine', async () => {
    let checks = 0;
    const busy = createHttpServer((request, response) => {
      const answer = (): void => void response.end('{"name":"busy"}');
      if (request.method !== 'OPTIONS') return answer();
      checks += 1;
      setTimeout(answer, checks > 1 ? 1_500 : 0);
    });
    await new Promise<void>((resolve) => {
      busy.listen(0, '127.0.0.1', resolve);
    });
    const address = busy.address();
    bind({}, { port: typeof address === 'object' && address !== null ? address.port : 0 });
    await until(async () => (await ask()).body === '{"name":"busy"}');
    expect(await whileAsking(() => until(() => checks > 4), 1)).toEqual([]);
    busy.close();
    busy.closeAllConnections();
  });

  test('takes over other settings without a failed request', async () => {
    const only = await gateway('settled', 2);
    bind({ algorithm: 'roundrobin' }, only);
    await until(async () => (await ask()).body === '{"name":"settled"}');
    const faults = await whileAsking(async () => {
      bind({ algorithm: 'leastconn', maxConnections: 500 }, only);
      await until(() => readFileSync(join(folder, 'haproxy.cfg'), 'utf8').includes('maxconn 500'));
      await sleep(500);
    });
    expect(faults).toEqual([]);
    expect(await metric('requests_total')).toBeGreaterThan(100);
  });

  test('keeps its settings when it is given one that it does not know', async () => {
    writeFileSync(join(folder, 'log'), '');
    bind({ algorithm: 'sideways' }, await gateway('x'));
    await until(() => readFileSync(join(folder, 'log'), 'utf8').includes('must be one of leastconn'));
    expect((await ask()).body).toBe('{"name":"settled"}');
  });

  test('answers what is under way when it is stopped, and is not ready meanwhile', async () => {
    const slow = await gateway('slow', 1_500);
    bind({}, slow);
    await until(async () => (await ask()).body === '{"name":"slow"}');
    const answers = Array.from({ length: 5 }, () => ask());
    // Of the worker that has the settings of before, too: devices keep their connections.
    await until(() => slow.inFlight() === 5);
    child.kill('SIGTERM');
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    expect(await ended(child)).toBe(0);
  });

  test('ends with haproxy, and haproxy with it', async () => {
    await start();
    const pid = (): number => Number(readFileSync(join(folder, 'haproxy.pid'), 'utf8'));
    process.kill(pid(), 'SIGKILL');
    expect(await ended(child)).toBe(1);
    await start();
    await until(async () => (await metric('backends_ready')) === 1);
    child.kill('SIGKILL');
    await until(() =>
      ask().then(
        () => false,
        () => true,
      ),
    );
  });
});

function ended(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null) return Promise.resolve(child.exitCode);
  return new Promise((resolve) => {
    child.once('exit', resolve);
  });
}
