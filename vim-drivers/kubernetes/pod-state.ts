import type { V1ContainerStatus } from '@kubernetes/client-node';
import type { ObservedInstance } from '../contract.ts';
import type { KubeObject, Wire } from './objects.ts';
import { brief, describeEnd, endOf, exitCodeOf, isAfterEnd } from './program-end.ts';
import type { CopyRecord } from './records.ts';

type Pod = KubeObject<'pod'>;
type ContainerStatus = Wire<V1ContainerStatus>;

export interface PodHints {
  /** The container that runs now was ready once. */
  readonly wasReady: boolean;
  /** What the cluster has told of the pod last, where that is a complaint. */
  readonly complaint?: string;
  /** What else an operator should know of it while it runs. */
  readonly remark?: string;
}

export type PodState = Pick<ObservedInstance, 'state' | 'since' | 'reason' | 'exitCode'>;

/** What a pod is as an instance, in words that an operator understands. */
export function podState(pod: Pod, copy: CopyRecord, hints: PodHints): PodState {
  const { metadata, status, spec } = pod;
  const created = seconds(metadata?.creationTimestamp);
  if (metadata?.deletionTimestamp !== undefined) return stopping(pod);
  if (status?.phase === 'Succeeded')
    return { state: 'COMPLETED', since: seconds(endOf(pod)?.finishedAt ?? created), exitCode: 0 };
  if (status?.reason === 'NodeLost')
    return {
      state: 'UNHEALTHY',
      since: conditionTime(pod, 'Ready') ?? created,
      reason: `its machine ${spec?.nodeName ?? ''} does not answer`,
    };
  if (status?.phase === 'Failed') return failedPod(pod, copy);
  const container = status?.containerStatuses?.[0];
  if (container === undefined) return withoutContainer(pod, copy, hints);
  return containerState(pod, container, copy, hints);
}

/** How long after its grace a machine may be at ending a pod that it has not begun to run. */
const UNBEGUN_MILLISECONDS = 5000;

/**
 * Whether nothing runs any more of a pod that is being deleted, as its machine has reported. Some take a minute from there until they let go of
 * the object. What keeps volumes is let go only after a word that it has ended, never because it was not seen to begin.
 * @param now wall-clock milliseconds
 */
export function hasEnded({ metadata, status }: Pod, now: number): boolean {
  if (metadata?.deletionTimestamp === undefined) return false;
  const containers = status?.containerStatuses ?? [];
  const isSingleWriter = metadata.ownerReferences?.some(({ kind }) => kind === 'StatefulSet') ?? false;
  const isLate = now > Date.parse(metadata.deletionTimestamp) + UNBEGUN_MILLISECONDS;
  return (
    containers.length > 0 &&
    containers.every((one) => isOver(one) || (!isSingleWriter && isLate && isUnbegun(one)))
  );
}

function isOver({ state, lastState }: ContainerStatus): boolean {
  if (state?.terminated !== undefined) return true;
  return state?.running === undefined && lastState?.terminated?.reason === 'ContainerStatusUnknown';
}

function isUnbegun({ state, lastState }: ContainerStatus): boolean {
  return state?.waiting !== undefined && lastState?.terminated === undefined;
}

function stopping({ metadata }: Pod): PodState {
  const until = Date.parse(metadata?.deletionTimestamp ?? '');
  const since = until - (metadata?.deletionGracePeriodSeconds ?? 0) * 1000;
  return { state: 'STOPPING', since: new Date(since).toISOString() };
}

function failedPod(pod: Pod, copy: CopyRecord): PodState {
  const end = endOf(pod);
  const created = seconds(pod.metadata?.creationTimestamp);
  const { reason, message } = pod.status ?? {};
  if (reason !== undefined)
    return {
      state: 'PENDING',
      since: seconds(end?.finishedAt ?? created),
      reason: `${reason === 'Evicted' ? 'evicted by the cluster' : reason}: ${brief(message ?? '')}`,
    };
  return {
    state: 'PENDING',
    since: seconds(end?.finishedAt ?? created),
    ...(end === undefined ? {} : { reason: describeEnd(end, copy), exitCode: exitCodeOf(end) }),
  };
}

function withoutContainer(pod: Pod, copy: CopyRecord, { complaint }: PodHints): PodState {
  const since = seconds(pod.metadata?.creationTimestamp);
  const scheduled = pod.status?.conditions?.find(({ type }) => type === 'PodScheduled');
  if (scheduled?.status === 'False')
    return {
      state: 'PENDING',
      since,
      reason: `${takenPorts(pod, copy, scheduled.message ?? '')}unschedulable: no machine of the cluster can take it now (${brief(scheduled.message ?? '')})`,
    };
  return { state: 'PENDING', since, ...(complaint === undefined ? {} : { reason: complaint }) };
}

/** Ports that other pods have taken on the machines, where the scheduler says that this is why. */
function takenPorts({ spec }: Pod, { ports }: CopyRecord, message: string): string {
  if (!/free ports/.test(message)) return '';
  const wanted = spec?.containers.flatMap((container) => container.ports ?? []) ?? [];
  return wanted
    .filter(({ hostPort }) => hostPort !== undefined)
    .map(({ hostPort }) => {
      const [name = ''] = Object.entries(ports).find(([, number]) => number === hostPort) ?? [];
      return `port ${hostPort} (${name}) is taken; `;
    })
    .join('');
}

function containerState(pod: Pod, container: ContainerStatus, copy: CopyRecord, hints: PodHints): PodState {
  const { state = {}, ready } = container;
  const { running, terminated, waiting } = state;
  const created = seconds(pod.metadata?.creationTimestamp);
  if (running !== undefined) {
    const started = seconds(running.startedAt);
    const turned = conditionTime(pod, 'Ready');
    if (ready) return { state: 'RUNNING', since: later(turned, started), ...reasonAs(hints.remark) };
    if (hints.wasReady)
      return {
        state: 'UNHEALTHY',
        since: later(turned, started),
        ...reasonAs(hints.complaint, 'not ready: '),
      };
    return { state: 'STARTING', since: started, ...reasonAs(hints.complaint, 'not ready yet: ') };
  }
  const end = terminated ?? (isAfterEnd(state) ? container.lastState?.terminated : undefined);
  if (end !== undefined)
    return {
      state: 'PENDING',
      since: seconds(end.finishedAt ?? created),
      reason:
        waiting === undefined
          ? describeEnd(end, copy)
          : `${describeEnd(end, copy)}; the cluster starts it again after a while`,
      exitCode: exitCodeOf(end),
    };
  const reason = waitingReason(waiting?.reason, waiting?.message, copy) ?? hints.complaint;
  return { state: 'PENDING', since: created, ...(reason === undefined ? {} : { reason }) };
}

function reasonAs(said: string | undefined, what = ''): { readonly reason?: string } {
  return said === undefined ? {} : { reason: what + said };
}

const IMAGE_REASONS: ReadonlySet<string> = new Set([
  'ErrImagePull',
  'ImagePullBackOff',
  'ErrImageNeverPull',
  'InvalidImageName',
  'ImageInspectError',
  'RegistryUnavailable',
]);

/** Why the image of a pod cannot be had, where that is so. */
export function imageFault({ status }: Pod, image: string): string | undefined {
  const { reason, message } = status?.containerStatuses?.[0]?.state?.waiting ?? {};
  return reason !== undefined && IMAGE_REASONS.has(reason) ? imageWords(image, message) : undefined;
}

/** What to do about an image that the cluster does not have. */
export function imageWords(image: string, message: string | undefined): string {
  const said = message === undefined || message === '' ? '' : `: ${brief(message)}`;
  return `the image "${image}" cannot be had${said}; push it to a registry that the cluster pulls from, or load it on its machines`;
}

/** Why a container that has not run yet waits; undefined while it is simply being made. */
function waitingReason(
  reason: string | undefined,
  message: string | undefined,
  copy: CopyRecord,
): string | undefined {
  if (reason === undefined || reason === 'ContainerCreating' || reason === 'PodInitializing')
    return undefined;
  const said = message === undefined || message === '' ? '' : `: ${brief(message)}`;
  if (IMAGE_REASONS.has(reason)) return imageWords(copy.image, message);
  if (reason === 'CreateContainerConfigError') return `the container cannot be made${said}`;
  if (reason === 'CreateContainerError' || reason === 'RunContainerError')
    return `the container cannot be started${said}`;
  return `${reason}${said}`;
}

function conditionTime({ status }: Pod, type: string): string | undefined {
  const time = status?.conditions?.find((condition) => condition.type === type)?.lastTransitionTime;
  return time === undefined ? undefined : seconds(time);
}

/** Times of Kubernetes have whole seconds; ours are written with the fraction. */
function seconds(time: string | undefined): string {
  return new Date(time ?? 0).toISOString();
}

function later(a: string | undefined, b: string): string {
  return a !== undefined && a > b ? a : b;
}
