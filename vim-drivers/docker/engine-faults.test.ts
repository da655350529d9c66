import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { Duplex } from 'node:stream';
import { json } from 'node:stream/consumers';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { silentLogger, systemClock } from '../../kernel/index.ts';
import { commandInside } from './command.ts';
import { Engine } from './engine.ts';
import { listen } from './events.ts';
import { EngineFence } from './fence.ts';
import { handlesHangup } from './hangup.ts';
import type { ContainerView } from './container-view.ts';
import { readLogs } from './logs.ts';
import { Notes } from './notes.ts';

/** Speaks to something that answers as an engine would in a case that no real one can be brought to. */
async function withEngine(
  answer: RequestListener,
  use: (engine: Engine) => Promise<void>,
  attach?: (connection: Duplex) => void,
): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'iotmano-docker-'));
  const path = join(directory, 'engine.sock');
  const server = createServer(answer);
  if (attach !== undefined) server.on('upgrade', (_request, connection: Duplex) => attach(connection));
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const engine = await Engine.open({ type: 'socket', path });
  try {
    await use(engine);
  } finally {
    engine.close();
    server.closeAllConnections();
    server.close();
    await rm(directory, { recursive: true });
  }
}

function frame(text: string): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt8(1, 0);
  header.writeUInt32BE(Buffer.byteLength(text), 4);
  return Buffer.concat([header, Buffer.from(text)]);
}

it('gives every part of a long line, and what was overtaken', async () => {
  const time = '2026-01-01T00:00:00.00000000';
  const frames = [`${time}2Z long `, `${time}2Z line\n`, `${time}1Z overtaken\n`].map(frame);
  await withEngine(
    (_request, response) => response.end(Buffer.concat(frames)),
    async (engine) => {
      const parts: string[] = [];
      const pieces = readLogs(
        engine,
        { slot: 0, follow: false },
        systemClock,
        () => 'c',
        () => true,
      );
      for await (const piece of pieces) parts.push(Buffer.from(piece).toString());
      expect(parts).toEqual(['long ', 'line\n', 'overtaken\n']);
    },
  );
});

it('follows without what is older, also where nothing comes at first', async () => {
  const asked: (string | null)[] = [];
  const ending = new AbortController();
  await withEngine(
    ({ url = '' }, response) => {
      asked.push(new URL(url, 'http://x').searchParams.get('tail'));
      if (asked.length === 3) ending.abort();
      response.end();
    },
    async (engine) => {
      const options = { slot: 0, follow: true, tailLines: 0, signal: ending.signal };
      const pieces = readLogs(
        engine,
        options,
        systemClock,
        () => 'c',
        () => true,
      );
      expect((await pieces.next()).done).toBe(true);
      expect(asked).toEqual(['0', '0', '0']);
    },
  );
});

it('leaves no stream of events open where the look that follows it fails', async () => {
  let open = 0;
  let most = 0;
  await withEngine(
    (_request, response) => {
      open += 1;
      most = Math.max(most, open);
      response.on('close', () => (open -= 1));
      response.writeHead(200);
      response.flushHeaders();
    },
    async (engine) => {
      const ending = new AbortController();
      let attempts = 0;
      const listener = {
        onEvent: () => undefined,
        onLost: () => undefined,
        onConnected: () => {
          attempts += 1;
          if (attempts === 3) ending.abort();
          return Promise.reject(new Error('no list'));
        },
      };
      await listen(engine, 'mine', listener, systemClock, silentLogger, ending.signal);
      expect({ attempts, most }).toEqual({ attempts: 3, most: 1 });
    },
  );
});

it('touches no volume of another that has the name of a fence or a note', async () => {
  const methods: string[] = [];
  await withEngine(
    (request, response) => {
      methods.push(request.method ?? '');
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(
        JSON.stringify(request.method === 'GET' ? { Volumes: null } : { Name: 'x', Labels: null }),
      );
    },
    async (engine) => {
      const foreign = { code: 'driver-failed', message: expect.stringContaining('not ours') as string };
      await expect(
        new EngineFence(engine, 'mine').pass({ leaseNumber: 1, revision: 1 }),
      ).rejects.toMatchObject(foreign);
      await expect(new Notes(engine, 'mine').write('i', '{}', {})).rejects.toMatchObject(foreign);
      expect(methods).not.toContain('DELETE');
    },
  );
});

it('takes SIGHUP to be handled, where no ps tells, only once the program has run for a while', async () => {
  await withEngine(
    (_request, response) => {
      response.writeHead(500, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ message: 'ps: executable file not found' }));
    },
    async (engine) => {
      const view = { id: 'c', startedAt: '2026-01-01T00:00:00.000Z' } as ContainerView;
      const started = Date.parse(view.startedAt);
      expect(await handlesHangup(engine, view, started + 100)).toBe(false);
      expect(await handlesHangup(engine, view, started + 5000)).toBe(true);
    },
  );
});

it('tells how a command has ended, also where its container goes with it and nothing can be ended there any more', async () => {
  let commands = 0;
  await withEngine(
    ({ method }, response) => {
      if (method === 'POST') commands += 1;
      response.writeHead(commands > 1 ? 404 : 201, { 'content-type': 'application/json' });
      response.end(JSON.stringify(method === 'POST' ? { Id: 'e' } : { ExitCode: 0, Running: false }));
    },
    async (engine) => {
      const options = { command: ['kill', '1'], signal: new AbortController().signal };
      const endOf = async (): Promise<unknown> => {
        for await (const event of commandInside(engine, 'c', 'n-1', options, systemClock)) return event;
        return undefined;
      };
      expect(await endOf()).toEqual({ type: 'exit', exitCode: 0 });
      expect(commands).toBe(2);
    },
    (connection) => connection.end('HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n'),
  );
});

it('ends by its mark a command that was given up while nobody knew whether it had begun', async () => {
  const ending = new AbortController();
  const asked: unknown[] = [];
  await withEngine(
    (request, response) =>
      void json(request).then((body) => {
        asked.push(body);
        response.writeHead(201, { 'content-type': 'application/json' });
        response.end(JSON.stringify({ Id: 'e' }));
      }),
    async (engine) => {
      const options = { command: ['yes'], signal: ending.signal };
      await expect(commandInside(engine, 'c', 'n-1', options, systemClock).next()).rejects.toMatchObject({
        code: 'unavailable',
      });
      expect(asked).toMatchObject([
        { Cmd: ['yes'], Env: ['IOTMANO_EXEC=n-1'] },
        { Cmd: expect.arrayContaining(['IOTMANO_EXEC=n-1']) },
        { Detach: true },
      ]);
    },
    () => ending.abort(),
  );
});
