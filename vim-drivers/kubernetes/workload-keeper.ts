import { IotmanoError, createKeyedQueue, messageOf } from '../../kernel/index.ts';
import { workloadId, type Fence, type Workload, type WorkloadId, type WorkloadKey } from '../contract.ts';
import { awaitImage } from './await-image.ts';
import type { DriverContext } from './context.ts';
import type { FenceGuard } from './fence-guard.ts';
import { LABEL, NOTE, slotName, workloadName } from './names.ts';
import type { Namespaces } from './namespaces.ts';
import { readSlot } from './records.ts';
import { removeLeftovers, removeWorkload, stopObjects } from './remove-workload.ts';
import { writeSlot } from './slot-writer.ts';

export interface KeeperParts {
  readonly context: DriverContext;
  readonly namespaces: Namespaces;
  readonly fence: FenceGuard;
  /** From where others reach what runs in the cluster. */
  readonly address: () => Promise<string>;
}

interface Dropped {
  readonly id: WorkloadId;
  readonly namespace: string;
  readonly name: string;
}

/** Of what nobody can say any more how to stop. */
const DEFAULT_GRACE_SECONDS = 10;

/** Makes workloads what they are wanted to be, one step of a workload at a time. */
export class WorkloadKeeper {
  readonly #parts: KeeperParts;
  readonly #queue = createKeyedQueue();
  /** What could not be made yet, as a port is taken. */
  readonly #obstructed = new Map<WorkloadId, { readonly workload: Workload; readonly fence: Fence }>();
  /** Slots whose pods are on their way out, and that leave something when these are gone. What is forgotten here goes with the workload. */
  readonly #dropped = new Map<string, Dropped>();
  /** Images that are waited for. */
  readonly #awaiting = new Map<WorkloadId, AbortController>();

  constructor(parts: KeeperParts) {
    this.#parts = parts;
  }

  async apply(workload: Workload, fence: Fence): Promise<void> {
    const id = workloadId(workload.key);
    await this.#parts.fence.pass(fence);
    this.#awaiting.get(id)?.abort();
    await this.#queue.run(id, async () => {
      this.#obstructed.delete(id);
      await this.#make(workload, fence);
    });
  }

  async remove(
    key: WorkloadKey,
    fence: Fence,
    options: { readonly graceSeconds?: number; readonly deleteKeptVolumes?: boolean },
  ): Promise<void> {
    const { context, namespaces } = this.#parts;
    const id = workloadId(key);
    const namespace = namespaces.nameOf(key.tenant);
    await this.#parts.fence.pass(fence);
    this.#awaiting.get(id)?.abort();
    await this.#queue.run(id, async () => {
      this.#obstructed.delete(id);
      await context.view.demandConnected();
      const graceSeconds = options.graceSeconds ?? this.#graceOf(namespace, key);
      const deleteKeptVolumes = options.deleteKeptVolumes ?? false;
      await removeWorkload(context, namespace, key, { graceSeconds, deleteKeptVolumes });
      namespaces.touch(namespace);
    });
  }

  /** Tries again what could not be made, and removes what is left of slots whose pods are gone. */
  async tidy(): Promise<void> {
    const { context } = this.#parts;
    for (const [where, { id, namespace, name }] of this.#dropped) {
      if (context.view.podsOf(namespace, name).length > 0) continue;
      await this.#queue.run(id, async () => {
        if (!this.#dropped.delete(where)) return;
        await removeLeftovers(context, namespace, LABEL.slot, name);
      });
    }
    for (const [id, obstructed] of this.#obstructed) {
      const again = this.#queue.run(id, async () => {
        if (this.#obstructed.get(id) !== obstructed) return;
        await this.#parts.fence.demandLease(obstructed.fence);
        await this.#make(obstructed.workload, obstructed.fence);
      });
      await again.catch((error: unknown) => {
        context.log.info({ workload: id, err: error }, `not possible yet: ${messageOf(error)}`);
        // What a newer leader wants of the workload is not ours to say.
        if (error instanceof IotmanoError && error.code === 'stale-lease') this.#obstructed.delete(id);
      });
    }
  }

  /** Fulfilled when nothing is under way. */
  idle(): Promise<void> {
    return this.#queue.idle();
  }

  async #make(workload: Workload, fence: Fence): Promise<void> {
    const { context, namespaces, address } = this.#parts;
    const { key, instances } = workload;
    await context.view.demandConnected();
    const hostAddress = await address();
    await namespaces.use(key.tenant, async (namespace) => {
      if (await this.#fetch(namespace, workload)) await this.#parts.fence.demandLease(fence);
      const { scopeLabel, hostId } = context;
      const written = await Promise.all(
        instances.map(({ slot, epoch }) =>
          writeSlot(context, { workload, slot, epoch, namespace, scopeLabel, hostId, hostAddress }),
        ),
      );
      const isObstructed = written.some(({ obstacle }) => obstacle !== undefined);
      if (isObstructed) this.#obstructed.set(workloadId(key), { workload, fence });
      else this.#obstructed.delete(workloadId(key));
      await this.#dropOthers(namespace, workload);
      await this.#markEmpty(namespace, workload);
    });
  }

  /** Waits for a new image; a later command for the workload ends that. Tells whether it took its time. */
  async #fetch(namespace: string, workload: Workload): Promise<boolean> {
    const id = workloadId(workload.key);
    const awaiting = new AbortController();
    this.#awaiting.set(id, awaiting);
    try {
      return await awaitImage(this.#parts.context, namespace, workload, awaiting.signal);
    } finally {
      this.#awaiting.delete(id);
    }
  }

  /** Slots that are no longer wanted. Their pods are given their grace and not waited for. */
  async #dropOthers(namespace: string, { key, instances, spec }: Workload): Promise<void> {
    const { context } = this.#parts;
    const wanted = new Set(instances.map(({ slot }) => slotName(key, slot)));
    for (const name of wanted) this.#dropped.delete(`${namespace}/${name}`);
    for (const name of this.#slotsOf(namespace, key)) {
      if (wanted.has(name)) continue;
      await stopObjects(context, namespace, LABEL.slot, name, spec.stop.graceSeconds);
      this.#dropped.set(`${namespace}/${name}`, { id: workloadId(key), namespace, name });
    }
  }

  /** Names of the slots that have something. */
  #slotsOf(namespace: string, key: WorkloadKey): ReadonlySet<string> {
    const { view } = this.#parts.context;
    const objects = [...view.sets().map(({ object }) => object), ...view.services.objects()];
    const found = objects
      .filter(({ metadata }) => metadata?.namespace === namespace)
      .filter(({ metadata }) => metadata?.labels?.[LABEL.workload] === workloadName(key))
      .map(({ metadata }) => metadata?.labels?.[LABEL.slot] ?? '');
    return new Set(found);
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
}
