import { messageOf } from '../../kernel/index.ts';
import type { SlotSet } from './cluster-view.ts';
import type { ComplaintBook } from './complaints.ts';
import type { DriverContext } from './context.ts';
import { countEnds, type EndBook } from './count-ends.ts';
import { LABEL, NOTE } from './names.ts';
import type { KubeObject } from './objects.ts';
import { LastOutputs } from './last-output.ts';
import { chooseCurrent, supervisionOf } from './observe.ts';
import type { PodMemory } from './pod-memory.ts';
import { hasEnded } from './pod-state.ts';
import { describeEnd, endsOf, exitCodeOf } from './program-end.ts';
import { wholeGraceSeconds } from './pod-template.ts';
import { readCopy, readSlot, type CopyRecord, type SlotRecord, type SupervisionRecord } from './records.ts';
import { isUntold, tellBindings } from './tell-bindings.ts';

type Pod = KubeObject<'pod'>;

interface Slot {
  readonly set: SlotSet;
  readonly copy: CopyRecord;
  readonly record: SlotRecord;
  readonly pods: readonly Pod[];
}

/** After so long it is not slow to handle SIGHUP: it never will. */
const HANGUP_PATIENCE_MILLISECONDS = 3000;
const NOT_HANDLED =
  'does not know its new bindings: it does not handle SIGHUP; handle it, or say "onChange: restart"';

/**
 * What the driver does by itself, whoever commands: counts ends and gives up, replaces outdated pods where the cluster does not, tells
 * programs of their new bindings, and finds out why something does not come up. Each pass looks at all that is; repeated, it changes nothing.
 */
export class Supervisor {
  readonly #context: DriverContext;
  readonly #memory: PodMemory;
  readonly #complaints: ComplaintBook;
  readonly lastOutputs = new LastOutputs();
  readonly #books = new Map<string, EndBook>();
  readonly #underWay = new Set<string>();
  readonly #untoldSince = new Map<string, number>();
  readonly #changed: () => void;

  constructor(context: DriverContext, memory: PodMemory, complaints: ComplaintBook, changed: () => void) {
    this.#context = context;
    this.#memory = memory;
    this.#complaints = complaints;
    this.#changed = changed;
  }

  /** One look at everything. Returns how soon the next one is to come when nothing changes. */
  async pass(): Promise<number> {
    const { view } = this.#context;
    this.#memory.look(view.pods.objects());
    const slots = view.sets().flatMap((set) => this.#slotOf(set));
    for (const slot of slots) this.#supervise(slot);
    const now = this.#context.clock.now();
    const leaving = Array.from(view.pods.objects()).filter(
      (pod) => pod.metadata?.deletionTimestamp !== undefined,
    );
    for (const pod of leaving) if (hasEnded(pod, now)) this.#letGo(pod);
    const books = new Set(slots.map(({ set }) => set.object.metadata?.uid ?? ''));
    for (const uid of this.#books.keys()) if (!books.has(uid)) this.#books.delete(uid);
    this.lastOutputs.retain(books);
    const troubled = new Set(slots.filter(isTroubled).map(({ set }) => set.object.metadata?.namespace ?? ''));
    if (await this.#complaints.refresh(troubled)) this.#changed();
    return this.#untoldSince.size > 0 ? 300 : troubled.size + leaving.length > 0 ? 1000 : 5000;
  }

  #slotOf(set: SlotSet): readonly Slot[] {
    const copy = readCopy(set.object, NOTE.copy);
    const record = readSlot(set.object, NOTE.slot);
    if (copy === undefined || record === undefined) return [];
    const { namespace = '', labels } = set.object.metadata ?? {};
    return [{ set, copy, record, pods: this.#context.view.podsOf(namespace, labels?.[LABEL.slot] ?? '') }];
  }

  #supervise(slot: Slot): void {
    const { set, copy, record, pods } = slot;
    if (set.kind === 'statefulSet') this.#replaceOutdated(slot);
    const pod = chooseCurrent(pods, set);
    if (pod === undefined || set.kind === 'job') return;
    if (supervisionOf(set, copy)?.verdict !== undefined) return;
    const restartsBefore = this.#memory.noteRestarts(set, pod);
    const uid = pod.metadata?.uid ?? '';
    const setId = set.object.metadata?.uid ?? '';
    const book = countEnds(record.restart, this.#books.get(setId), seenOf(pod, record));
    this.#books.set(setId, book);
    if (book.verdict !== undefined) this.#giveUp(slot, pod, book.verdict);
    else if (restartsBefore !== undefined)
      this.#writeSupervision(slot, { epoch: copy.epoch, specHash: copy.specHash, pod: uid, restartsBefore });
    if (record.bindings !== undefined && isUntold(pod, record.bindings))
      this.#tell(slot, pod, record.bindings.hash);
    else this.#toldAtLast(uid);
  }

  #giveUp(slot: Slot, pod: Pod, reason: string): void {
    const { copy } = slot;
    const { count, last } = endsOf(pod);
    if (last === undefined) return;
    const death = this.#memory.deathOf(pod);
    const how = `${death === undefined ? '' : `not alive: ${death}; `}${describeEnd(last, copy)}`;
    const restartsBefore = this.#memory.restartsBefore(slot.set, pod);
    this.#context.log.info(
      { instance: slot.set.object.metadata?.name, how, reason },
      'an instance is given up',
    );
    const { client, clock, log } = this.#context;
    const keepOutput = () =>
      this.lastOutputs
        .keep(slot.set, pod, { transport: client.transport, clock })
        .catch((error: unknown) => log.info({ err: error }, 'the output of an instance is lost'));
    const record = {
      epoch: copy.epoch,
      specHash: copy.specHash,
      pod: pod.metadata?.uid ?? '',
      restartsBefore,
      verdict: {
        reason: `${how}; ${reason}`,
        since: new Date(last.finishedAt ?? 0).toISOString(),
        restarts: restartsBefore + Math.max(0, count - 1),
        exitCode: exitCodeOf(last),
      },
    };
    this.#writeSupervision(slot, record, keepOutput);
  }

  /** Writes down what was decided; what has changed meanwhile refuses it, and is looked at again. */
  #writeSupervision({ set }: Slot, record: SupervisionRecord, before = async (): Promise<void> => {}): void {
    const { client, view } = this.#context;
    const { name = '', namespace = '', resourceVersion } = set.object.metadata ?? {};
    const manifest = {
      metadata: {
        name,
        namespace,
        ...(resourceVersion === undefined ? {} : { resourceVersion }),
        annotations: { [NOTE.supervision]: JSON.stringify(record) },
      },
      ...(record.verdict === undefined ? {} : { spec: { replicas: 0 } }),
    };
    this.#run(`supervision ${namespace}/${name}`, async () => {
      await before();
      // The parts that Kubernetes demands of a whole set are there already.
      if (set.kind === 'deployment') {
        const object = await client.apply(set.kind, manifest as never, 'iotmano-supervision');
        view.deployments.learn(object);
      } else if (set.kind === 'statefulSet') {
        const object = await client.apply(set.kind, manifest as never, 'iotmano-supervision');
        view.statefulSets.learn(object);
      }
    });
  }

  /** Pods that are made from something else than their set says now. */
  #replaceOutdated({ set, record, pods }: Slot): void {
    const copy = set.object.metadata?.annotations?.[NOTE.copy];
    for (const { metadata } of pods) {
      if (metadata?.deletionTimestamp !== undefined || metadata?.annotations?.[NOTE.copy] === copy) continue;
      const { name = '', namespace = '', uid = '' } = metadata ?? {};
      this.#run(`replace ${uid}`, () => this.#deletePod(namespace, name, uid, record.graceSeconds));
    }
  }

  #deletePod(namespace: string, name: string, uid: string, graceSeconds: number): Promise<void> {
    this.#memory.replaces(uid);
    return this.#context.client.delete('pod', namespace, name, {
      uid,
      graceSeconds: wholeGraceSeconds(graceSeconds),
    });
  }

  /** What has ended is not waited for: whatever comes after it, comes now. */
  #letGo({ metadata }: Pod): void {
    const { name = '', namespace = '', uid = '' } = metadata ?? {};
    this.#run(`let go ${uid}`, () =>
      this.#context.client.delete('pod', namespace, name, { uid, graceSeconds: 0 }),
    );
  }

  #tell({ record }: Slot, pod: Pod, hash: string): void {
    const { clock } = this.#context;
    const { uid = '', name = '', namespace = '' } = pod.metadata ?? {};
    if (pod.status?.containerStatuses?.[0]?.state?.running === undefined) return;
    const since = this.#untoldSince.get(uid) ?? clock.monotonic();
    this.#untoldSince.set(uid, since);
    this.#run(`tell ${uid}`, async () => {
      const telling = await tellBindings(this.#context, pod, hash);
      if (telling === 'told') this.#toldAtLast(uid);
      if (telling === 'no-shell') await this.#deletePod(namespace, name, uid, record.graceSeconds);
      if (telling === 'not-handled' && clock.monotonic() - since > HANGUP_PATIENCE_MILLISECONDS) {
        this.#memory.untold.set(uid, NOT_HANDLED);
        this.#changed();
      }
    });
  }

  #toldAtLast(uid: string): void {
    this.#untoldSince.delete(uid);
    if (this.#memory.untold.delete(uid)) this.#changed();
  }

  /** One thing of a name at a time; one that fails is tried again with the next look. */
  #run(name: string, task: () => Promise<void>): void {
    if (this.#underWay.has(name)) return;
    this.#underWay.add(name);
    task()
      .catch((error: unknown) =>
        this.#context.log.info({ task: name, err: error }, `not done yet: ${messageOf(error)}`),
      )
      .finally(() => this.#underWay.delete(name))
      .catch(() => undefined);
  }
}

function seenOf(pod: Pod, { restart }: SlotRecord) {
  const { count, last } = endsOf(pod);
  const started = Date.parse(last?.startedAt ?? '');
  const finished = Date.parse(last?.finishedAt ?? '');
  const created = Date.parse(pod.metadata?.creationTimestamp ?? '');
  return {
    pod: pod.metadata?.uid ?? '',
    count,
    lastRunMilliseconds: Number.isFinite(finished - started) ? Math.max(0, finished - started) : 0,
    isSeenFromStart: !(finished - created > restart.withinSeconds * 1000),
  };
}

/** Whether the cluster may know why it does not get on. */
function isTroubled({ set, pods, record }: Slot): boolean {
  if (record.obstacle !== undefined) return false;
  const wanted = set.kind === 'job' ? set.object.spec?.parallelism : set.object.spec?.replicas;
  if (wanted === 0) return false;
  const pod = chooseCurrent(pods, set);
  if (pod === undefined) return set.kind !== 'job' || set.object.status?.succeeded !== 1;
  return pod.status?.phase !== 'Succeeded' && pod.status?.containerStatuses?.[0]?.ready !== true;
}
