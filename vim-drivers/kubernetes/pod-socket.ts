import { stringify } from 'node:querystring';
import { PassThrough } from 'node:stream';
import type { KubeConfig } from '@kubernetes/client-node';
// The door of the SDK has only what cannot be given streams of our own.
import { WebSocketHandler } from '@kubernetes/client-node/dist/web-socket-handler.js';
import { IotmanoError, messageOf } from '../../kernel/index.ts';
import { CONTAINER } from './pod-template.ts';

/** The container of a pod, by the API server's web sockets. */
export interface PodAddress {
  readonly config: KubeConfig;
  readonly namespace: string;
  readonly pod: string;
}

/** What an API server says of a command that has ended (`Status`). */
export interface ExecStatus {
  readonly status?: string;
  readonly message?: string;
  readonly details?: { readonly causes?: readonly { readonly reason?: string; readonly message?: string }[] };
}

export type PodFrame =
  | { readonly type: 'stdout' | 'stderr'; readonly bytes: Uint8Array }
  | { readonly type: 'status'; readonly status: ExecStatus };

/** A command that runs in a container. */
export interface PodSocket {
  /** Whether it can be told that its standard input has ended: version 5 of the protocol. */
  readonly canEndInput: boolean;
  /** Its output, which waits for whoever reads, and its status as the last; none where the connection broke or was closed before. */
  frames(): AsyncGenerator<PodFrame>;
  /** Resolves when there is room for more. */
  send(bytes: Uint8Array): Promise<void>;
  endInput(): Promise<void>;
  close(): void;
}

/** What is used of a socket of `ws`, whose types the SDK does not bring. */
interface Socket {
  readonly protocol: string;
  on(event: 'close', listener: () => void): void;
  send(data: Uint8Array, done: (error?: Error) => void): void;
  pause(): void;
  resume(): void;
  terminate(): void;
}

/** Output that waits here; beyond that it waits in the container. */
const MOST_WAITING_BYTES = 1024 * 1024;
const INPUT_PIECE_BYTES = 32 * 1024;
const OPENING_MILLISECONDS = 10_000;
const STDIN = 0;
const CLOSE = 255;

/**
 * Begins a command in the container of a pod.
 * @param signal ends the frames. It does not hasten the opening: the command may have begun, and only who knows when can end it
 * @throws IotmanoError `unavailable`
 */
export async function openPodSocket(
  { config, namespace, pod }: PodAddress,
  command: readonly string[],
  { hasInput = false, signal }: { readonly hasInput?: boolean; readonly signal: AbortSignal },
): Promise<PodSocket> {
  const query = { stdin: hasInput, stdout: true, stderr: true, tty: false, command, container: CONTAINER };
  const path = `/api/v1/namespaces/${namespace}/pods/${pod}/exec?${stringify(query)}`;
  const received = createReceived(signal);
  // It would end the streams of this process where the other side closes one.
  const none = { stdin: new PassThrough(), stdout: new PassThrough(), stderr: new PassThrough() };
  const opening = new WebSocketHandler(config, undefined, none).connect(path, null, (channel, bytes) => {
    received.push(channel, bytes);
    return true;
  }) as Promise<Socket>;
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new Error('the connection was not opened in time')),
    OPENING_MILLISECONDS,
  );
  try {
    const socket = await Promise.race([opening, late.promise]);
    received.attach(socket);
    return over(socket, received);
  } catch (error) {
    opening.then((socket) => socket.terminate()).catch(() => undefined);
    throw new IotmanoError('unavailable', `a command in the pod ${pod} failed: ${reasonOf(error)}`, { pod });
  } finally {
    clearTimeout(timer);
  }
}

function over(socket: Socket, received: Received): PodSocket {
  const write = (data: Uint8Array): Promise<void> =>
    new Promise((resolve, reject) => {
      socket.send(data, (error) => (error ? reject(error) : resolve()));
    });
  return {
    canEndInput: WebSocketHandler.supportsClose(socket.protocol),
    frames: () => received.frames(),
    send: async (bytes) => {
      for (let at = 0; at < bytes.length; at += INPUT_PIECE_BYTES)
        await write(Buffer.concat([Buffer.of(STDIN), bytes.subarray(at, at + INPUT_PIECE_BYTES)]));
    },
    endInput: () => write(Buffer.of(CLOSE, STDIN)),
    close: () => socket.terminate(),
  };
}

interface Received {
  push(channel: number, bytes: Uint8Array): void;
  /** What comes may wait in the socket from now on. */
  attach(socket: Socket): void;
  frames(): AsyncGenerator<PodFrame>;
}

function createReceived(signal: AbortSignal): Received {
  const waiting: PodFrame[] = [];
  let waitingBytes = 0;
  let isClosed = false;
  let from: Socket | undefined;
  let wake = (): void => {};
  signal.addEventListener('abort', () => wake(), { once: true });

  function take(): PodFrame | undefined {
    const frame = waiting.shift();
    if (frame !== undefined && frame.type !== 'status') waitingBytes -= frame.bytes.length;
    if (waitingBytes < MOST_WAITING_BYTES) from?.resume();
    return frame;
  }

  return {
    push: (channel, bytes) => {
      const frame = frameOf(channel, bytes);
      if (frame === undefined) return;
      waiting.push(frame);
      if (frame.type !== 'status') waitingBytes += frame.bytes.length;
      if (waitingBytes >= MOST_WAITING_BYTES) from?.pause();
      wake();
    },
    attach: (socket) => {
      from = socket;
      socket.on('close', () => {
        isClosed = true;
        wake();
      });
    },
    async *frames() {
      while (!signal.aborted) {
        const frame = take();
        if (frame !== undefined) yield frame;
        if (frame?.type === 'status' || (frame === undefined && isClosed)) return;
        if (frame !== undefined || waiting.length > 0) continue;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
  };
}

/** Channels begin with a frame without anything in it. */
function frameOf(channel: number, bytes: Uint8Array): PodFrame | undefined {
  if (bytes.length === 0) return undefined;
  if (channel === 1) return { type: 'stdout', bytes };
  if (channel === 2) return { type: 'stderr', bytes };
  if (channel === 3) return { type: 'status', status: parseStatus(bytes) };
  return undefined;
}

function parseStatus(bytes: Uint8Array): ExecStatus {
  const text = Buffer.from(bytes).toString();
  try {
    return JSON.parse(text) as ExecStatus;
  } catch {
    return { status: 'Failure', message: text.slice(0, 300) };
  }
}

/** The exit code of a command that has run; undefined where it could not be run. */
export function exitCodeOfStatus({ status, details }: ExecStatus): number | undefined {
  if (status === 'Success') return 0;
  const code = details?.causes?.find(({ reason }) => reason === 'ExitCode')?.message;
  return code === undefined ? undefined : Number(code);
}

/** The SDK rejects with the event of a web socket. */
function reasonOf(error: unknown): string {
  if (error instanceof Error) return messageOf(error);
  const { message } = (error ?? {}) as { readonly message?: unknown };
  return typeof message === 'string' ? message : 'no reason given';
}
