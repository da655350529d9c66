/**
 * A small driver after docs/how-to/add-a-driver.md: an instance is a file, which whoever deletes it has ended. It looks after its
 * instances whenever it is asked anything, so it needs no timer.
 */
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { IotmanoError, createKeyedQueue, toTimestamp, type Clock, type HostId } from '../../kernel/index.ts';
import {
  instanceName,
  workloadId,
  type DriverCapabilities,
  type Fence,
  type HostInventory,
  type LogOptions,
  type ObservedInstance,
  type ObservedWorkload,
  type VimDriver,
  type Workload,
  type WorkloadKey,
  type WorkloadUsage,
} from '../../vim-drivers/contract.ts';
import { decideRestart, describeExit } from '../../vim-drivers/supervision/index.ts';

export interface FileDriverOptions {
  /** The host: everything that runs there is a file in it. */
  readonly directory: string;
  readonly hostId: HostId;
  readonly clock: Clock;
  readonly newRunId: () => string;
}

/** What is remembered of a slot. */
interface Slot extends ObservedInstance {
  /** Of every start another one: the content of the instance's file. */
  readonly run: string;
  readonly exits: readonly number[];
  /** It is started again then. */
  readonly startAt?: number;
}

interface Remembered {
  readonly workload: Workload;
  readonly slots: readonly Slot[];
}

const KILLED = 137;
const FIRST_PORT = 20_000;

export async function createFileDriver(options: FileDriverOptions): Promise<VimDriver> {
  mkdirSync(options.directory, { recursive: true });
  return new FileDriver(options);
}

class FileDriver implements VimDriver {
  readonly #options: FileDriverOptions;
  readonly #queue = createKeyedQueue();
  readonly #watchers = new Set<() => void>();

  constructor(options: FileDriverOptions) {
    this.#options = options;
  }

  async capabilities(): Promise<DriverCapabilities> {
    return {
      driver: 'file',
      artifactTypes: ['process'],
      volumes: false,
      fixedPorts: true,
      limits: { memory: 'none', cpu: 'none' },
      isolation: 'none',
    };
  }

  async inventory(): Promise<readonly HostInventory[]> {
    const all = { cpuMillis: 1000, memoryBytes: 1024 ** 3, storageBytes: 1024 ** 3 };
    const { hostId } = this.#options;
    return [
      { hostId, architecture: 'none', labels: {}, address: '127.0.0.1', capacity: all, allocatable: all },
    ];
  }

  async apply(workload: Workload, fence: Fence): Promise<void> {
    this.#pass(fence);
    await this.#queue.run(workloadId(workload.key), async () => {
      const before = this.#read(workloadId(workload.key));
      const wanted = new Set(workload.instances.map(({ slot }) => slot));
      for (const { slot } of before?.slots ?? []) if (!wanted.has(slot)) this.#erase(workload.key, slot);
      const slots = workload.instances.map(({ slot, epoch }) => this.#make(workload, slot, epoch, before));
      this.#write({ workload, slots });
    });
    for (const watcher of this.#watchers) watcher();
  }

  async remove(key: WorkloadKey, fence: Fence): Promise<void> {
    this.#pass(fence);
    await this.#queue.run(workloadId(key), async () => {
      for (const { slot } of this.#read(workloadId(key))?.slots ?? []) this.#erase(key, slot);
      rmSync(this.#path(`${workloadId(key)}.json`), { force: true });
    });
    for (const watcher of this.#watchers) watcher();
  }

  async list(): Promise<readonly ObservedWorkload[]> {
    const names = readdirSync(this.#options.directory).filter((name) => /-g\d+\.json$/.test(name));
    const all = await Promise.all(
      names.map((name) => this.#queue.run(name.slice(0, -5), async () => this.#tend(name.slice(0, -5)))),
    );
    return all.flatMap((record) => (record === undefined ? [] : [observe(record)]));
  }

  watch(onChange: () => void): () => void {
    const watcher = (): void => onChange();
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  async usage(key: WorkloadKey): Promise<WorkloadUsage> {
    const running = (this.#read(workloadId(key))?.slots ?? []).filter(({ state }) => state === 'RUNNING');
    return {
      instances: running.map(({ slot, restarts }) => ({ slot, restarts, cpuSeconds: 0, memoryBytes: 1 })),
    };
  }

  async *logs(key: WorkloadKey, { slot, tailLines }: LogOptions): AsyncIterable<Uint8Array> {
    const path = this.#path(`${instanceName(key, slot)}.log`);
    if (!existsSync(path))
      throw new IotmanoError(
        'not-found',
        `${workloadId(key)} has no slot ${slot} in ${this.#options.directory}`,
      );
    const lines = readFileSync(path, 'utf8').match(/.*\n/g) ?? [];
    yield Buffer.from(lines.slice(-(tailLines ?? lines.length)).join(''));
  }

  /** The slot as it is wanted: left alone, told of other bindings, or started. */
  #make(workload: Workload, slot: number, epoch: number, before: Remembered | undefined): Slot {
    const there = before?.slots.find((one) => one.slot === slot);
    const isSame = there?.epoch === epoch && before?.workload.specHash === workload.specHash;
    if (there === undefined || !isSame)
      return this.#start(workload, { slot, epoch, restarts: 0, exits: [] }, there);
    const hasOther = JSON.stringify(before?.workload.bindings) !== JSON.stringify(workload.bindings);
    if (!hasOther || workload.spec.bindings?.onChange !== 'restart') return there;
    return this.#start(workload, there, there);
  }

  #start(
    { key, spec }: Workload,
    { slot, epoch, restarts, exits }: Pick<Slot, 'slot' | 'epoch' | 'restarts' | 'exits'>,
    there: Slot | undefined,
  ): Slot {
    const run = this.#options.newRunId();
    const since = toTimestamp(this.#options.clock.now());
    const ports = there?.ports ?? this.#choosePorts(spec.ports);
    appendFileSync(this.#path(`${instanceName(key, slot)}.log`), `run ${run}\n`);
    const base = { slot, epoch, restarts, exits, run, since, ports };
    // What it would run is over at once where it is a job.
    if (spec.run.mode === 'job') return { ...base, state: 'COMPLETED', exitCode: 0 };
    writeFileSync(this.#path(`${instanceName(key, slot)}.run`), run);
    return { ...base, state: 'RUNNING' };
  }

  /** Looks whether what should run does, and follows the restart policy where it does not. */
  #tend(id: string): Remembered | undefined {
    const record = this.#read(id);
    if (record === undefined) return undefined;
    const slots = record.slots.map((slot) => this.#look(record.workload, slot));
    const tended = { ...record, slots };
    if (slots.some((slot, index) => slot !== record.slots[index])) this.#write(tended);
    return tended;
  }

  #look(workload: Workload, slot: Slot): Slot {
    const now = this.#options.clock.now();
    if (slot.startAt !== undefined && slot.startAt <= now)
      return this.#start(workload, { ...slot, restarts: slot.restarts + 1 }, slot);
    const path = this.#path(`${instanceName(workload.key, slot.slot)}.run`);
    if (slot.state !== 'RUNNING' || existsSync(path)) return slot;
    const how = describeExit(KILLED, workload.spec.artifact.command ?? []);
    const decision = decideRestart(workload.spec.restart, slot.exits, now);
    const ended = { ...slot, since: toTimestamp(now), exitCode: KILLED };
    if (decision.action === 'give-up')
      return { ...ended, state: 'FAILED', reason: `${how}; ${decision.reason}` };
    const startAt = now + decision.delayMilliseconds;
    const waiting: Slot = { ...ended, state: 'PENDING', reason: how, exits: decision.recentExits, startAt };
    return decision.delayMilliseconds > 0 ? waiting : this.#look(workload, waiting);
  }

  #choosePorts(ports: Workload['spec']['ports']): Readonly<Record<string, number>> {
    const path = this.#path('next-port');
    let next = existsSync(path) ? Number(readFileSync(path, 'utf8')) : FIRST_PORT;
    const chosen = Object.fromEntries(ports.map(({ name, number }) => [name, number ?? next++]));
    writeFileSync(path, String(next));
    return chosen;
  }

  #pass(fence: Fence): void {
    const path = this.#path('fence');
    const seen: Fence = existsSync(path)
      ? (JSON.parse(readFileSync(path, 'utf8')) as Fence)
      : { leaseNumber: 0, revision: 0 };
    if ((fence.leaseNumber - seen.leaseNumber || fence.revision - seen.revision) < 0)
      throw new IotmanoError(
        'stale-lease',
        `this host has seen lease ${seen.leaseNumber}, revision ${seen.revision}`,
      );
    this.#replace('fence', fence);
  }

  #erase(key: WorkloadKey, slot: number): void {
    for (const end of ['run', 'log'])
      rmSync(this.#path(`${instanceName(key, slot)}.${end}`), { force: true });
  }

  #read(id: string): Remembered | undefined {
    const path = this.#path(`${id}.json`);
    return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Remembered) : undefined;
  }

  #write(record: Remembered): void {
    this.#replace(`${workloadId(record.workload.key)}.json`, record);
  }

  #replace(name: string, content: unknown): void {
    writeFileSync(this.#path(`${name}.new`), JSON.stringify(content));
    renameSync(this.#path(`${name}.new`), this.#path(name));
  }

  #path(name: string): string {
    return join(this.#options.directory, name);
  }
}

function observe({ workload: { key, specHash }, slots }: Remembered): ObservedWorkload {
  const instances = slots
    .toSorted((a, b) => a.slot - b.slot)
    .map(({ run: _run, exits: _exits, startAt: _startAt, ...instance }): ObservedInstance => instance);
  return { key, specHash, instances };
}
