import { type ObservedWorkload, type Workload, type WorkloadId, type WorkloadKey } from '../contract.ts';
import type { ContainerView } from './container-view.ts';
import type { PresentImage } from './images.ts';
import { planOf } from './labels.ts';
import { networkName } from './names.ts';
import { Slot } from './slot.ts';
import type { SlotContext, SlotWish } from './slot-context.ts';

/** A workload on this engine: its slots, and what was wanted last. */
export class HostedWorkload {
  readonly id: WorkloadId;
  readonly key: WorkloadKey;
  readonly #context: SlotContext;
  readonly #slots = new Map<number, Slot>();
  #specHash: string;
  /** An apply has said what it is to be; until then it is what its containers are. */
  #isOrdered = false;

  constructor(context: SlotContext, id: WorkloadId, key: WorkloadKey, specHash: string) {
    this.#context = context;
    this.id = id;
    this.key = key;
    this.#specHash = specHash;
  }

  get slots(): readonly Slot[] {
    return [...this.#slots.values()].filter((slot) => !slot.isGone);
  }

  slot(number: number): Slot | undefined {
    const slot = this.#slots.get(number);
    return slot?.isGone === true ? undefined : slot;
  }

  /** Nothing is left of it, and nobody has said that it is to be here with no instance. */
  get isEmpty(): boolean {
    return this.slots.length === 0 && !this.#isOrdered;
  }

  /** Takes over what is wanted. Resolves when the engine has a container for each slot, or the first attempt at it has failed. */
  async take(workload: Workload, image: PresentImage): Promise<void> {
    const { key, spec, specHash, labels, bindings, instances } = workload;
    this.#specHash = specHash;
    this.#isOrdered = true;
    const network = networkName(this.#context.scope, key, labels);
    const order = { spec, labels, network, bindings, image };
    const plan = planOf(spec);
    const wishes = new Map(
      instances.map(({ slot, epoch }): [number, SlotWish] => [
        slot,
        { id: this.id, key, epoch, specHash, plan, order },
      ]),
    );
    for (const slot of this.slots) if (!wishes.has(slot.number)) slot.want(undefined);
    const taken = [...wishes].map(([number, wish]) => this.#want(number, wish).taken());
    const failed = (await Promise.allSettled(taken)).find(({ status }) => status === 'rejected');
    if (failed?.status === 'rejected') throw failed.reason;
  }

  /** Finds a slot again that an earlier driver has left, or another one has made. */
  adopt(view: ContainerView): void {
    if (this.slot(view.mark.slot) === undefined)
      this.#slots.set(view.mark.slot, Slot.adopt(this.#context, view));
  }

  /** Stops every instance and removes what belongs to it. @throws what it failed for; the slots go on trying */
  async remove(graceSeconds: number | undefined): Promise<void> {
    this.#isOrdered = false;
    for (const slot of this.slots) slot.want(undefined, graceSeconds);
    await Promise.all(this.slots.map((slot) => slot.gone()));
  }

  observe(): ObservedWorkload {
    const instances = this.slots.map((slot) => slot.observe()).toSorted((a, b) => a.slot - b.slot);
    return { key: this.key, specHash: this.#specHash, instances };
  }

  async close(): Promise<void> {
    await Promise.all([...this.#slots.values()].map((slot) => slot.close()));
  }

  #want(number: number, wish: SlotWish): Slot {
    const known = this.slot(number);
    if (known !== undefined) {
      known.want(wish);
      return known;
    }
    const opened = Slot.open(this.#context, this.key, number, wish);
    this.#slots.set(number, opened);
    return opened;
  }
}
