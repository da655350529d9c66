import { IotmanoError, messageOf } from '../../kernel/index.ts';
import {
  workloadId,
  type DriverCapabilities,
  type Fence,
  type HostInventory,
  type LogOptions,
  type ObservedWorkload,
  type Workload,
  type WorkloadId,
  type WorkloadKey,
  type WorkloadSpec,
  type WorkloadUsage,
} from '../contract.ts';
import { createKeyedQueue } from '../supervision/index.ts';
import { awaitImage } from './await-image.ts';
import type { ComplaintBook } from './complaints.ts';
import type { DriverContext } from './context.ts';
import type { FenceGuard } from './fence-guard.ts';
import type { KubernetesDriver } from './index.ts';
import { addressOf, describeCluster, type ClusterDescription } from './inventory.ts';
import { readOutput } from './logs.ts';
import { LABEL, NOTE, slotName, workloadName } from './names.ts';
import type { Namespaces } from './namespaces.ts';
import { pathOf, type KubeObject } from './objects.ts';
import { chooseCurrent, observeAll } from './observe.ts';
import type { PodMemory } from './pod-memory.ts';
import { readCopy, readSlot } from './records.ts';
import { removeLeftovers, removeWorkload, stopObjects } from './remove-workload.ts';
import { containerArtifact } from './slot-plan.ts';
import { writeSlot } from './slot-writer.ts';
import type { Supervisor } from './supervisor.ts';
import type { UsageReader } from './usage.ts';

export interface HostParts {
  readonly context: DriverContext;
  readonly namespaces: Namespaces;
  readonly fence: FenceGuard;
  readonly memory: PodMemory;
  readonly complaints: ComplaintBook;
  readonly supervisor: Supervisor;
  readonly usage: UsageReader;
  readonly about: ClusterDescription;
  readonly hints: Set<() => void>;
}

/** Changes come in swarms: a hint, and a look of the driver's own, follow this long after the first one. */
const HINT_MILLISECONDS = 40;
/** What could not be made yet, as a port that is taken, is tried again this often. */
const RETRY_MILLISECONDS = 2000;
/** Of what nobody can say any more how to stop. */
const DEFAULT_GRACE_SECONDS = 10;
/** An answer of the cluster that is older is no proof that it is there. */
const PROOF_MILLISECONDS = 1000;

/** The driver of one scope on one cluster, all parts given. */
export class KubernetesHost implements KubernetesDriver {
  readonly #parts: HostParts;
  readonly #queue = createKeyedQueue();
  readonly #obstructed = new Map<WorkloadId, Workload>();
  /** Slots whose pods are on their way out, and that leave something when these are gone. What is forgotten here goes with the workload. */
  readonly #dropped = new Map<
    string,
    { readonly id: WorkloadId; readonly namespace: string; readonly name: string }
  >();
  readonly #closing = new AbortController();
  #waking = new AbortController();
  #machines: { readonly at: number; readonly found: Promise<readonly KubeObject<'node'>[]> } | undefined;
  #proof: { readonly at: number; readonly answer: Promise<unknown> } | undefined;
  #running: Promise<unknown> = Promise.resolve();

  constructor(parts: HostParts) {
    this.#parts = parts;
  }

  open(): void {
    this.#running = Promise.all([this.#parts.context.view.run(), this.#supervise(), this.#retry()]);
  }

  /** Something may have changed. */
  wake(): void {
    this.#waking.abort();
  }

  async capabilities(): Promise<DriverCapabilities> {
    return {
      driver: 'kubernetes',
      artifactTypes: ['container'],
      volumes: true,
      fixedPorts: true,
      limits: { memory: 'enforced', cpu: 'enforced' },
      isolation: 'container',
    };
  }

  async inventory(): Promise<readonly HostInventory[]> {
    return [describeCluster(await this.#findMachines(0), this.#parts.about)];
  }

  async apply(workload: Workload, fence: Fence): Promise<void> {
    this.#demandOpen();
    containerArtifact(workload);
    await this.#parts.fence.pass(fence);
    const id = workloadId(workload.key);
    await this.#queue.run(id, async () => {
      this.#obstructed.delete(id);
      await this.#make(workload);
    });
  }

  async remove(
    key: WorkloadKey,
    fence: Fence,
    options: { readonly graceSeconds?: number; readonly deleteKeptVolumes?: boolean } = {},
  ): Promise<void> {
    this.#demandOpen();
    const { context, namespaces } = this.#parts;
    await this.#parts.fence.pass(fence);
    const id = workloadId(key);
    const namespace = namespaces.nameOf(key.tenant);
    await this.#queue.run(id, async () => {
      this.#obstructed.delete(id);
      await context.view.demandConnected();
      const graceSeconds = options.graceSeconds ?? this.#graceOf(namespace, key);
      const deleteKeptVolumes = options.deleteKeptVolumes ?? false;
      await removeWorkload(context, namespace, key, { graceSeconds, deleteKeptVolumes });
      namespaces.touch(namespace);
    });
  }

  async list(): Promise<readonly ObservedWorkload[]> {
    this.#demandOpen();
    const { context, memory, complaints } = this.#parts;
    await Promise.all([context.view.demandConnected(), this.#demandAnswer()]);
    memory.look(context.view.pods.objects());
    // The cluster says in its events alone why a probe fails.
    const unexplained = [...context.view.pods.objects()].filter((pod) => memory.lacksReason(pod));
    if (unexplained.length > 0)
      await complaints.explain(new Set(unexplained.map(({ metadata }) => metadata?.namespace ?? '')));
    return observeAll(context.view, memory);
  }

  watch(onChange: () => void): () => void {
    const watcher = (): void => onChange();
    this.#parts.hints.add(watcher);
    return () => this.#parts.hints.delete(watcher);
  }

  async usage(key: WorkloadKey): Promise<WorkloadUsage> {
    this.#demandOpen();
    const { context, usage, namespaces } = this.#parts;
    await context.view.demandConnected();
    const namespace = namespaces.nameOf(key.tenant);
    const slots = context.view.setsWith(namespace, LABEL.workload, workloadName(key)).flatMap((set) => {
      const copy = readCopy(set.object, NOTE.copy);
      const pod = this.#podOf(key, copy?.slot ?? -1);
      return copy === undefined || typeof pod !== 'object' ? [] : [{ slot: copy.slot, pod }];
    });
    const instances = await Promise.all(
      slots.map(async ({ slot, pod }) => {
        const figures = await usage.figuresOf(pod);
        const restarts = pod.status?.containerStatuses?.[0]?.restartCount ?? 0;
        return figures === undefined ? [] : [{ slot, restarts, ...figures }];
      }),
    );
    return { instances: instances.flat().toSorted((a, b) => a.slot - b.slot) };
  }

  async *logs(key: WorkloadKey, options: LogOptions): AsyncGenerator<Uint8Array> {
    this.#demandOpen();
    const { client, clock, view } = this.#parts.context;
    await view.demandConnected();
    if (this.#podOf(key, options.slot) === undefined)
      throw new IotmanoError('not-found', `${workloadId(key)} has no slot ${options.slot} on this cluster`, {
        slot: options.slot,
      });
    const podOf = () => (this.#closing.signal.aborted ? undefined : this.#podOf(key, options.slot));
    yield* readOutput({ transport: client.transport, clock, podOf }, options);
  }

  async readMetrics(
    key: WorkloadKey,
    slot: number,
    from: NonNullable<WorkloadSpec['metrics']>,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const pod = this.#podOf(key, slot);
    if (typeof pod !== 'object') return undefined;
    const number = readCopy(pod, NOTE.copy)?.ports[from.port];
    if (number === undefined) return undefined;
    const { namespace = '', name = '' } = pod.metadata ?? {};
    const [path = '', search = ''] = from.path.split('?');
    try {
      return await this.#parts.context.client.transport.send({
        method: 'GET',
        path: `${pathOf('pod', namespace, `${name}`)}:${number}/proxy${encodeURI(path)}`,
        query: Object.fromEntries(new URLSearchParams(search)),
        signal,
      });
    } catch {
      return undefined;
    }
  }

  async close(): Promise<void> {
    const { context } = this.#parts;
    this.#closing.abort();
    this.#waking.abort();
    context.view.close();
    // What is under way is cut off: the cluster may have it or not, as after any crash.
    context.client.transport.close();
    await this.#queue.idle();
    await this.#running;
  }

  async #make(workload: Workload): Promise<void> {
    const { context, namespaces, about } = this.#parts;
    const { key, instances } = workload;
    await context.view.demandConnected();
    const hostAddress = about.address ?? addressOf(await this.#findMachines(30_000)) ?? '';
    await namespaces.use(key.tenant, async (namespace) => {
      const { scopeLabel, hostId } = context;
      await awaitImage(context, namespace, workload);
      const written = await Promise.all(
        instances.map(({ slot, epoch }) =>
          writeSlot(context, { workload, slot, epoch, namespace, scopeLabel, hostId, hostAddress }),
        ),
      );
      if (written.some(({ obstacle }) => obstacle !== undefined))
        this.#obstructed.set(workloadId(key), workload);
      await this.#dropOthers(namespace, workload);
      await this.#markEmpty(namespace, workload);
    });
  }

  /** Slots that are no longer wanted. Their pods are given their grace and not waited for. */
  async #dropOthers(namespace: string, { key, instances, spec }: Workload): Promise<void> {
    const { context } = this.#parts;
    const wanted = new Set(instances.map(({ slot }) => slotName(key, slot)));
    const found = context.view
      .setsWith(namespace, LABEL.workload, workloadName(key))
      .map(({ object }) => object.metadata?.labels?.[LABEL.slot] ?? '');
    const services = Array.from(context.view.services.objects())
      .filter(({ metadata }) => metadata?.namespace === namespace)
      .filter(({ metadata }) => metadata?.labels?.[LABEL.workload] === workloadName(key))
      .map(({ metadata }) => metadata?.labels?.[LABEL.slot] ?? '');
    const extra = new Set([...found, ...services].filter((name) => !wanted.has(name)));
    for (const name of wanted) this.#dropped.delete(`${namespace}/${name}`);
    for (const name of extra) {
      await stopObjects(context, namespace, LABEL.slot, name, spec.stop.graceSeconds);
      this.#dropped.set(`${namespace}/${name}`, { id: workloadId(key), namespace, name });
    }
  }

  /** Removes what is left of slots that were dropped, and whose pods are gone. */
  async #tidyDropped(): Promise<void> {
    const { context } = this.#parts;
    for (const [where, { id, namespace, name }] of this.#dropped) {
      if (context.view.podsOf(namespace, name).length > 0) continue;
      await this.#queue.run(id, async () => {
        if (!this.#dropped.has(where)) return;
        await removeLeftovers(context, namespace, LABEL.slot, name);
        this.#dropped.delete(where);
      });
    }
  }

  /** A workload without slots has nothing else that tells of it. */
  async #markEmpty(namespace: string, { key, specHash, instances }: Workload): Promise<void> {
    const { client, view, scopeLabel } = this.#parts.context;
    const name = workloadName(key);
    const marker = view.configMaps.get(namespace, name);
    if (instances.length === 0) {
      const annotations = { [NOTE.workload]: JSON.stringify({ key, specHash }) };
      const labels = { [LABEL.scope]: scopeLabel, [LABEL.workload]: name };
      view.configMaps.learn(
        await client.apply('configMap', { metadata: { name, namespace, labels, annotations } }),
      );
    } else if (marker !== undefined) {
      await client.delete('configMap', namespace, name);
      view.configMaps.forget(marker);
    }
  }

  #graceOf(namespace: string, key: WorkloadKey): number {
    const sets = this.#parts.context.view.setsWith(namespace, LABEL.workload, workloadName(key));
    const graces = sets.flatMap(({ object }) => readSlot(object, NOTE.slot)?.graceSeconds ?? []);
    return graces.length === 0 ? DEFAULT_GRACE_SECONDS : Math.max(...graces);
  }

  /** The pod of a slot; undefined: there is no such slot. */
  #podOf(key: WorkloadKey, slot: number): KubeObject<'pod'> | 'none-yet' | undefined {
    const { context, namespaces } = this.#parts;
    const namespace = namespaces.nameOf(key.tenant);
    const name = slotName(key, slot);
    const [set] = context.view.setsWith(namespace, LABEL.slot, name);
    const pods = context.view.podsOf(namespace, name);
    const pod = set === undefined ? pods[0] : (chooseCurrent(pods, set) ?? pods[0]);
    return pod ?? (set === undefined ? undefined : 'none-yet');
  }

  #findMachines(freshMilliseconds: number): Promise<readonly KubeObject<'node'>[]> {
    const { client, clock } = this.#parts.context;
    const known = this.#machines;
    if (known !== undefined && clock.monotonic() - known.at < freshMilliseconds) return known.found;
    const found = client.list('node', {}).then(({ items }) => items);
    const asked = { at: clock.monotonic(), found };
    this.#machines = asked;
    found.catch(() => {
      if (this.#machines === asked) this.#machines = undefined;
    });
    return found;
  }

  /** A broken watch may look like a quiet one: what is told is that of a cluster that has answered just now. */
  async #demandAnswer(): Promise<void> {
    const { client, clock } = this.#parts.context;
    if (this.#proof === undefined || clock.monotonic() - this.#proof.at > PROOF_MILLISECONDS) {
      const answer = client.get('configMap', this.#parts.namespaces.scopeNamespace, 'fence');
      const proof = { at: clock.monotonic(), answer };
      this.#proof = proof;
      answer.catch(() => {
        if (this.#proof === proof) this.#proof = undefined;
      });
    }
    await this.#proof.answer;
  }

  #demandOpen(): void {
    if (this.#closing.signal.aborted) throw new IotmanoError('unavailable', 'the driver is closed');
  }

  /** Looks at all that is whenever something has changed, and hints at it. */
  async #supervise(): Promise<void> {
    const { context, supervisor, namespaces, hints } = this.#parts;
    const { clock, log } = context;
    while (!this.#closing.signal.aborted) {
      this.#waking = new AbortController();
      let pause = RETRY_MILLISECONDS;
      try {
        pause = await supervisor.pass();
        await this.#tidyDropped();
        if (namespaces.hasIdle) await namespaces.sweep();
      } catch (error) {
        log.info({ err: error }, `a look at the cluster failed: ${messageOf(error)}`);
      }
      const waking = this.#waking.signal;
      await clock.sleep(pause, waking);
      if (waking.aborted && !this.#closing.signal.aborted) {
        await clock.sleep(HINT_MILLISECONDS, this.#closing.signal);
        for (const hint of hints) hint();
      }
    }
  }

  async #retry(): Promise<void> {
    const { clock, log } = this.#parts.context;
    while (!this.#closing.signal.aborted) {
      await clock.sleep(RETRY_MILLISECONDS, this.#closing.signal);
      for (const [id, workload] of this.#obstructed) {
        if (this.#closing.signal.aborted) return;
        await this.#queue
          .run(id, async () => {
            if (this.#obstructed.get(id) !== workload) return;
            this.#obstructed.delete(id);
            try {
              await this.#make(workload);
            } catch (error) {
              if (!this.#obstructed.has(id)) this.#obstructed.set(id, workload);
              throw error;
            }
          })
          .catch((error: unknown) => log.info({ workload: id, err: error }, 'not possible yet'));
      }
    }
  }
}
