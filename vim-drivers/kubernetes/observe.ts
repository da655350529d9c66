import { workloadId, type ObservedInstance, type ObservedWorkload, type WorkloadId } from '../contract.ts';
import type { ClusterView, SlotSet } from './cluster-view.ts';
import { LABEL, NOTE } from './names.ts';
import type { KubeObject } from './objects.ts';
import { podState, type PodHints } from './pod-state.ts';
import {
  readCopy,
  readSlot,
  readSupervision,
  readWorkload,
  type CopyRecord,
  type SupervisionRecord,
} from './records.ts';

/** What the driver remembers of what it has seen, and the view does not show. */
export interface Memory {
  hintsOf(pod: KubeObject<'pod'>): PodHints;
  /** What the cluster complains of about a set that makes no pod. */
  complaintOf(set: SlotSet): string | undefined;
  /** Restarts of the pods of this copy before that one. */
  restartsBefore(set: SlotSet, pod: KubeObject<'pod'>): number;
  isChangedByOthers(set: SlotSet): boolean;
}

interface Seen {
  readonly copy: CopyRecord;
  readonly instance: ObservedInstance;
  readonly specHash: string;
}

/** All workloads of the scope as the cluster has them. */
export function observeAll(view: ClusterView, memory: Memory): readonly ObservedWorkload[] {
  const workloads = new Map<WorkloadId, ObservedWorkload>();
  for (const configMap of view.configMaps.objects()) {
    const empty = readWorkload(configMap, NOTE.workload);
    if (empty !== undefined) workloads.set(workloadId(empty.key), { ...empty, instances: [] });
  }
  for (const { copy, instance, specHash } of [
    ...observeSets(view, memory),
    ...observeOrphans(view, memory),
  ]) {
    const id = workloadId(copy.key);
    const known = workloads.get(id);
    const instances = [...(known?.instances ?? []), instance];
    // As long as one slot is not as the others are, the workload is not what it is wanted to be.
    const hash =
      known === undefined || known.specHash === specHash || known.instances.length === 0 ? specHash : '';
    workloads.set(id, { key: copy.key, specHash: hash, instances });
  }
  return [...workloads.values()].map((workload) => ({
    ...workload,
    instances: workload.instances.toSorted((a, b) => a.slot - b.slot),
  }));
}

function observeSets(view: ClusterView, memory: Memory): readonly Seen[] {
  const slots = new Map<string, Seen>();
  for (const set of view.sets()) {
    const seen = observeSet(view, memory, set);
    if (seen === undefined) continue;
    const { namespace = '', labels } = set.object.metadata ?? {};
    slots.set(`${namespace}/${labels?.[LABEL.slot]}`, seen);
  }
  return [...slots.values()];
}

function observeSet(view: ClusterView, memory: Memory, set: SlotSet): Seen | undefined {
  const copy = readCopy(set.object, NOTE.copy);
  const record = readSlot(set.object, NOTE.slot);
  if (copy === undefined || record === undefined) return undefined;
  const { namespace = '', labels } = set.object.metadata ?? {};
  const lacksService =
    record.published.length > 0 &&
    record.obstacle === undefined &&
    view.services.get(namespace, labels?.[LABEL.slot] ?? '') === undefined;
  return {
    copy,
    instance: observeSlot(view, memory, set, copy, record.obstacle),
    specHash: lacksService || memory.isChangedByOthers(set) ? '' : copy.specHash,
  };
}

function observeSlot(
  view: ClusterView,
  memory: Memory,
  set: SlotSet,
  copy: CopyRecord,
  obstacle: string | undefined,
): ObservedInstance {
  const { namespace = '', labels = {} } = set.object.metadata ?? {};
  const { slot, epoch, ports } = copy;
  const supervision = supervisionOf(set, copy);
  if (supervision?.verdict !== undefined)
    return { slot, epoch, ports, state: 'FAILED', ...supervision.verdict };
  const pods = view.podsOf(namespace, labels[LABEL.slot] ?? '');
  const current = chooseCurrent(pods, set);
  const leaving = pods.find(({ metadata }) => metadata?.deletionTimestamp !== undefined);
  if (current === undefined && leaving !== undefined) return observeLeaving(leaving, memory, copy);
  if (current !== undefined) {
    const state = podState(current, copy, memory.hintsOf(current));
    const restarts = restartsOf(set, current, memory);
    const seen = { slot, epoch, restarts, ports, ...state };
    return set.kind === 'job' ? asJob(set.object, seen) : seen;
  }
  return {
    slot,
    epoch,
    ports,
    restarts: supervision?.restartsBefore ?? 0,
    ...withoutPod(set, memory, obstacle),
  };
}

export function supervisionOf(set: SlotSet, { epoch, specHash }: CopyRecord): SupervisionRecord | undefined {
  const known = readSupervision(set.object, NOTE.supervision);
  return known?.epoch === epoch && known.specHash === specHash ? known : undefined;
}

/** The pod that is the copy: of those that are made from what the set says, one that runs, else the youngest. */
export function chooseCurrent(
  pods: readonly KubeObject<'pod'>[],
  { object }: SlotSet,
): KubeObject<'pod'> | undefined {
  const copy = object.metadata?.annotations?.[NOTE.copy];
  return pods
    .filter(
      ({ metadata }) =>
        metadata?.deletionTimestamp === undefined && metadata?.annotations?.[NOTE.copy] === copy,
    )
    .toSorted((a, b) => rankOf(b) - rankOf(a) || (ageOf(a) < ageOf(b) ? 1 : -1))[0];
}

function rankOf({ status }: KubeObject<'pod'>): number {
  if (status?.phase === 'Succeeded') return 3;
  if (status?.phase === 'Running') return 2;
  return status?.phase === 'Failed' ? 0 : 1;
}

function ageOf({ metadata }: KubeObject<'pod'>): string {
  return metadata?.creationTimestamp ?? '';
}

function restartsOf(set: SlotSet, pod: KubeObject<'pod'>, memory: Memory): number {
  if (set.kind === 'job') return set.object.status?.failed ?? 0;
  return memory.restartsBefore(set, pod) + (pod.status?.containerStatuses?.[0]?.restartCount ?? 0);
}

function asJob({ status }: KubeObject<'job'>, seen: ObservedInstance): ObservedInstance {
  const failed = status?.conditions?.find(({ type, status: is }) => type === 'Failed' && is === 'True');
  if (failed === undefined) return seen;
  const times = status?.failed ?? 0;
  return {
    ...seen,
    state: 'FAILED',
    restarts: Math.max(0, times - 1),
    since: new Date(failed.lastTransitionTime ?? 0).toISOString(),
    reason: `${seen.reason ?? failed.message ?? 'it failed'}; ended ${times} times; not started again`,
  };
}

function observeLeaving(pod: KubeObject<'pod'>, memory: Memory, wanted: CopyRecord): ObservedInstance {
  const copy = readCopy(pod, NOTE.copy) ?? wanted;
  const { slot, epoch, ports } = copy;
  const restarts = pod.status?.containerStatuses?.[0]?.restartCount ?? 0;
  return { slot, epoch, restarts, ports, ...podState(pod, copy, memory.hintsOf(pod)) };
}

function withoutPod(
  set: SlotSet,
  memory: Memory,
  obstacle: string | undefined,
): Pick<ObservedInstance, 'state' | 'since' | 'reason'> {
  const { object } = set;
  const since = new Date(object.metadata?.creationTimestamp ?? 0).toISOString();
  if (obstacle !== undefined) return { state: 'PENDING', since, reason: obstacle };
  const replicas = set.kind === 'job' ? set.object.spec?.parallelism : set.object.spec?.replicas;
  if (replicas === 0)
    return { state: 'STOPPED', since, reason: `somebody has scaled ${object.metadata?.name} to 0` };
  const reason = memory.complaintOf(set);
  return { state: 'PENDING', since, ...(reason === undefined ? {} : { reason }) };
}

/** Pods whose set is gone: they are on their way out. */
function observeOrphans(view: ClusterView, memory: Memory): readonly Seen[] {
  const owned = new Set(
    view.sets().map(({ object: { metadata } }) => `${metadata?.namespace}/${metadata?.labels?.[LABEL.slot]}`),
  );
  const orphans = new Map<string, Seen>();
  for (const pod of view.pods.objects()) {
    const slot = `${pod.metadata?.namespace}/${pod.metadata?.labels?.[LABEL.slot]}`;
    const copy = owned.has(slot) ? undefined : readCopy(pod, NOTE.copy);
    if (copy === undefined) continue;
    const instance = observeLeaving(pod, memory, copy);
    orphans.set(slot, { copy, instance: { ...instance, state: 'STOPPING' }, specHash: copy.specHash });
  }
  return [...orphans.values()];
}
