import { connect, type Socket } from 'node:net';
import { messageOf, unreachable } from '../../kernel/index.ts';
import type { Probe } from '../../descriptors/index.ts';

/** What a probe needs to know of the instance. */
export interface ProbeTarget {
  /** Where its ports are reached by who probes. */
  readonly address: string;
  readonly ports: Readonly<Record<string, number>>;
  /** Runs a program beside the instance until it ends, or kills it when the signal aborts. Nothing when it ended well, else what was wrong. */
  exec(command: readonly string[], signal: AbortSignal): Promise<string | undefined>;
}

/** Probes once. Returns nothing when all is well, else what was wrong. Never throws; an abort counts as neither and gives a text too. */
export async function probeOnce(
  probe: Probe,
  target: ProbeTarget,
  signal: AbortSignal,
): Promise<string | undefined> {
  const ending = new AbortController();
  let isLate = false;
  const end = (): void => ending.abort();
  const timer = setTimeout(
    () => {
      isLate = true;
      end();
    },
    Math.max(1, probe.timeoutSeconds * 1000),
  );
  signal.addEventListener('abort', end, { once: true });
  if (signal.aborted) end();
  const ends = ending.signal;
  const { action } = probe;
  try {
    switch (action.type) {
      case 'http':
        return await probeHttp(target.address, portOf(target, action.port), action.path, ends);
      case 'tcp':
        return await probeTcp(target.address, portOf(target, action.port), ends);
      case 'exec':
        return await target.exec(action.command, ends);
      default:
        return unreachable(action);
    }
  } catch (error) {
    return isLate ? `no answer within ${probe.timeoutSeconds} s` : messageOf(error);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', end);
  }
}

function portOf(target: ProbeTarget, name: string): number {
  return target.ports[name] ?? 0;
}

/** Status line only, over a bare socket: a full HTTP client costs several times as much, every second, for every instance. */
async function probeHttp(
  address: string,
  port: number,
  path: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const authority = address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
  const what = `GET http://${authority}${path}`;
  const head = `GET ${encodeURI(path)} HTTP/1.1\r\nHost: ${authority}\r\nUser-Agent: iotmano\r\nConnection: close\r\n\r\n`;
  return dial({ address, port }, signal, what, (socket, resolve) => {
    let answer = '';
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => {
      answer += chunk;
      if (!answer.includes('\n') && answer.length < 1000) return;
      const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(answer)?.[1] ?? 0);
      const isWell = status >= 200 && status < 400;
      resolve(
        isWell ? undefined : `${what} answered ${status === 0 ? 'something that is not HTTP' : status}`,
      );
    });
    socket.once('end', () => resolve(`${what}: the connection was closed without an answer`));
    socket.write(head);
  });
}

function probeTcp(address: string, port: number, signal: AbortSignal): Promise<string | undefined> {
  return dial({ address, port }, signal, `port ${port}`, (_socket, resolve) => resolve(undefined));
}

/** Connects, and lets `talk` find out; the connection ends with the answer, with a fault, or with the signal. */
function dial(
  { address, port }: { readonly address: string; readonly port: number },
  signal: AbortSignal,
  what: string,
  talk: (socket: Socket, resolve: (fault: string | undefined) => void) => void,
): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: address, port });
    const finish = (settle: () => void): void => {
      signal.removeEventListener('abort', interrupt);
      socket.destroy();
      settle();
    };
    const interrupt = (): void => finish(() => reject(new Error(`${what} was interrupted`)));
    signal.addEventListener('abort', interrupt, { once: true });
    socket.once('connect', () => talk(socket, (fault) => finish(() => resolve(fault))));
    socket.once('error', (error) => finish(() => resolve(`${what}: ${messageOf(error)}`)));
  });
}
