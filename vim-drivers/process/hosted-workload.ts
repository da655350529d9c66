import { createHash } from 'node:crypto';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { IotmanoError } from '../../kernel/index.ts';
import type { ObservedWorkload, Workload, WorkloadId } from '../contract.ts';
import { keptVolumesDirectory, workloadDirectory, workloadFile } from './layout.ts';
import { Slot, type SlotOrigin } from './slot.ts';
import type { SlotContext, SlotWish } from './slot-context.ts';
import type { StopRule } from './slot-state.ts';
import { replaceFileDurably } from './state-files.ts';

export interface RemoveOptions {
  readonly graceSeconds?: number;
  readonly deleteKeptVolumes?: boolean;
}

/** `workload.json`: what was wanted last, and whether it is on its way out. */
export interface WorkloadRecord {
  readonly workload: Workload;
  readonly removing?: RemoveOptions;
}

/** A workload on this host: its record on disk and its slots. */
export class HostedWorkload {
  readonly id: WorkloadId;
  readonly #context: SlotContext;
  readonly #slots = new Map<number, Slot>();
  #record: WorkloadRecord;

  constructor(context: SlotContext, id: WorkloadId, record: WorkloadRecord) {
    this.#context = context;
    this.id = id;
    this.#record = record;
  }

  get workload(): Workload {
    return this.#record.workload;
  }

  get removing(): RemoveOptions | undefined {
    return this.#record.removing;
  }

  get slots(): readonly Slot[] {
    return [...this.#slots.values()].filter((slot) => !slot.isGone);
  }

  slot(number: number): Slot | undefined {
    return this.#slots.get(number);
  }

  /** Takes over what is wanted: durable when it resolves, and not yet acted on. */
  async take(workload: Workload): Promise<void> {
    await this.#save({ workload });
  }

  /** Finds again what an earlier run of the driver has left, slots that are no longer wanted included. */
  async adopt(): Promise<void> {
    const names = await readdir(workloadDirectory(this.#context.layout, this.id));
    const found = names.filter((name) => /^\d{1,9}$/.test(name)).map(Number);
    await this.tellSlots(false, found);
  }

  /** Stops every instance and removes everything but kept volumes. */
  async remove(options: RemoveOptions): Promise<void> {
    await this.#save({ workload: this.workload, removing: options });
    await this.tellSlots(false);
    await Promise.all([...this.#slots.values()].map((slot) => slot.finished()));
    if ([...this.#slots.values()].some((slot) => !slot.isGone))
      throw new IotmanoError('unavailable', `the removal of ${this.id} goes on at the driver's next start`);
    const { layout } = this.#context;
    if (options.deleteKeptVolumes === true) {
      const slots = new Set([...this.#slots.keys(), ...this.workload.instances.map(({ slot }) => slot)]);
      for (const slot of slots)
        await rm(keptVolumesDirectory(layout, this.workload.key, slot), { recursive: true, force: true });
    }
    await rm(workloadDirectory(layout, this.id), { recursive: true, force: true });
  }

  observe(): ObservedWorkload {
    const instances = this.slots.map((slot) => slot.observe()).toSorted((a, b) => a.slot - b.slot);
    return { key: this.workload.key, specHash: this.workload.specHash, instances };
  }

  async close(): Promise<void> {
    await Promise.all([...this.#slots.values()].map((slot) => slot.close()));
  }

  async #save(record: WorkloadRecord): Promise<void> {
    await mkdir(workloadDirectory(this.#context.layout, this.id), { recursive: true, mode: 0o700 });
    await replaceFileDurably(workloadFile(this.#context.layout, this.id), `${JSON.stringify(record)}\n`);
    this.#record = record;
  }

  /**
   * Tells every slot what it is to run.
   * @param hasHeldLease whether the lease held when that was said
   * @param found slots that an earlier run has left
   */
  async tellSlots(hasHeldLease: boolean, found?: readonly number[]): Promise<void> {
    const wishes = new Map(this.removing === undefined ? this.#wishes() : []);
    const grace = this.removing?.graceSeconds;
    for (const number of new Set([...this.#slots.keys(), ...(found ?? []), ...wishes.keys()])) {
      const wish = wishes.get(number);
      const slot = this.#slots.get(number);
      if (slot !== undefined && !slot.isGone) slot.want(wish, hasHeldLease, grace);
      else if (wish !== undefined || found?.includes(number) === true) {
        const origin: SlotOrigin = { how: found === undefined ? 'applied' : 'found', hasHeldLease };
        const opened = await Slot.open(this.#context, this.id, number, wish, this.#stopRule(grace), origin);
        this.#slots.set(number, opened);
      }
    }
  }

  #stopRule(graceSeconds = this.workload.spec.stop.graceSeconds): StopRule {
    return { signal: this.workload.spec.stop.signal, graceSeconds };
  }

  #wishes(): readonly (readonly [number, SlotWish])[] {
    const { key, spec, specHash, bindings, instances } = this.workload;
    const bindingsHash = createHash('sha256').update(JSON.stringify(bindings)).digest('base64url');
    return instances.map(({ slot, epoch }) => [
      slot,
      { id: this.id, key, spec, specHash, epoch, bindings, bindingsHash },
    ]);
  }
}
