import { IotmanoError } from '../../kernel/index.ts';
import { exitCodeOfStatus, openPodSocket, type PodAddress } from './pod-socket.ts';

const TIME_MILLISECONDS = 10_000;

/** How a short command has ended, and what the connection that it ran over can do. */
export interface ShortEnd {
  /** Undefined when it could not be run there at all. */
  readonly exitCode: number | undefined;
  readonly canEndInput: boolean;
}

/**
 * Runs a short command in the container of a pod, whose output nobody needs.
 * @throws IotmanoError `unavailable`
 */
export async function execInPod(address: PodAddress, command: readonly string[]): Promise<ShortEnd> {
  const signal = AbortSignal.timeout(TIME_MILLISECONDS);
  const socket = await openPodSocket(address, command, { signal });
  try {
    for await (const frame of socket.frames())
      if (frame.type === 'status')
        return { exitCode: exitCodeOfStatus(frame.status), canEndInput: socket.canEndInput };
  } finally {
    socket.close();
  }
  const { pod } = address;
  const why = signal.aborted ? 'it did not end in time' : 'the connection to the pod broke';
  throw new IotmanoError('unavailable', `a command in the pod ${pod} failed: ${why}`, { pod });
}
