import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { KubeConfig } from '@kubernetes/client-node';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocketServer, type WebSocket } from 'ws';
import type { CommandEvent } from '../contract.ts';
import { commandInPod } from './command.ts';
import type { PodAddress } from './pod-socket.ts';

const V5 = 'v5.channel.k8s.io';
const V4 = 'v4.channel.k8s.io';
const SUCCESS = { status: 'Success' };

/** A command at an API server, as the server sees it. */
interface Session {
  readonly words: readonly string[];
  readonly hasInput: boolean;
  say(channel: 1 | 2 | 3, content: string | Uint8Array | object): void;
  onInput(listener: (channel: number, bytes: Buffer) => void): void;
  readonly socket: WebSocket;
}

let servers: WebSocketServer[] = [];
afterEach(() => {
  for (const server of servers) {
    for (const client of server.clients) client.terminate();
    server.close();
  }
  servers = [];
});

/** An API server with one pod. It is asked for a shell first, and to end what is left last. @param admit lets a connection open */
async function serve(
  protocol: string,
  run: (session: Session) => void,
  admit: (words: readonly string[]) => Promise<void> = () => Promise.resolve(),
): Promise<{ address: PodAddress; begun: Session[] }> {
  const server = new WebSocketServer({
    host: '127.0.0.1',
    port: 0,
    handleProtocols: () => protocol,
    verifyClient: ({ req: { url = '' } }, done) => {
      const open = async (): Promise<void> => {
        await admit(wordsOf(url));
        done(true);
      };
      void open();
    },
  });
  servers.push(server);
  await once(server, 'listening');
  const begun: Session[] = [];
  server.on('connection', (socket, { url = '' }) => {
    const { searchParams } = new URL(url, 'http://127.0.0.1');
    const session: Session = {
      words: wordsOf(url),
      hasInput: searchParams.get('stdin') === 'true',
      say: (channel, content) => {
        const isBytes = typeof content === 'string' || content instanceof Uint8Array;
        const bytes = isBytes ? content : JSON.stringify(content);
        socket.send(Buffer.concat([Buffer.of(channel), Buffer.from(bytes)]));
      },
      onInput: (listener) =>
        socket.on('message', (data: Buffer) => listener(data.readUInt8(0), data.subarray(1))),
      socket,
    };
    begun.push(session);
    run(session);
  });
  const config = new KubeConfig();
  const { port } = server.address() as AddressInfo;
  config.loadFromClusterAndUser(
    { name: 'c', server: `http://127.0.0.1:${port}`, skipTLSVerify: true },
    { name: 'u' },
  );
  return { address: { config, namespace: 'n', pod: 'p' }, begun };
}

function wordsOf(url: string): readonly string[] {
  return new URL(url, 'http://127.0.0.1').searchParams.getAll('command');
}

const isAside = ({ words }: Session): boolean => words[0] === 'sh' && words[2] !== MARKING;
const MARKING = 'export IOTMANO_EXEC="$0"; exec "$@"';

/** Answers what is run beside the command itself; whether this was that. */
function answerAside(session: Session): boolean {
  if (isAside(session)) session.say(3, SUCCESS);
  return isAside(session);
}

async function tell(events: AsyncIterable<CommandEvent>): Promise<{ stdout: string; exit: unknown }> {
  let stdout = '';
  let exit: unknown;
  for await (const event of events)
    if (event.type === 'exit') exit = event;
    else if (event.type === 'stdout') stdout += Buffer.from(event.bytes).toString();
  return { stdout, exit };
}

async function* pieces(...texts: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text);
}

const signal = new AbortController().signal;

describe('a command in a pod', () => {
  it('is told the end of its input where the cluster speaks version 5 of the protocol', async () => {
    const { address } = await serve(V5, (session) => {
      if (answerAside(session)) return;
      session.onInput((channel, bytes) => {
        if (channel === 0) session.say(1, bytes);
        if (channel !== 255) return;
        session.say(1, ` closed ${bytes.readUInt8(0)}`);
        session.say(3, SUCCESS);
      });
    });
    const events = commandInPod(address, 'c-1', { command: ['cat'], input: pieces('one ', 'two'), signal });
    expect(await tell(events)).toEqual({
      stdout: 'one two closed 0',
      exit: { type: 'exit', exitCode: 0 },
    });
  });

  it('is refused with input on a cluster that cannot tell it the end, before it begins', async () => {
    const { address, begun } = await serve(V4, answerAside);
    const events = commandInPod(address, 'c-1', { command: ['cat'], input: pieces('one'), signal });
    await expect(tell(events)).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('run it without standard input'),
    });
    expect(begun.map(({ words, hasInput }) => [words, hasInput])).toEqual([[['sh', '-c', ':'], false]]);
  });

  it('runs as it is where there is no shell, and says in a shell’s way what could not be started', async () => {
    const runtime = 'OCI runtime exec failed: exec failed: exec: "ls": executable file not found in $PATH';
    const said = { status: 'Failure', details: { causes: [{ reason: 'ExitCode', message: '126' }] } };
    const { address, begun } = await serve(V4, (session) => {
      session.say(1, runtime);
      session.say(3, said);
    });
    const { exit } = await tell(commandInPod(address, 'c-1', { command: ['ls'], signal }));
    expect(exit).toEqual({ type: 'exit', exitCode: 127 });
    expect(begun.map(({ words }) => words)).toEqual([['sh', '-c', ':'], ['ls']]);
  });

  it('fails where the connection breaks before anybody knows how it has ended', async () => {
    const { address, begun } = await serve(V4, (session) => {
      if (!answerAside(session)) session.socket.terminate();
    });
    await expect(tell(commandInPod(address, 'c-1', { command: ['ls'], signal }))).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('broke before the command ended'),
    });
    expect(begun.at(-1)?.words.at(-1)).toBe('IOTMANO_EXEC=c-1');
  });

  it('is ended with its mark where it begins only after it was given up', async () => {
    const ending = new AbortController();
    const { address, begun } = await serve(V4, answerAside, async (words) => {
      if (words[2] !== MARKING) return;
      ending.abort();
      await new Promise((resolve) => setTimeout(resolve, 100));
    });
    const events = commandInPod(address, 'c-1', { command: ['yes'], signal: ending.signal });
    expect(await tell(events)).toEqual({ stdout: '', exit: { type: 'exit', signal: 'SIGKILL' } });
    expect(begun.slice(-2).map(({ words }) => words.at(-1))).toEqual(['yes', 'IOTMANO_EXEC=c-1']);
  });

  it('is not begun where it was given up before', async () => {
    const ending = new AbortController();
    const { address, begun } = await serve(V4, answerAside, () => Promise.resolve(ending.abort()));
    const events = commandInPod(address, 'c-1', { command: ['yes'], signal: ending.signal });
    expect(await tell(events)).toEqual({ stdout: '', exit: { type: 'exit', signal: 'SIGKILL' } });
    expect(begun.map(({ words }) => words)).toEqual([['sh', '-c', ':']]);
  });

  it('has ended as it has, also where its pod goes with it and nothing can be ended there any more', async () => {
    let isThere = true;
    const { address } = await serve(V4, (session) => {
      if (!isThere) session.socket.terminate();
      else if (!answerAside(session)) {
        isThere = false;
        session.say(3, SUCCESS);
      }
    });
    const endOf = async (): Promise<CommandEvent | undefined> => {
      for await (const event of commandInPod(address, 'c-1', { command: ['kill', '1'], signal }))
        if (event.type === 'exit') return event;
      return undefined;
    };
    expect(await endOf()).toEqual({ type: 'exit', exitCode: 0 });
  });

  it('waits with its output for whoever reads, and is ended with its mark when nobody does any more', async () => {
    const piece = Buffer.alloc(64 * 1024, 'x');
    let sent = 0;
    const { address, begun } = await serve(V4, (session) => {
      if (answerAside(session)) return;
      const talk = (): void => {
        sent += piece.length;
        session.socket.send(Buffer.concat([Buffer.of(1), piece]), (error) => (error ? undefined : talk()));
      };
      talk();
    });
    for await (const event of commandInPod(address, 'c-1', { command: ['yes'], signal })) {
      expect(event.type).toBe('stdout');
      await new Promise((resolve) => setTimeout(resolve, 300));
      const before = sent;
      await new Promise((resolve) => setTimeout(resolve, 200));
      expect(sent).toBe(before);
      break;
    }
    expect(begun.at(-1)?.words.at(-1)).toBe('IOTMANO_EXEC=c-1');
  });
});
