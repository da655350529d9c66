import { Writable } from 'node:stream';
import { Exec, type KubeConfig } from '@kubernetes/client-node';
import { IotmanoError, messageOf } from '../../kernel/index.ts';
import { CONTAINER } from './pod-template.ts';

const TIME_MILLISECONDS = 10_000;

/**
 * Runs a command in the container of a pod, and gives its exit code; undefined when it could not be run there at all.
 * @throws IotmanoError `unavailable`
 */
export async function execInPod(
  config: KubeConfig,
  namespace: string,
  pod: string,
  command: readonly string[],
): Promise<number | undefined> {
  const sink = (): Writable => new Writable({ write: (_chunk, _encoding, done) => done() });
  const timeout = AbortSignal.timeout(TIME_MILLISECONDS);
  const ended = Promise.withResolvers<number | undefined>();
  timeout.addEventListener('abort', () =>
    ended.reject(new Error('the command in the pod did not end in time')),
  );
  const opening = new Exec(config).exec(
    namespace,
    pod,
    CONTAINER,
    [...command],
    sink(),
    sink(),
    null,
    false,
    (status) => ended.resolve(exitCodeOf(status)),
  );
  try {
    const socket = await Promise.race([opening, ended.promise.then(() => opening)]);
    socket.on('close', () => ended.reject(new Error('the connection to the pod broke')));
    try {
      return await ended.promise;
    } finally {
      socket.terminate();
    }
  } catch (error) {
    opening.then((socket) => socket.terminate()).catch(() => undefined);
    throw new IotmanoError('unavailable', `a command in the pod ${pod} failed: ${reasonOf(error)}`, { pod });
  }
}

interface ExecStatus {
  readonly status?: string;
  readonly details?: { readonly causes?: readonly { readonly reason?: string; readonly message?: string }[] };
}

function exitCodeOf({ status, details }: ExecStatus): number | undefined {
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
