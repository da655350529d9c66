/** A driver that is an agent: it speaks Mco as an orchestrator does, and says what the agent reports. */
import type { components } from '../../api-specs/generated/mco.ts';
import { IotmanoError, systemClock, type HostId } from '../../kernel/index.ts';
import {
  instanceName,
  workloadId,
  type CommandEvent,
  type CommandOptions,
  type CommandRunner,
  type DriverCapabilities,
  type Fence,
  type HostInventory,
  type LogOptions,
  type ObservedWorkload,
  type VimDriver,
  type Workload,
  type WorkloadKey,
  type WorkloadUsage,
} from '../../vim-drivers/index.ts';
import { readFunctionLogs } from '../index.ts';
import type { DoubleStream } from './diagnostics-double.ts';
import type { McoDouble } from './mco-double.ts';

type CollectionJob = components['schemas']['collection-job'];
type Measurement = components['schemas']['measurement'];

/** For what an agent does at its next look at the orchestrator. */
const PATIENCE_MILLISECONDS = 30_000;
const LOOK_MILLISECONDS = 10;

export interface McoDriverOptions {
  readonly double: McoDouble;
  readonly hostId: HostId;
  /** Of the agent, for the output of its functions. */
  readonly dataDirectory: string;
}

/** Opens a driver on an agent that talks to this double. The double is the driver's alone. */
export function createMcoDriver(options: McoDriverOptions): VimDriver & CommandRunner {
  return new McoDriver(options);
}

class McoDriver implements VimDriver, CommandRunner {
  readonly #double: McoDouble;
  readonly #options: McoDriverOptions;
  readonly #wanted = new Map<string, Workload>();
  readonly #jobs = new Map<string, CollectionJob>();
  readonly #followers = new Map<string, AbortController>();
  #accepted: Fence = { leaseNumber: 0, revision: 0 };

  constructor(options: McoDriverOptions) {
    this.#options = options;
    this.#double = options.double;
  }

  /** What Mco tells of them: nothing of limits and isolation. */
  async capabilities(): Promise<DriverCapabilities> {
    const [driver] = (await this.#facts()).drivers;
    return {
      driver: driver?.name ?? 'none',
      artifactTypes: driver?.artifactTypes ?? [],
      volumes: true,
      fixedPorts: true,
      limits: { memory: 'none', cpu: 'none' },
      isolation: 'none',
    };
  }

  async inventory(): Promise<readonly HostInventory[]> {
    const { cpu, memory, storage, ...facts } = await this.#facts();
    return [
      {
        hostId: this.#options.hostId,
        architecture: facts.architecture,
        tier: facts.tier,
        labels: facts.labels,
        capacity: {
          cpuMillis: Math.round(cpu.cores * cpu.score * 1000),
          memoryBytes: memory.totalBytes,
          storageBytes: storage.totalBytes,
        },
        allocatable: {
          cpuMillis: cpu.allocatableMillis,
          memoryBytes: memory.allocatableBytes,
          storageBytes: storage.allocatableBytes,
        },
        address: facts.address,
      },
    ];
  }

  /** An assignment; over once a report reflects it. */
  async apply(workload: Workload, fence: Fence): Promise<void> {
    const id = workloadId(workload.key);
    await this.#command(fence, () => this.#wanted.set(id, workload));
    await until(`a report tells of ${id}`, () => this.#double.observed().has(id));
  }

  async remove(key: WorkloadKey, fence: Fence): Promise<void> {
    const id = workloadId(key);
    await this.#command(fence, () => this.#wanted.delete(id));
    await until(`${id} is reported gone`, () => !this.#double.observed().has(id));
    this.#followers.get(id)?.abort();
    this.#followers.delete(id);
  }

  async list(): Promise<readonly ObservedWorkload[]> {
    return [...this.#double.observed().values()] as unknown as readonly ObservedWorkload[];
  }

  watch(onChange: () => void): () => void {
    return this.#double.onReport(onChange);
  }

  /** The first turn of a collection job of its own. */
  async usage(key: WorkloadKey): Promise<WorkloadUsage> {
    const id = workloadId(key);
    if (!this.#wanted.has(id)) return { instances: [] };
    const from = this.#double.measurements.length;
    const jobId = `usage-${id}`;
    this.#jobs.set(jobId, { jobId, source: 'usage', workload: key, everySeconds: 1 });
    this.#publish(this.#accepted);
    const points = (): readonly Measurement[] =>
      this.#double.measurements
        .slice(from)
        .filter(({ subject }) => subject?.vnfInstanceId === key.vnfInstanceId);
    await until(`something is measured of ${id}`, () => points().length > 0);
    this.#jobs.delete(jobId);
    this.#publish(this.#accepted);
    return usageOf(points());
  }

  async *logs(key: WorkloadKey, { slot, ...options }: LogOptions): AsyncIterable<Uint8Array> {
    const id = workloadId(key);
    const gone = this.#followers.get(id) ?? new AbortController();
    this.#followers.set(id, gone);
    const signal = AbortSignal.any([gone.signal, ...(options.signal === undefined ? [] : [options.signal])]);
    const { dataDirectory } = this.#options;
    yield* await readFunctionLogs(
      dataDirectory,
      instanceName(key, slot),
      { ...options, signal },
      systemClock,
    );
  }

  /** A request of diagnostics, and what the agent makes of it. */
  async *exec(key: WorkloadKey, options: CommandOptions): AsyncGenerator<CommandEvent> {
    const { slot, command, input, signal } = options;
    const { diagnostics } = this.#double;
    const workload = key as unknown as components['schemas']['workload-key'];
    const hasInput = input !== undefined;
    const stream = diagnostics.ask({ kind: 'exec', workload, slot, command, hasInput });
    if (input !== undefined) void feed(stream, input);
    const told = { stdout: 0, stderr: 0 };
    try {
      for (;;) {
        const { end } = stream;
        for (const type of ['stdout', 'stderr'] as const) {
          const bytes = Buffer.from(stream[type].slice(told[type]), 'latin1');
          told[type] += bytes.length;
          if (bytes.length > 0) yield { type, bytes };
        }
        if (end !== undefined || signal.aborted) {
          yield exitOf(end, key);
          return;
        }
        await systemClock.sleep(LOOK_MILLISECONDS, signal);
      }
    } finally {
      diagnostics.withdraw(stream.streamId);
    }
  }

  async #facts(): Promise<components['schemas']['host-facts']> {
    await until('the agent tells facts', () => this.#double.facts.length > 0);
    const facts = this.#double.facts.at(-1);
    if (facts === undefined) throw new IotmanoError('unavailable', 'the agent told no facts');
    return facts;
  }

  /** Wants something else under this fence, until the agent has refused it, or a report reflects it. */
  async #command(fence: Fence, change: () => void): Promise<void> {
    const before = new Map(this.#wanted);
    change();
    const revision = this.#publish(fence);
    const asked = this.#double.wantedSince.length;
    const wasRefused = (): boolean => this.#double.wantedSince.slice(asked).includes(undefined);
    const wasApplied = (): boolean => (this.#double.reports.at(-1)?.appliedRevision ?? 0) >= revision;
    await until(`revision ${revision} is applied`, () => wasApplied() || wasRefused());
    if (wasApplied()) {
      this.#accepted = fence;
      return;
    }
    for (const [id, workload] of before) this.#wanted.set(id, workload);
    for (const id of this.#wanted.keys()) if (!before.has(id)) this.#wanted.delete(id);
    const restored = this.#publish(this.#accepted);
    await until('the agent goes on', () => (this.#double.reports.at(-1)?.appliedRevision ?? 0) >= restored);
    throw new IotmanoError(
      'stale-lease',
      `the agent refused lease ${fence.leaseNumber}, revision ${fence.revision}`,
    );
  }

  /** Makes this the wanted state of the host; gives its revision. */
  #publish(fence: Fence): number {
    this.#double.fence = fence;
    const assignments = [...this.#wanted.values()].map((workload) => ({
      lostAfterSeconds: 30,
      workload: workload as unknown as components['schemas']['workload'],
    }));
    this.#double.assign(assignments, [...this.#jobs.values()]);
    return this.#double.revision;
  }
}

async function feed(stream: DoubleStream, input: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const piece of input) stream.input = Buffer.concat([stream.input, piece]);
  stream.isInputEnded = true;
}

/** @throws IotmanoError `not-found`, `conflict` for a refusal: by its words, which is all that Mco tells */
function exitOf(end: DoubleStream['end'], key: WorkloadKey): CommandEvent {
  if (end?.reason === 'REFUSED')
    throw new IotmanoError(
      (end.detail ?? '').includes('is not on this host') ? 'not-found' : 'conflict',
      `${workloadId(key)}: ${end.detail ?? ''}`,
    );
  const { reason: _reason, detail: _detail, ...how } = end ?? { reason: 'EXITED', signal: 'SIGKILL' };
  return { type: 'exit', ...how };
}

/** What one turn of a collection job has measured, by slot. */
function usageOf(points: readonly Measurement[]): WorkloadUsage {
  const first = points[0]?.timestamp;
  const turn = points.filter(({ timestamp }) => timestamp === first);
  const slots = new Set(turn.flatMap(({ subject }) => subject?.slot ?? []));
  const valueOf = (slot: number, name: string): number =>
    turn.find(({ subject, metric }) => subject?.slot === slot && metric === name)?.value ?? 0;
  return {
    instances: [...slots].map((slot) => ({
      slot,
      cpuSeconds: valueOf(slot, 'instance_cpu_seconds_total'),
      memoryBytes: valueOf(slot, 'instance_memory_bytes'),
      restarts: valueOf(slot, 'instance_restarts_total'),
    })),
  };
}

async function until(what: string, isSo: () => boolean): Promise<void> {
  const end = performance.now() + PATIENCE_MILLISECONDS;
  while (!isSo()) {
    if (performance.now() > end) throw new IotmanoError('timeout', `it never came to pass that ${what}`);
    await systemClock.sleep(LOOK_MILLISECONDS);
  }
}
