import { createHash } from 'node:crypto';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { IotmanoError } from '../../kernel/index.ts';
import type { Bindings, ObservedWorkload, Workload, WorkloadId } from '../contract.ts';
import {
  keptVolumesDirectory,
  secretsDirectory,
  slotPaths,
  workloadDirectory,
  workloadFile,
  type Layout,
} from './layout.ts';
import { Slot, type SlotOrigin } from './slot.ts';
import type { SlotContext, SlotWish } from './slot-context.ts';
import { loadSlotRecord } from './slot-record.ts';
import type { StopRule } from './slot-state.ts';
import { readRecord, replaceFileDurably } from './state-files.ts';

export interface RemoveOptions {
  readonly graceSeconds?: number;
  readonly deleteKeptVolumes?: boolean;
}

/** `workload.json`: what was wanted last, and whether it is on its way out. */
export interface WorkloadRecord {
  readonly workload: Workload;
  readonly removing?: RemoveOptions;
  /** The bindings are not in it but beside it, where secrets are. Absent: written by a version that kept them in it. */
  readonly areBindingsApart?: boolean;
}

const NO_BINDINGS: Bindings = { config: {}, requires: {}, clients: [] };

function bindingsRecord(layout: Layout, id: WorkloadId): string {
  return join(secretsDirectory(layout, id), 'bindings');
}

/**
 * The record of a workload with its bindings; `lacksBindings` where these are gone, as after a reboot when they were in memory. Nothing when it was
 * never taken over, or was already removed.
 */
export async function readWorkloadRecord(
  layout: Layout,
  id: WorkloadId,
): Promise<{ readonly record: WorkloadRecord; readonly lacksBindings: boolean } | undefined> {
  const record = await readRecord<WorkloadRecord>(workloadFile(layout, id));
  if (record?.areBindingsApart !== true) return record && { record, lacksBindings: false };
  const bindings = await readRecord<Bindings>(bindingsRecord(layout, id));
  if (bindings === undefined) return { record, lacksBindings: true };
  return { record: { ...record, workload: { ...record.workload, bindings } }, lacksBindings: false };
}

/** A workload on this host: its record on disk and its slots. */
export class HostedWorkload {
  readonly id: WorkloadId;
  readonly #context: SlotContext;
  readonly #slots = new Map<number, Slot>();
  #record: WorkloadRecord;
  /** Nobody knows its bindings: what is found of it is left as it is until an apply says them. */
  #lacksBindings: boolean;

  constructor(context: SlotContext, id: WorkloadId, record: WorkloadRecord, lacksBindings = false) {
    this.#context = context;
    this.id = id;
    this.#record = record;
    this.#lacksBindings = lacksBindings;
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
    const found = await this.#found();
    if (!this.#lacksBindings || this.removing !== undefined) return this.tellSlots(false, found);
    for (const slot of found) {
      const record = await loadSlotRecord(slotPaths(this.#context.layout, this.id, slot));
      // Nobody else is to get its ports meanwhile.
      this.#context.ports.claim(`${this.id}-${slot}`, record?.ports ?? {});
    }
  }

  async #found(): Promise<readonly number[]> {
    const names = await readdir(workloadDirectory(this.#context.layout, this.id));
    return names.filter((name) => /^\d{1,9}$/.test(name)).map(Number);
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
    await rm(secretsDirectory(layout, this.id), { recursive: true, force: true });
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
    const { layout } = this.#context;
    await mkdir(workloadDirectory(layout, this.id), { recursive: true, mode: 0o700 });
    if (record.removing === undefined) {
      // First, so that a record is never there without them, but after a reboot.
      await mkdir(secretsDirectory(layout, this.id), { recursive: true, mode: 0o700 });
      await replaceFileDurably(
        bindingsRecord(layout, this.id),
        `${JSON.stringify(record.workload.bindings)}\n`,
      );
    }
    const onDisk: WorkloadRecord = {
      ...record,
      workload: { ...record.workload, bindings: NO_BINDINGS },
      areBindingsApart: true,
    };
    await replaceFileDurably(workloadFile(layout, this.id), `${JSON.stringify(onDisk)}\n`);
    this.#record = record;
  }

  /**
   * Tells every slot what it is to run.
   * @param hasHeldLease whether the lease held when that was said
   * @param found slots that an earlier run has left
   */
  async tellSlots(hasHeldLease: boolean, found?: readonly number[]): Promise<void> {
    if (this.#lacksBindings && found === undefined) await this.#adoptLate();
    const wishes = new Map(this.removing === undefined ? this.#wishes() : []);
    const grace = this.removing?.graceSeconds;
    for (const number of new Set([...this.#slots.keys(), ...(found ?? []), ...wishes.keys()])) {
      const wish = wishes.get(number);
      const slot = this.#slots.get(number);
      if (slot !== undefined && !slot.isGone) slot.want(wish, hasHeldLease, grace);
      else if (wish !== undefined || found?.includes(number) === true) {
        await this.#open(
          number,
          wish,
          { how: found === undefined ? 'applied' : 'found', hasHeldLease },
          grace,
        );
      }
    }
  }

  /** What could not be adopted for lack of its bindings, now that they are known. */
  async #adoptLate(): Promise<void> {
    this.#lacksBindings = false;
    const wishes = new Map(this.removing === undefined ? this.#wishes() : []);
    for (const number of await this.#found())
      await this.#open(number, wishes.get(number), { how: 'found', hasHeldLease: false });
  }

  async #open(
    number: number,
    wish: SlotWish | undefined,
    origin: SlotOrigin,
    graceSeconds?: number,
  ): Promise<void> {
    const stop = this.#stopRule(graceSeconds);
    this.#slots.set(number, await Slot.open(this.#context, this.id, number, wish, stop, origin));
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
