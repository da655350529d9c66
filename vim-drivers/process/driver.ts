import { IotmanoError, createKeyedQueue, type Clock, type HostId, type Logger } from '../../kernel/index.ts';
import type { Tier } from '../../descriptors/index.ts';
import type {
  ArtifactSource,
  Closable,
  CommandEvent,
  CommandOptions,
  CommandRunner,
  DriverCapabilities,
  Fence,
  HostInventory,
  LeaseKeeper,
  LogOptions,
  ObservedWorkload,
  VimDriver,
  Workload,
  WorkloadKey,
  WorkloadUsage,
} from '../contract.ts';
import type { ArtifactShelf } from './artifacts.ts';
import { adoptWorkloads } from './adopt.ts';
import { execBeside, execMark, execName, isExecName } from './exec.ts';
import type { FenceGuard } from './fence-guard.ts';
import { HostedWorkload, type RemoveOptions } from './hosted-workload.ts';
import { takeInventory, type HostDescription } from './inventory.ts';
import type { OutputKeeper } from './keeper.ts';
import { safeWorkloadId, slotPaths } from './layout.ts';
import { killLeftovers } from './leftovers.ts';
import { readOutput } from './logs.ts';
import type { SlotContext } from './slot-context.ts';
import { isLeaseOver } from './start-instance.ts';
import { measureUsage } from './usage.ts';

export interface ProcessDriverOptions {
  /** State directory, this driver's alone; README.md describes what is in it. */
  readonly directory: string;
  /** Where bindings are kept, this driver's alone: in memory, where the host has such a file system. Absent: in the state directory. */
  readonly secretsDirectory?: string;
  readonly hostId: HostId;
  readonly artifacts: ArtifactSource;
  readonly clock: Clock;
  readonly log: Logger;
  /** From where others reach what runs here; absent: the first address that is not a loopback one. */
  readonly address?: string;
  readonly tier?: Tier;
  readonly labels?: Readonly<Record<string, string>>;
  /** The Node that functions run on; absent: the one that runs this. */
  readonly nodePath?: string;
  /** Bound of the current output file of an instance; one older file of up to this size (and what came in between two looks) is kept. */
  readonly outputLimitBytes?: number;
  /** How often output files are looked at. */
  readonly outputCheckSeconds?: number;
  /** Where cgroups are mounted; `none` leaves them alone. */
  readonly cgroupRoot?: string;
}

/** How often processes that an earlier run of the driver has started are looked at; others report their end themselves. */
const TICK_MILLISECONDS = 500;
/** The keeper of output files is looked for once in so many ticks. */
const KEEPER_TICKS = 20;

export type ProcessDriver = VimDriver & LeaseKeeper & CommandRunner & Closable;

export interface DriverParts {
  readonly options: ProcessDriverOptions;
  readonly context: SlotContext;
  readonly shelf: ArtifactShelf;
  readonly fence: FenceGuard;
  readonly keeper: OutputKeeper;
  readonly host: HostDescription;
  readonly watchers: Set<() => void>;
  giveBack(): Promise<void>;
}

/** The driver of one state directory, all parts given. */
export class ProcessHost implements ProcessDriver {
  readonly #parts: DriverParts;
  readonly #hosted = new Map<string, HostedWorkload>();
  readonly #queue = createKeyedQueue();
  readonly #fetching = new Map<string, AbortController>();
  readonly #closing = new AbortController();
  #ticking: Promise<void> = Promise.resolve();
  #execs = 0;

  constructor(parts: DriverParts) {
    this.#parts = parts;
  }

  /** Finds again what an earlier run has left, and begins to look after it. */
  async open(): Promise<void> {
    const { context, shelf } = this.#parts;
    await this.#endCommandsOfBefore();
    for (const hosted of await adoptWorkloads(context)) {
      this.#hosted.set(hosted.id, hosted);
      if (hosted.removing === undefined) await hosted.adopt();
      else void this.#finishRemoval(hosted, hosted.removing);
    }
    await shelf.collect(this.#usedDigests());
    await context.cgroups.sweep(new Set(this.#allSlots().map(({ name }) => name)));
    this.#ticking = this.#tick();
  }

  async capabilities(): Promise<DriverCapabilities> {
    const { cgroups } = this.#parts.context;
    return {
      driver: 'process',
      artifactTypes: ['process'],
      volumes: true,
      fixedPorts: true,
      limits: { memory: cgroups.memory ? 'enforced' : 'none', cpu: cgroups.cpu ? 'shares' : 'none' },
      isolation: 'process',
    };
  }

  async inventory(): Promise<readonly HostInventory[]> {
    return [await takeInventory(this.#parts.context.layout, this.#parts.host)];
  }

  async apply(workload: Workload, fence: Fence): Promise<void> {
    const id = safeWorkloadId(workload.key);
    this.#demandOpen();
    const hasHeldLease = !isLeaseOver(this.#parts.context, workload);
    await this.#parts.fence.pass(fence);
    await this.#queue.run(id, async () => {
      await this.#fetch(id, workload);
      this.#demandOpen();
      const hosted = this.#hosted.get(id) ?? new HostedWorkload(this.#parts.context, id, { workload });
      await hosted.take(workload);
      // Known from here on, whatever its slots meet: nobody else may ever open them.
      this.#hosted.set(id, hosted);
      await hosted.tellSlots(hasHeldLease);
    });
    this.#parts.context.changed();
  }

  async remove(key: WorkloadKey, fence: Fence, options: RemoveOptions = {}): Promise<void> {
    const id = safeWorkloadId(key);
    this.#demandOpen();
    await this.#parts.fence.pass(fence);
    this.#fetching.get(id)?.abort();
    await this.#queue.run(id, async () => {
      const hosted = this.#hosted.get(id);
      if (hosted === undefined) return;
      await hosted.remove(options);
      this.#hosted.delete(id);
    });
    await this.#tidy();
  }

  async list(): Promise<readonly ObservedWorkload[]> {
    for (const slot of this.#allSlots()) slot.check();
    return [...this.#hosted.values()].map((hosted) => hosted.observe());
  }

  watch(onChange: () => void): () => void {
    const watcher = (): void => onChange();
    this.#parts.watchers.add(watcher);
    return () => this.#parts.watchers.delete(watcher);
  }

  async usage(key: WorkloadKey): Promise<WorkloadUsage> {
    const { cgroups, scanner } = this.#parts.context;
    const hosted = this.#hosted.get(safeWorkloadId(key));
    return hosted === undefined ? { instances: [] } : measureUsage(hosted, cgroups, scanner);
  }

  logs(key: WorkloadKey, options: LogOptions): AsyncIterable<Uint8Array> {
    const { layout, clock } = this.#parts.context;
    const id = safeWorkloadId(key);
    const slot = this.#slotOf(key, options.slot);
    const isThere = (): boolean => !slot.isGone && !this.#closing.signal.aborted;
    return readOutput(slotPaths(layout, id, options.slot).output, options, clock, isThere);
  }

  async *exec(key: WorkloadKey, options: CommandOptions): AsyncGenerator<CommandEvent> {
    const { layout, tools, cgroups, scanner, clock } = this.#parts.context;
    const slot = this.#slotOf(key, options.slot);
    const described = await slot.describe();
    if (described === undefined)
      throw new IotmanoError('conflict', `${slot.name} does not run; a command needs one that does`);
    this.#execs += 1;
    const { spec, ...prepared } = described;
    yield* execBeside(
      {
        layout,
        shell: tools.shell,
        cgroups,
        scanner,
        clock,
        prepared,
        limits: spec.resources,
        name: execName(slot.name, this.#execs),
        isThere: () => slot.run !== undefined,
      },
      { ...options, signal: AbortSignal.any([options.signal, this.#closing.signal]) },
    );
  }

  async renewed(sentAtMonotonic?: number): Promise<void> {
    for (const slot of this.#allSlots()) slot.beforeRenewal();
    await this.#parts.context.lease.renew(sentAtMonotonic);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    for (const fetching of this.#fetching.values()) fetching.abort();
    await Promise.all([...this.#hosted.values()].map((hosted) => hosted.close()));
    await this.#queue.idle();
    // A call that was under way may have opened a slot meanwhile.
    await Promise.all([...this.#hosted.values()].map((hosted) => hosted.close()));
    await this.#ticking;
    if (this.#hosted.size === 0) await this.#parts.keeper.end();
    await this.#parts.context.cgroups.removeScope();
    await this.#parts.giveBack();
  }

  #allSlots(): ReturnType<() => HostedWorkload['slots']> {
    return [...this.#hosted.values()].flatMap((hosted) => hosted.slots);
  }

  #slotOf(key: WorkloadKey, number: number): HostedWorkload['slots'][number] {
    const id = safeWorkloadId(key);
    const slot = this.#hosted.get(id)?.slot(number);
    if (slot !== undefined) return slot;
    throw new IotmanoError('not-found', `${id} has no slot ${number} on this host`, { slot: number });
  }

  /** They end with the process that began them, but for what has left their group. */
  async #endCommandsOfBefore(): Promise<void> {
    const { layout, cgroups, scanner, clock } = this.#parts.context;
    const groups = (await cgroups.names()).filter(isExecName);
    // Where there is no group, the mark still finds all that has kept its environment.
    for (const cgroup of [...groups, ''])
      await killLeftovers({ mark: execMark(layout), cgroup }, cgroups, scanner, clock);
  }

  #demandOpen(): void {
    if (this.#closing.signal.aborted) throw new IotmanoError('unavailable', 'the driver is closing');
  }

  /** Gets the files before anything is taken over: a workload that cannot run replaces none that does. */
  async #fetch(id: string, { spec }: Workload): Promise<void> {
    const { artifact } = spec;
    if (artifact.type !== 'process')
      throw new IotmanoError('artifact-unusable', `${id} is a ${artifact.type}; this host runs processes`);
    if (artifact.files === undefined) return;
    const fetching = new AbortController();
    this.#fetching.set(id, fetching);
    try {
      await this.#parts.shelf.unpacked(artifact.files, fetching.signal);
    } finally {
      this.#fetching.delete(id);
    }
  }

  async #finishRemoval(hosted: HostedWorkload, options: RemoveOptions): Promise<void> {
    try {
      await this.#queue.run(hosted.id, async () => {
        await hosted.adopt();
        await hosted.remove(options);
        this.#hosted.delete(hosted.id);
      });
      await this.#tidy();
    } catch (error) {
      this.#parts.context.log.warn({ workload: hosted.id, err: error }, 'a removal could not be finished');
    }
  }

  /** What is no longer needed goes: artifacts that nobody uses, and the keeper when nothing runs. */
  async #tidy(): Promise<void> {
    await this.#parts.shelf.collect(this.#usedDigests());
    if (this.#hosted.size === 0) await this.#parts.keeper.end();
    this.#parts.context.changed();
  }

  #usedDigests(): ReadonlySet<string> {
    const artifacts = [...this.#hosted.values()].map(({ workload }) => workload.spec.artifact.files?.digest);
    return new Set(artifacts.filter((digest) => digest !== undefined));
  }

  async #tick(): Promise<void> {
    const { clock, log } = this.#parts.context;
    for (let count = 1; !this.#closing.signal.aborted; count += 1) {
      await clock.sleep(TICK_MILLISECONDS, this.#closing.signal);
      const slots = this.#allSlots();
      for (const slot of slots) slot.check();
      if (count % KEEPER_TICKS !== 0 || !slots.some((slot) => slot.run !== undefined)) continue;
      await this.#parts.keeper
        .ensure()
        .catch((error: unknown) => log.warn({ err: error }, 'no keeper of output'));
    }
  }
}
