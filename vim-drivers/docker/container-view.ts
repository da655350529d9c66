import type Docker from 'dockerode';
import { parseMark, type ContainerMark } from './labels.ts';

export type ContainerStatus =
  'created' | 'running' | 'paused' | 'restarting' | 'removing' | 'exited' | 'dead';

/** What the engine says of one container of ours, as of one look at it. */
export interface ContainerView {
  readonly id: string;
  readonly name: string;
  readonly mark: ContainerMark;
  readonly status: ContainerStatus;
  readonly pid: number;
  readonly exitCode: number;
  readonly isOutOfMemory: boolean;
  /** What the engine could not do with it. */
  readonly error: string;
  /** RFC 3339; empty: it was never started. Names a run of its program. */
  readonly startedAt: string;
  /** Milliseconds of the engine's clock. */
  readonly finishedAt: number;
  readonly createdAt: string;
  /** Starts by the engine's own restart policy since somebody else started it. */
  readonly engineRestarts: number;
  readonly isRestartedByEngine: boolean;
  /** Address by network. */
  readonly networks: Readonly<Record<string, string>>;
}

/** Nothing where the container has our label, and not the rest of what we write. */
export function viewContainer(inspected: Docker.ContainerInspectInfo): ContainerView | undefined {
  const mark = parseMark(inspected.Config.Labels);
  if (mark === undefined) return undefined;
  const { State, HostConfig } = inspected;
  return {
    id: inspected.Id,
    name: inspected.Name.replace(/^\//, ''),
    mark,
    status: State.Status as ContainerStatus,
    pid: State.Pid,
    exitCode: State.ExitCode,
    isOutOfMemory: State.OOMKilled,
    error: State.Error,
    startedAt: State.StartedAt.startsWith('0001-') ? '' : timestamp(State.StartedAt),
    finishedAt: State.FinishedAt.startsWith('0001-') ? 0 : Date.parse(State.FinishedAt),
    createdAt: timestamp(inspected.Created),
    engineRestarts: inspected.RestartCount,
    isRestartedByEngine: !['', 'no'].includes(HostConfig.RestartPolicy?.Name ?? ''),
    networks: Object.fromEntries(
      Object.entries(inspected.NetworkSettings.Networks).map(([name, { IPAddress }]) => [name, IPAddress]),
    ),
  };
}

/** The engine writes nanoseconds; two starts of one program are never in the same millisecond. */
function timestamp(text: string): string {
  return new Date(text).toISOString();
}

/** Whether its program runs now. */
export function isUp({ status }: ContainerView): boolean {
  return status === 'running' || status === 'paused';
}
