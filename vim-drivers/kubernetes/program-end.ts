import type { V1ContainerState, V1ContainerStateTerminated } from '@kubernetes/client-node';
import { describeExit } from '../supervision/index.ts';
import type { KubeObject, Wire } from './objects.ts';
import type { CopyRecord } from './records.ts';

type Pod = KubeObject<'pod'>;
type Terminated = Wire<V1ContainerStateTerminated>;

/** How many times the program of a pod has ended so far, and how it did so last. */
export function endsOf(pod: Pod): { readonly count: number; readonly last?: Terminated } {
  const container = pod.status?.containerStatuses?.[0];
  if (container === undefined) return { count: 0 };
  const last = endOf(pod);
  const { state = {}, restartCount } = container;
  const isDown = state.terminated !== undefined || isAfterEnd(state);
  return {
    count: restartCount + (isDown && last !== undefined ? 1 : 0),
    ...(last === undefined ? {} : { last }),
  };
}

/** How a program ended. */
export function describeEnd(end: Terminated, copy: CopyRecord): string {
  const limit = end.reason === 'OOMKilled' ? copy.memoryBytes : undefined;
  const command = [copy.program ?? copy.image];
  if (limit === undefined && isStartFailure(end)) {
    const code = startFailureCode(end.message ?? '');
    return code === undefined
      ? `cannot be started: ${brief(end.message ?? '')}`
      : describeExit(code, command);
  }
  return describeExit(exitCodeOf(end), command, limit);
}

/** The exit code as a shell tells it. */
export function exitCodeOf(end: Terminated): number {
  if (isStartFailure(end)) return startFailureCode(end.message ?? '') ?? end.exitCode;
  return end.signal === undefined || end.signal === 0 ? end.exitCode : 128 + end.signal;
}

/** The kubelet waits before it starts again what has ended. */
export function isAfterEnd({ waiting }: Wire<V1ContainerState>): boolean {
  return waiting?.reason === 'CrashLoopBackOff' || waiting?.reason === 'RunContainerError';
}

/** The last end of the program of a pod. */
export function endOf({ status }: Pod): Terminated | undefined {
  const container = status?.containerStatuses?.[0];
  return container?.state?.terminated ?? container?.lastState?.terminated;
}

function isStartFailure({ reason }: Terminated): boolean {
  return reason === 'ContainerCannotRun' || reason === 'StartError';
}

/** The code that a shell gives a program that a runtime could not start, by the words of the runtime. */
export function startFailureCode(message: string): number | undefined {
  if (/executable file not found|no such file or directory/.test(message)) return 127;
  if (/permission denied|exec format error/.test(message)) return 126;
  return undefined;
}

/** One line of what the cluster says. */
export function brief(message: string): string {
  const line = message.replaceAll(/\s+/g, ' ').trim();
  return line.length > 400 ? `${line.slice(0, 400)}…` : line;
}
