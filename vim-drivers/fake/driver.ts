import { IotmanoError, type Clock, type HostId } from '../../kernel/index.ts';
import {
  instanceName,
  workloadId,
  type Closable,
  type CommandEvent,
  type CommandOptions,
  type CommandRunner,
  type Fence,
  type LeaseKeeper,
  type LogOptions,
  type ObservedWorkload,
  type VimDriver,
  type Workload,
  type WorkloadKey,
  type WorkloadUsage,
} from '../contract.ts';
import { fakeCommand } from './commands.ts';
import { noFailures, Saboteur, type FailureSwitches } from './failures.ts';
import { findWorkload, hasLapsed, observeWorkload, type FakePace } from './observe.ts';
import type { FakeHost, FakeInstance, FakeWorkload, FakeWorld } from './world.ts';

export interface FakeDriverOptions {
  readonly world: FakeWorld;
  readonly hostId: HostId;
  readonly failures?: FailureSwitches;
  readonly pace?: Partial<FakePace>;
}

/** A driver without a host, and what a test may do to its world by hand. */
export interface FakeDriver extends VimDriver, LeaseKeeper, CommandRunner, Closable {
  readonly failures: FailureSwitches;
  /** Ends an instance as a crash would. It is started again as its spec says. */
  crashInstance(key: WorkloadKey, slot: number, code: number): void;
}

/** Opens a driver on a host of a fake world. */
export function createFakeDriver(options: FakeDriverOptions): FakeDriver {
  return new FakeSite(options);
}

class FakeSite implements FakeDriver {
  readonly failures: FailureSwitches;
  readonly #host: FakeHost;
  readonly #clock: Clock;
  readonly #saboteur: Saboteur;
  readonly #pace: FakePace;
  readonly #watchers = new Set<() => void>();

  constructor({ world, hostId, failures, pace }: FakeDriverOptions) {
    this.failures = failures ?? noFailures();
    this.#host = world.host(hostId);
    this.#clock = world.clock;
    this.#saboteur = new Saboteur(this.failures, world.clock);
    this.#pace = { startMilliseconds: 0, jobMilliseconds: 0, ...pace };
  }

  async capabilities(): ReturnType<VimDriver['capabilities']> {
    await this.#saboteur.enter();
    return {
      driver: 'fake',
      artifactTypes: ['process', 'container'],
      volumes: true,
      fixedPorts: true,
      limits: { memory: 'none', cpu: 'none' },
      isolation: 'none',
    };
  }

  async inventory(): ReturnType<VimDriver['inventory']> {
    await this.#saboteur.enter();
    return [this.#host.inventory];
  }

  async apply(workload: Workload, fence: Fence): Promise<void> {
    await this.#saboteur.change(() => {
      this.#pass(fence);
      this.#take(workload);
      this.#changed();
    });
  }

  async remove(key: WorkloadKey, fence: Fence): Promise<void> {
    await this.#saboteur.change(() => {
      this.#pass(fence);
      const workload = findWorkload(this.#host, key);
      for (const slot of workload?.instances.keys() ?? []) {
        this.#saboteur.step();
        workload?.instances.delete(slot);
        this.#host.output.delete(instanceName(key, slot));
      }
      this.#saboteur.step();
      this.#host.workloads.delete(workloadId(key));
      this.#changed();
    });
  }

  async list(): Promise<readonly ObservedWorkload[]> {
    await this.#saboteur.enter();
    const all = [...this.#host.workloads.values()];
    return all.map((workload) => observeWorkload(this.#host, workload, this.#clock, this.#pace));
  }

  watch(onChange: () => void): () => void {
    const watcher = (): void => onChange();
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  async usage(key: WorkloadKey): Promise<WorkloadUsage> {
    await this.#saboteur.enter();
    const workload = findWorkload(this.#host, key);
    const instances = [...(workload?.instances.values() ?? [])];
    const memoryBytes = Math.round((workload?.spec.resources.memoryBytes ?? 0) / 2);
    return {
      instances: instances.map(({ slot, restarts, startedAt }) => {
        const cpuSeconds = Math.max(0, this.#clock.now() - startedAt) / 10_000;
        return { slot, cpuSeconds, memoryBytes, restarts };
      }),
    };
  }

  async *logs(key: WorkloadKey, options: LogOptions): AsyncIterable<Uint8Array> {
    await this.#saboteur.enter();
    const lines = this.#host.output.get(instanceName(key, options.slot));
    if (lines === undefined)
      throw new IotmanoError('not-found', `${workloadId(key)} has no slot ${options.slot} on this host`);
    const last = options.tailLines === undefined ? lines : lines.slice(-options.tailLines || lines.length);
    for (const line of last) yield Buffer.from(`${line}\n`);
  }

  async *exec(key: WorkloadKey, options: CommandOptions): AsyncIterable<CommandEvent> {
    await this.#saboteur.enter();
    const instance = findWorkload(this.#host, key)?.instances.get(options.slot);
    if (instance === undefined)
      throw new IotmanoError('not-found', `${workloadId(key)} has no slot ${options.slot} on this host`);
    if (instance.exit !== undefined)
      throw new IotmanoError('conflict', `${instanceName(key, options.slot)} does not run`);
    yield* fakeCommand(options);
  }

  async renewed(sentAtMonotonic?: number): Promise<void> {
    await this.#saboteur.enter();
    this.#noteStopped();
    const at = sentAtMonotonic ?? this.#clock.monotonic();
    this.#host.renewedAt = Math.max(this.#host.renewedAt, at);
    this.#changed();
  }

  async close(): Promise<void> {
    this.#watchers.clear();
  }

  crashInstance(key: WorkloadKey, slot: number, code: number): void {
    const workload = findWorkload(this.#host, key);
    const instance = workload?.instances.get(slot);
    if (workload === undefined || instance === undefined) return;
    const at = this.#clock.now();
    const isFinal = instance.restarts >= workload.spec.restart.times;
    if (isFinal) instance.exit = { code, at, isFinal, reason: `exited with code ${code}; not started again` };
    else
      this.#start(workload, slot, instance.epoch, { restarts: instance.restarts + 1, ports: instance.ports });
    this.#changed();
  }

  /** Before the lease is renewed: what had lapsed stays stopped until it is applied again. */
  #noteStopped(): void {
    for (const { spec, instances } of this.#host.workloads.values()) {
      if (!hasLapsed(this.#host, spec, this.#clock)) continue;
      for (const instance of instances.values()) instance.stoppedAt ??= this.#clock.now();
    }
  }

  #pass(fence: Fence): void {
    const seen = this.#host.fence;
    if ((fence.leaseNumber - seen.leaseNumber || fence.revision - seen.revision) < 0)
      throw new IotmanoError(
        'stale-lease',
        `this host has seen lease ${seen.leaseNumber}, revision ${seen.revision}`,
      );
    this.#host.fence = fence;
  }

  #take(wanted: Workload): void {
    const id = workloadId(wanted.key);
    this.#saboteur.step();
    const known = this.#host.workloads.get(id);
    const isOtherSpec = known !== undefined && known.specHash !== wanted.specHash;
    const { key, spec, specHash, bindings } = wanted;
    const workload: FakeWorkload = known ?? { key, spec, specHash, bindings, instances: new Map() };
    this.#host.workloads.set(id, workload);
    this.#saboteur.step();
    const areOtherBindings = JSON.stringify(workload.bindings) !== JSON.stringify(bindings);
    Object.assign(workload, { spec, specHash, bindings });
    const slots = new Map(wanted.instances.map(({ slot, epoch }) => [slot, epoch]));
    for (const slot of workload.instances.keys()) {
      if (slots.has(slot)) continue;
      workload.instances.delete(slot);
      this.#host.output.delete(instanceName(wanted.key, slot));
    }
    for (const [slot, epoch] of slots) {
      this.#saboteur.step();
      const running = workload.instances.get(slot);
      if (running?.epoch !== epoch || isOtherSpec)
        this.#start(workload, slot, epoch, running === undefined ? {} : { ports: running.ports });
      else if (areOtherBindings && spec.bindings?.onChange === 'restart')
        this.#start(workload, slot, epoch, { restarts: running.restarts + 1, ports: running.ports });
      else {
        if (areOtherBindings) running.reloads += 1;
        if (running.stoppedAt !== undefined && !hasLapsed(this.#host, spec, this.#clock))
          this.#start(workload, slot, epoch, { restarts: running.restarts + 1, ports: running.ports });
      }
    }
  }

  #start(workload: FakeWorkload, slot: number, epoch: number, from: Partial<FakeInstance>): void {
    const host = this.#host;
    host.nextPid += 1;
    const ports =
      from.ports ??
      Object.fromEntries(workload.spec.ports.map((port) => [port.name, port.number ?? host.nextPort++]));
    const startedAt = this.#clock.now();
    workload.instances.set(slot, {
      slot,
      epoch,
      pid: host.nextPid,
      startedAt,
      restarts: from.restarts ?? 0,
      reloads: 0,
      ports,
    });
    const name = instanceName(workload.key, slot);
    host.output.set(name, [...(host.output.get(name) ?? []).slice(-99), `started as ${host.nextPid}`]);
  }

  #changed(): void {
    for (const watcher of this.#watchers) watcher();
  }
}
