import { spawn } from 'node:child_process';
import { connect, type Socket } from 'node:net';
import { messageOf, unreachable } from '../../kernel/index.ts';
import type { Probe } from '../../descriptors/index.ts';
import type { PreparedInstance } from './prepare-instance.ts';
import { sendSignal } from './system.ts';

/** What a probe needs to know of the instance. */
export interface ProbeTarget {
  readonly ports: Readonly<Record<string, number>>;
  /** How a program beside the instance is started. */
  instance(): Promise<PreparedInstance>;
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
        return await probeHttp(portOf(target, action.port), action.path, ends);
      case 'tcp':
        return await probeTcp(portOf(target, action.port), ends);
      case 'exec':
        return await probeExec(action.command, await target.instance(), ends);
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
async function probeHttp(port: number, path: string, signal: AbortSignal): Promise<string | undefined> {
  const what = `GET http://127.0.0.1:${port}${path}`;
  const head = `GET ${encodeURI(path)} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUser-Agent: iotmano\r\nConnection: close\r\n\r\n`;
  return dial(port, signal, what, (socket, resolve) => {
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

function probeTcp(port: number, signal: AbortSignal): Promise<string | undefined> {
  return dial(port, signal, `port ${port}`, (_socket, resolve) => resolve(undefined));
}

/** Connects, and lets `talk` find out; the connection ends with the answer, with a fault, or with the signal. */
function dial(
  port: number,
  signal: AbortSignal,
  what: string,
  talk: (socket: Socket, resolve: (fault: string | undefined) => void) => void,
): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port });
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

function probeExec(
  command: readonly string[],
  instance: PreparedInstance,
  signal: AbortSignal,
): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const [program = '', ...args] = command;
    // A group of its own, so that a probe that hangs can be ended with its children.
    const child = spawn(program, args, {
      cwd: instance.workingDirectory,
      env: instance.environment,
      stdio: 'ignore',
      detached: true,
    });
    const abort = (): void => {
      if (child.pid !== undefined) sendSignal(-child.pid, 'SIGKILL');
      reject(new Error(`${program} was interrupted`));
    };
    signal.addEventListener('abort', abort, { once: true });
    child.once('error', (error) => {
      signal.removeEventListener('abort', abort);
      resolve(messageOf(error));
    });
    child.once('exit', (code) => {
      signal.removeEventListener('abort', abort);
      resolve(code === 0 ? undefined : `${program} exited with code ${code ?? 'none'}`);
    });
  });
}
