import type { SlotSet } from './cluster-view.ts';
import { probeWords, startWords, type ComplaintBook } from './complaints.ts';
import type { WrittenSets } from './context.ts';
import { NOTE } from './names.ts';
import type { KubeObject } from './objects.ts';
import { supervisionOf, type Memory } from './observe.ts';
import type { PodHints } from './pod-state.ts';
import { readCopy } from './records.ts';
import { contentOf } from './slot-writer.ts';

type Pod = KubeObject<'pod'>;

interface SlotSeen {
  readonly content: string;
  readonly pod: string;
  readonly before: number;
  readonly restarts: number;
}

/** What turned ready so long after its container began did not do so by beginning. */
const BEGINNING_MILLISECONDS = 2000;

/** What the driver remembers of pods beyond what the cluster shows of them now. */
export class PodMemory implements Memory {
  readonly #complaints: ComplaintBook;
  readonly #written: WrittenSets;
  /** Ids of containers that have been ready, by pod. */
  readonly #ready = new Map<string, string>();
  readonly #slots = new Map<string, SlotSeen>();
  /** Pods that the driver itself replaces: what follows is no restart. */
  readonly #replaced = new Set<string>();
  /** What a pod is to be told and cannot be, by pod. */
  readonly untold = new Map<string, string>();

  constructor(complaints: ComplaintBook, written: WrittenSets) {
    this.#complaints = complaints;
    this.#written = written;
  }

  /** Takes note of what the pods are now, and forgets those that are gone. */
  look(pods: Iterable<Pod>): void {
    const seen = new Set<string>();
    for (const { metadata, status } of pods) {
      const uid = metadata?.uid ?? '';
      seen.add(uid);
      const container = status?.containerStatuses?.[0];
      if (container?.ready === true) this.#ready.set(uid, container.containerID ?? '');
    }
    for (const map of [this.#ready, this.untold])
      for (const uid of map.keys()) if (!seen.has(uid)) map.delete(uid);
  }

  replaces(uid: string): void {
    this.#replaced.add(uid);
  }

  hintsOf(pod: Pod): PodHints {
    const { uid = '', namespace = '' } = pod.metadata ?? {};
    const complaints = this.#complaints.of(namespace, uid);
    const container = pod.status?.containerStatuses?.[0];
    const isRunning = container?.state?.running !== undefined;
    const wasReady = this.#ready.get(uid) === container?.containerID || hasTurned(pod);
    const said = isRunning
      ? complaints.ready && probeWords(complaints.ready, pod, 'readinessProbe')
      : complaints.start && startWords(complaints.start, readCopy(pod, NOTE.copy));
    const remark = this.untold.get(uid);
    return {
      wasReady: isRunning && wasReady,
      ...(said === undefined ? {} : { complaint: said }),
      ...(remark === undefined ? {} : { remark }),
    };
  }

  /** Whether it runs, is not ready although it was, and nobody has said why. */
  lacksReason(pod: Pod): boolean {
    const container = pod.status?.containerStatuses?.[0];
    if (container?.state?.running === undefined || container.ready) return false;
    const { wasReady, complaint } = this.hintsOf(pod);
    return wasReady && complaint === undefined && pod.metadata?.deletionTimestamp === undefined;
  }

  /** What was wrong with a program that the kubelet has killed, where its probe was. */
  deathOf(pod: Pod): string | undefined {
    const { uid, namespace = '' } = pod.metadata ?? {};
    const fault = this.#complaints.of(namespace, uid).alive;
    return fault === undefined ? undefined : probeWords(fault, pod, 'livenessProbe');
  }

  complaintOf(set: SlotSet): string | undefined {
    const { object } = set;
    const conditions = set.kind === 'deployment' ? set.object.status?.conditions : undefined;
    const failure = conditions?.find(({ type, status }) => type === 'ReplicaFailure' && status === 'True');
    const { namespace = '', uid } = object.metadata ?? {};
    const said = failure?.message ?? this.#complaints.of(namespace, uid).start;
    return said === undefined ? undefined : startWords(said, readCopy(object, NOTE.copy));
  }

  restartsBefore(set: SlotSet, pod: Pod): number {
    return this.#slotSeen(set, pod).before;
  }

  /**
   * Counts a pod that came instead of another without anybody having asked for that. Gives the number to be written down, where it is a new one.
   */
  noteRestarts(set: SlotSet, pod: Pod): number | undefined {
    const seen = this.#slotSeen(set, pod);
    const isNew = this.#slots.get(slotKey(set))?.pod !== seen.pod && seen.before > 0;
    this.#slots.set(slotKey(set), seen);
    const copy = readCopy(set.object, NOTE.copy);
    const stored = copy && supervisionOf(set, copy);
    return isNew || (seen.before > 0 && stored?.restartsBefore !== seen.before) ? seen.before : undefined;
  }

  forget(set: SlotSet): void {
    this.#slots.delete(slotKey(set));
  }

  isChangedByOthers(set: SlotSet): boolean {
    const copy = readCopy(set.object, NOTE.copy);
    const isGivenUp = copy !== undefined && supervisionOf(set, copy)?.verdict !== undefined;
    return this.#written.isChangedByOthers(set, contentOf(set), isGivenUp);
  }

  #slotSeen(set: SlotSet, pod: Pod): SlotSeen {
    const content = set.object.metadata?.annotations?.[NOTE.copy] ?? '';
    const uid = pod.metadata?.uid ?? '';
    const restarts = pod.status?.containerStatuses?.[0]?.restartCount ?? 0;
    const known = this.#slots.get(slotKey(set));
    if (known?.content !== content) {
      const copy = readCopy(set.object, NOTE.copy);
      const before = (copy && supervisionOf(set, copy)?.restartsBefore) ?? 0;
      return { content, pod: uid, before, restarts };
    }
    if (known.pod === uid) return { ...known, restarts };
    const one = this.#replaced.has(known.pod) ? 0 : 1;
    return { content, pod: uid, before: known.before + known.restarts + one, restarts };
  }
}

function slotKey({ object: { metadata } }: SlotSet): string {
  return `${metadata?.namespace}/${metadata?.name}`;
}

/** Whether a running container that is not ready has been ready before, as far as the pod shows that. */
function hasTurned({ status }: Pod): boolean {
  const started = status?.containerStatuses?.[0]?.state?.running?.startedAt;
  const turned = status?.conditions?.find(({ type }) => type === 'Ready')?.lastTransitionTime;
  if (started === undefined || turned === undefined) return false;
  return Date.parse(turned) - Date.parse(started) > BEGINNING_MILLISECONDS;
}
