import { IotmanoError, createKeyedQueue, messageOf, toTimestamp } from '../../kernel/index.ts';
import {
  workloadId,
  type DriverCapabilities,
  type Fence,
  type HostInventory,
  type LogOptions,
  type ObservedWorkload,
  type VimDriver,
  type Closable,
  type CommandEvent,
  type CommandOptions,
  type CommandRunner,
  type Workload,
  type WorkloadId,
  type WorkloadKey,
  type WorkloadUsage,
} from '../contract.ts';
import { isUp } from './container-view.ts';
import { commandInside } from './command.ts';
import { Containers } from './containers.ts';
import type { Engine } from './engine.ts';
import { listen } from './events.ts';
import { EngineFence } from './fence.ts';
import { EngineHost } from './host.ts';
import { HostedWorkload } from './hosted-workload.ts';
import { Images, type PresentImage } from './images.ts';
import { describeHost } from './inventory.ts';
import { idOf } from './labels.ts';
import { readLogs } from './logs.ts';
import { Neighbours } from './neighbours.ts';
import { Networks } from './networks.ts';
import { Notes } from './notes.ts';
import { removeKeptVolumes, removeLeftVolumes, sweepOrphans } from './sweep.ts';
import type { DockerDriverOptions } from './options.ts';
import { DEFAULT_PORT_RANGE, isFreeHere, PortBook } from './ports.ts';
import { Preparations } from './preparations.ts';
import type { Slot } from './slot.ts';
import type { SlotContext } from './slot-context.ts';
import { measureContainer } from './usage.ts';

interface RemoveOptions {
  readonly graceSeconds?: number;
  readonly deleteKeptVolumes?: boolean;
}

/** What is looked at without any event: they are hints, and may be lost. */
const RESYNC_MILLISECONDS = 10_000;

/** The driver of one scope on one engine. */
export class DockerHost implements VimDriver, CommandRunner, Closable {
  readonly #options: DockerDriverOptions;
  readonly #engine: Engine;
  readonly #host: EngineHost;
  readonly #containers: Containers;
  readonly #notes: Notes;
  readonly #fence: EngineFence;
  readonly #images: Images;
  readonly #context: SlotContext;
  readonly #hosted = new Map<WorkloadId, HostedWorkload>();
  readonly #removing = new Set<WorkloadId>();
  readonly #preparations: Preparations;
  readonly #watchers = new Set<() => void>();
  readonly #queue = createKeyedQueue();
  readonly #closing = new AbortController();
  #commands = 0;
  #adopted: Promise<void> | undefined;
  #running: Promise<unknown> = Promise.resolve();
  #sweeping: Promise<void> = Promise.resolve();

  constructor(options: DockerDriverOptions, engine: Engine) {
    const { scope, clock, log, hostId } = options;
    this.#options = options;
    this.#engine = engine;
    this.#host = new EngineHost(engine, options);
    this.#containers = new Containers(engine, scope, log, (instance) => this.#containerChanged(instance));
    this.#notes = new Notes(engine, scope);
    this.#fence = new EngineFence(engine, scope);
    this.#images = new Images(engine, options.artifacts, () => this.#host.room(), log);
    this.#preparations = new Preparations(() => this.#changed());
    this.#context = {
      engine,
      scope,
      hostId,
      clock,
      log,
      containers: this.#containers,
      networks: new Networks(engine, scope, log),
      notes: this.#notes,
      ports: new PortBook(
        options.portRange ?? DEFAULT_PORT_RANGE,
        clock,
        engine.isLocal ? isFreeHere : undefined,
      ),
      neighbours: new Neighbours(hostId),
      address: () => this.#host.address(),
      traits: () => this.#host.traits(),
      withoutInit: () => this.#host.withoutInit(),
      probeAddress: (address) => this.#host.probeAddress(address),
      changed: () => this.#changed(),
      neighbourCame: () => this.#wakeAll(),
    };
  }

  /** Begins to look after what is there, as soon as the engine can be reached. */
  open(): void {
    const { scope, clock, log } = this.#options;
    const listener = {
      onEvent: ({ containerId }: { readonly containerId: string }) =>
        void this.#containers.look(containerId).catch(() => undefined),
      onConnected: () => this.#connected(),
      onLost: () => {
        this.#host.forget();
        for (const slot of this.#slots()) slot.engineLost();
      },
    };
    const { signal } = this.#closing;
    this.#running = Promise.all([listen(this.#engine, scope, listener, clock, log, signal), this.#resync()]);
  }

  async capabilities(): Promise<DriverCapabilities> {
    const { hasQuota } = await this.#host.traits();
    const { MemoryLimit } = await this.#host.info();
    return {
      driver: 'docker',
      artifactTypes: ['container'],
      volumes: true,
      fixedPorts: true,
      limits: { memory: MemoryLimit ? 'enforced' : 'none', cpu: hasQuota ? 'enforced' : 'shares' },
      isolation: 'container',
    };
  }

  async inventory(): Promise<readonly HostInventory[]> {
    const { hostId, labels = {}, tier } = this.#options;
    const info = await this.#host.info(true);
    const host = {
      hostId,
      labels,
      address: await this.#host.address(),
      ...(tier === undefined ? {} : { tier }),
    };
    return [describeHost(info, await this.#host.room(), host)];
  }

  async apply(workload: Workload, fence: Fence): Promise<void> {
    const id = workloadId(workload.key);
    this.#demandOpen();
    await this.#fence.pass(fence);
    await this.#adopt();
    const preparation = this.#preparations.begin(id, workload, toTimestamp(this.#options.clock.now()));
    try {
      await this.#queue.run(id, async () => {
        const image = await this.#fetch(id, workload, preparation);
        this.#demandOpen();
        if (preparation.signal.aborted)
          throw new IotmanoError('unavailable', `${id} was removed while its image was fetched`);
        const hosted =
          this.#hosted.get(id) ?? new HostedWorkload(this.#context, id, workload.key, workload.specHash);
        this.#hosted.set(id, hosted);
        const taken = hosted.take(workload, image);
        this.#preparations.end(preparation);
        await taken;
      });
    } finally {
      this.#preparations.end(preparation);
    }
    this.#changed();
  }

  async remove(key: WorkloadKey, fence: Fence, options: RemoveOptions = {}): Promise<void> {
    const id = workloadId(key);
    this.#demandOpen();
    await this.#fence.pass(fence);
    await this.#adopt();
    this.#preparations.cancel(id);
    await this.#queue.run(id, async () => {
      this.#removing.add(id);
      try {
        await this.#hosted.get(id)?.remove(options.graceSeconds);
        this.#hosted.delete(id);
        await this.#sweepVolumes(key, options.deleteKeptVolumes === true);
      } finally {
        this.#removing.delete(id);
      }
    });
    this.#changed();
  }

  async list(): Promise<readonly ObservedWorkload[]> {
    this.#demandOpen();
    await this.#adopt();
    await this.#containers.lookAtAll();
    this.#adoptStrangers();
    const hosted = [...this.#hosted.values()].map((workload) => workload.observe());
    return this.#preparations.complete(hosted);
  }

  watch(onChange: () => void): () => void {
    const watcher = (): void => onChange();
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  async usage(key: WorkloadKey): Promise<WorkloadUsage> {
    await this.#adopt();
    const slots = this.#hosted.get(workloadId(key))?.slots ?? [];
    const measured = await Promise.all(slots.map((slot) => this.#measure(slot)));
    const instances = measured.filter((usage) => usage !== undefined).toSorted((a, b) => a.slot - b.slot);
    return { instances };
  }

  async *logs(key: WorkloadKey, options: LogOptions): AsyncGenerator<Uint8Array> {
    const id = workloadId(key);
    await this.#adopt();
    await this.#containers.lookAtAll();
    const find = (): Slot | undefined => this.#hosted.get(id)?.slot(options.slot);
    if (find() === undefined)
      throw new IotmanoError('not-found', `${id} has no slot ${options.slot} on this engine`, {
        slot: options.slot,
      });
    const { signal = this.#closing.signal } = options;
    yield* readLogs(
      this.#engine,
      { ...options, signal: AbortSignal.any([signal, this.#closing.signal]) },
      this.#options.clock,
      () => find()?.view?.id,
      () => find() !== undefined,
    );
  }

  async *exec(key: WorkloadKey, options: CommandOptions): AsyncGenerator<CommandEvent> {
    const id = workloadId(key);
    await this.#adopt();
    await this.#containers.lookAtAll();
    const slot = this.#hosted.get(id)?.slot(options.slot);
    if (slot === undefined)
      throw new IotmanoError('not-found', `${id} has no slot ${options.slot} on this engine`, {
        slot: options.slot,
      });
    const { view } = slot;
    if (view === undefined || !isUp(view))
      throw new IotmanoError('conflict', `${slot.name} does not run; a command needs one that does`);
    this.#commands += 1;
    const signal = AbortSignal.any([options.signal, this.#closing.signal]);
    const name = `${process.pid}-${this.#commands}-${this.#options.clock.now()}`;
    yield* commandInside(this.#engine, view.id, name, { ...options, signal }, this.#options.clock);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#preparations.cancelAll();
    await Promise.all([...this.#hosted.values()].map((hosted) => hosted.close()));
    await this.#queue.idle();
    // A call that was under way may have opened a slot meanwhile.
    await Promise.all([...this.#hosted.values()].map((hosted) => hosted.close()));
    await Promise.all([this.#running, this.#sweeping]);
    this.#watchers.clear();
    this.#engine.close();
  }

  /** Gets the image before anything is taken over: a workload that cannot run replaces none that does. */
  async #fetch(
    id: WorkloadId,
    { spec }: Workload,
    preparation: { readonly signal: AbortSignal; report(progress: string): void },
  ): Promise<PresentImage> {
    const { artifact } = spec;
    if (artifact.type !== 'container')
      throw new IotmanoError('artifact-unusable', `${id} is a ${artifact.type}; this engine runs containers`);
    return this.#images.ensure(artifact, {
      signal: preparation.signal,
      report: (progress) => preparation.report(progress),
    });
  }

  /** Finds again, once, what earlier drivers of this scope have left. @throws IotmanoError `unavailable` */
  #adopt(): Promise<void> {
    this.#adopted ??= (async () => {
      await this.#notes.load();
      await this.#containers.lookAtAll();
      this.#adoptStrangers();
      this.#sweeping = this.#sweepOrphans();
    })().catch((error: unknown) => {
      this.#adopted = undefined;
      throw error;
    });
    return this.#adopted;
  }

  async #sweepOrphans(): Promise<void> {
    const { scope, log } = this.#options;
    const isKnown = (instance: string): boolean => this.#slots().some(({ name }) => name === instance);
    await sweepOrphans(this.#engine, scope, this.#context.networks, isKnown).catch((error: unknown) =>
      log.warn({ err: messageOf(error) }, 'what earlier drivers have left could not be removed'),
    );
  }

  /** Containers of ours that nobody here knows: those of an earlier driver, or of another one with this scope. */
  #adoptStrangers(): void {
    if (this.#closing.signal.aborted) return;
    for (const view of this.#containers.all()) {
      const id = idOf(view.mark);
      if (this.#removing.has(id) || this.#hosted.get(id)?.slot(view.mark.slot) !== undefined) continue;
      const { key, specHash } = view.mark;
      const hosted = this.#hosted.get(id) ?? new HostedWorkload(this.#context, id, key, specHash);
      this.#hosted.set(id, hosted);
      hosted.adopt(view);
    }
    for (const [id, hosted] of this.#hosted)
      if (hosted.isEmpty && !this.#removing.has(id)) this.#hosted.delete(id);
  }

  /** The stream of events is there: what happened before it is looked for. */
  async #connected(): Promise<void> {
    const wasAdopted = this.#adopted !== undefined;
    await this.#adopt();
    if (wasAdopted) {
      await this.#containers.lookAtAll({ isThorough: true });
      this.#context.networks.missingAll();
      for (const slot of this.#slots()) slot.engineBack();
    }
    this.#changed();
  }

  async #resync(): Promise<void> {
    const { clock } = this.#options;
    while (!this.#closing.signal.aborted) {
      await clock.sleep(RESYNC_MILLISECONDS, this.#closing.signal);
      if (this.#adopted === undefined || this.#closing.signal.aborted) continue;
      await this.#containers.lookAtAll().catch(() => undefined);
    }
  }

  async #measure(slot: Slot): Promise<WorkloadUsage['instances'][number] | undefined> {
    const { view } = slot;
    if (view === undefined || !isUp(view)) return undefined;
    const used = await measureContainer(this.#engine, view);
    return used === undefined ? undefined : { slot: slot.number, restarts: slot.observe().restarts, ...used };
  }

  async #sweepVolumes(key: WorkloadKey, deletesKept: boolean): Promise<void> {
    const { scope } = this.#options;
    await removeLeftVolumes(this.#engine, scope, key);
    if (!deletesKept) return;
    const siblings = [...this.#hosted.values()].filter(
      ({ key: { vnfInstanceId, unit } }) => vnfInstanceId === key.vnfInstanceId && unit === key.unit,
    );
    const inUse = new Set(siblings.flatMap(({ slots }) => slots.map(({ number }) => String(number))));
    await removeKeptVolumes(this.#engine, scope, key, inUse);
  }

  #slots(): readonly Slot[] {
    return [...this.#hosted.values()].flatMap(({ slots }) => slots);
  }

  #containerChanged(instance: string): void {
    for (const slot of this.#slots()) if (slot.name === instance) slot.wake();
    const isStrange = this.#containers
      .of(instance)
      .some((view) => this.#hosted.get(idOf(view.mark))?.slot(view.mark.slot) === undefined);
    if (isStrange && this.#adopted === undefined) return;
    this.#changed();
  }

  #wakeAll(): void {
    for (const slot of this.#slots()) slot.wake();
  }

  #changed(): void {
    for (const watcher of this.#watchers) watcher();
  }

  #demandOpen(): void {
    if (this.#closing.signal.aborted) throw new IotmanoError('unavailable', 'the driver is closing');
  }
}
