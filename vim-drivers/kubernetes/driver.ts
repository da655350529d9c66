import { IotmanoError, messageOf } from '../../kernel/index.ts';
import {
  instanceName,
  workloadId,
  type CommandEvent,
  type CommandOptions,
  type DriverCapabilities,
  type Fence,
  type HostInventory,
  type LogOptions,
  type ObservedWorkload,
  type Workload,
  type WorkloadKey,
  type WorkloadSpec,
  type WorkloadUsage,
} from '../contract.ts';
import { commandInPod } from './command.ts';
import type { ComplaintBook } from './complaints.ts';
import type { DriverContext } from './context.ts';
import { describeCluster, type ClusterDescription } from './inventory.ts';
import { readOutput } from './logs.ts';
import type { Machines } from './machines.ts';
import { fetchMetrics } from './metrics.ts';
import { LABEL, NOTE, slotName, workloadName } from './names.ts';
import type { Namespaces } from './namespaces.ts';
import { pathOf, type KubeObject } from './objects.ts';
import { chooseCurrent, observeAll } from './observe.ts';
import type { KubernetesDriver } from './options.ts';
import type { PodMemory } from './pod-memory.ts';
import { readCopy } from './records.ts';
import { containerArtifact } from './slot-plan.ts';
import type { Supervisor } from './supervisor.ts';
import type { UsageReader } from './usage.ts';
import type { WorkloadKeeper } from './workload-keeper.ts';

export interface HostParts {
  readonly context: DriverContext;
  readonly namespaces: Namespaces;
  readonly keeper: WorkloadKeeper;
  readonly memory: PodMemory;
  readonly complaints: ComplaintBook;
  readonly supervisor: Supervisor;
  readonly usage: UsageReader;
  readonly machines: Machines;
  readonly about: ClusterDescription;
  readonly hints: Set<() => void>;
}

/** Changes come in swarms: a hint, and a look of the driver's own, follow this long after the first one. */
const HINT_MILLISECONDS = 40;
/** What could not be done yet is tried again this often. */
const RETRY_MILLISECONDS = 1000;
/** An answer of the cluster that is older is no proof that it is there. */
const PROOF_MILLISECONDS = 1000;

/** The driver of one scope on one cluster, all parts given. */
export class KubernetesHost implements KubernetesDriver {
  readonly #parts: HostParts;
  readonly #closing = new AbortController();
  #commands = 0;
  #waking = new AbortController();
  #proof: { readonly at: number; readonly answer: Promise<unknown> } | undefined;
  #running: Promise<unknown> = Promise.resolve();

  constructor(parts: HostParts) {
    this.#parts = parts;
  }

  open(): void {
    this.#running = Promise.all([this.#parts.context.view.run(), this.#supervise(), this.#tidy()]);
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
    return [describeCluster(await this.#parts.machines.find(), this.#parts.about)];
  }

  async apply(workload: Workload, fence: Fence): Promise<void> {
    this.#demandOpen();
    containerArtifact(workload);
    await this.#parts.keeper.apply(workload, fence);
  }

  async remove(
    key: WorkloadKey,
    fence: Fence,
    options: { readonly graceSeconds?: number; readonly deleteKeptVolumes?: boolean } = {},
  ): Promise<void> {
    this.#demandOpen();
    await this.#parts.keeper.remove(key, fence, options);
  }

  async list(): Promise<readonly ObservedWorkload[]> {
    this.#demandOpen();
    const { context, memory, complaints } = this.#parts;
    await Promise.all([context.view.demandConnected(), this.#demandAnswer()]);
    memory.look(context.view.pods.objects());
    // The cluster says in its events alone why a probe fails.
    const unexplained = Array.from(context.view.pods.objects()).filter((pod) => memory.lacksReason(pod));
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
    const { namespaces, supervisor, context } = this.#parts;
    const { client, clock, view } = context;
    await view.demandConnected();
    const pod = this.#podOf(key, options.slot);
    if (pod === undefined) throw noSlot(key, options.slot);
    if (pod === 'none-yet') {
      const [set] = view.setsWith(namespaces.nameOf(key.tenant), LABEL.slot, slotName(key, options.slot));
      yield (set && supervisor.lastOutputs.of(set, options.tailLines)) ?? new Uint8Array();
    }
    const podOf = () => (this.#closing.signal.aborted ? undefined : this.#podOf(key, options.slot));
    yield* readOutput({ transport: client.transport, clock, podOf }, options);
  }

  async *exec(key: WorkloadKey, options: CommandOptions): AsyncGenerator<CommandEvent> {
    this.#demandOpen();
    const { client, clock, view } = this.#parts.context;
    await view.demandConnected();
    const pod = this.#podOf(key, options.slot);
    if (pod === undefined) throw noSlot(key, options.slot);
    const isRunning = pod !== 'none-yet' && pod.status?.containerStatuses?.[0]?.state?.running !== undefined;
    if (!isRunning)
      throw new IotmanoError(
        'conflict',
        `${instanceName(key, options.slot)} does not run; a command needs one that does`,
      );
    const { namespace = '', name = '' } = pod.metadata ?? {};
    this.#commands += 1;
    const signal = AbortSignal.any([options.signal, this.#closing.signal]);
    const mark = `${process.pid}-${this.#commands}-${clock.now()}`;
    const address = { config: client.transport.config, namespace, pod: name };
    yield* commandInPod(address, mark, { ...options, signal });
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
    return fetchMetrics(
      this.#parts.context.client.transport,
      `${pathOf('pod', namespace, name)}:${number}/proxy`,
      from.path,
      signal,
    );
  }

  async close(): Promise<void> {
    const { context, keeper } = this.#parts;
    this.#closing.abort();
    this.#waking.abort();
    context.view.close();
    // What is under way is cut off: the cluster may have it or not, as after any crash.
    context.client.transport.close();
    await keeper.idle();
    await this.#running;
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
    const { context, supervisor, hints } = this.#parts;
    const { clock, log } = context;
    while (!this.#closing.signal.aborted) {
      this.#waking = new AbortController();
      let pause = RETRY_MILLISECONDS;
      try {
        pause = await supervisor.pass();
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

  /** Comes back to what could not be done at once. */
  async #tidy(): Promise<void> {
    const { context, keeper, namespaces } = this.#parts;
    while (!this.#closing.signal.aborted) {
      await context.clock.sleep(RETRY_MILLISECONDS, this.#closing.signal);
      if (this.#closing.signal.aborted) return;
      try {
        await keeper.tidy();
        if (namespaces.hasIdle) await namespaces.sweep();
      } catch (error) {
        context.log.info({ err: error }, `tidying up goes on later: ${messageOf(error)}`);
      }
    }
  }
}

function noSlot(key: WorkloadKey, slot: number): IotmanoError {
  return new IotmanoError('not-found', `${workloadId(key)} has no slot ${slot} on this cluster`, { slot });
}
