import { IotmanoError, messageOf, toTimestamp } from '../../kernel/index.ts';
import { workloadId, type ObservedInstance, type WorkloadKey } from '../contract.ts';
import { isUp, type ContainerView } from './container-view.ts';
import { endContainers, removeContainer } from './end-container.ts';
import { forgetSlot, renewSlot } from './end-slot.ts';
import { observeSlot } from './observe-slot.ts';
import { settle } from './settle-container.ts';
import type { SlotContext, SlotWish } from './slot-context.ts';
import { newSlotRecord, restoreRecord } from './slot-record.ts';
import { SlotState } from './slot-state.ts';
import { makeContainer, startContainer } from './start-container.ts';
import { LONG_PAUSE_MILLISECONDS, tend } from './tend-container.ts';

/** An engine that waits long before it starts a program again is not waited for longer than this, nor longer than the policy says. */
const ENGINE_PATIENCE_MILLISECONDS = 1500;

/**
 * One slot of a workload: brings its container to what is wished, whatever it finds, and holds it there. Every step looks at the world anew and does
 * one thing; a step that fails is tried again later. The same steps follow a start of the driver, a crash, and a change of the wish.
 */
export class Slot {
  readonly #state: SlotState;
  #isClosed = false;
  #isGone = false;
  #failures = 0;
  #loop: Promise<void> = Promise.resolve();
  /** Those who wait for the end of a step, with what it failed for. */
  readonly #listeners = new Set<(failure: IotmanoError | undefined) => void>();

  private constructor(state: SlotState) {
    this.#state = state;
  }

  /** Opens a slot with nothing in it yet. */
  static open(context: SlotContext, key: WorkloadKey, slot: number, wish: SlotWish): Slot {
    const record = newSlotRecord(wish.epoch, wish.specHash, toTimestamp(context.clock.now()));
    const opened = new Slot(new SlotState(context, key, slot, record));
    opened.#state.wish = wish;
    opened.#loop = opened.#drive();
    return opened;
  }

  /** Opens the slot of a container that an earlier driver has made. */
  static adopt(context: SlotContext, view: ContainerView): Slot {
    const { key, slot, epoch, specHash, plan, ports, network } = view.mark;
    const state = new SlotState(context, key, slot, newSlotRecord(epoch, specHash, view.createdAt, ports));
    state.record = restoreRecord(view, context.notes.read(state.name));
    state.wish = { id: workloadId(key), key, epoch, specHash, plan };
    state.networks.add(network);
    context.networks.adopt(network, state.name);
    context.ports.claim(state.name, ports);
    context.neighbours.add(state.name, network);
    const opened = new Slot(state);
    opened.#loop = opened.#drive();
    return opened;
  }

  /** Nothing of it is left, and nothing is wished. */
  get isGone(): boolean {
    return this.#isGone;
  }

  get name(): string {
    return this.#state.name;
  }

  get number(): number {
    return this.#state.slot;
  }

  get view(): ContainerView | undefined {
    return this.#state.view;
  }

  /** Says what to run; nothing: stop and forget, within another grace than the workload's where one is given. */
  want(wish: SlotWish | undefined, graceSeconds?: number): void {
    this.#state.wish = wish;
    this.#state.graceSeconds = graceSeconds;
    this.#failures = 0;
    this.#state.wake();
  }

  wake(): void {
    this.#state.wake();
  }

  /** The engine went away: what runs now may end with it, and that is not the program's fault. */
  engineLost(): void {
    const { view, record } = this.#state;
    if (view !== undefined && isUp(view) && !record.isSettled) this.#state.excusedRun = record.startedAt;
  }

  /** The engine is back, and was looked at: what has run on all the while ends by itself from here on. */
  engineBack(): void {
    const { view, excusedRun } = this.#state;
    if (view !== undefined && isUp(view) && view.startedAt === excusedRun) this.#state.excusedRun = undefined;
    this.#failures = 0;
    this.#state.wake();
  }

  observe(): ObservedInstance {
    return observeSlot(this.#state);
  }

  /**
   * Fulfilled when the engine has a container for the slot, or something outside, such as a port that is taken, has to give way first.
   * @throws what the first attempt failed for; the slot goes on trying
   */
  async taken(): Promise<void> {
    if (this.#state.view !== undefined) return;
    const failure = await this.#nextStep();
    const isObstacle = failure?.context['isObstacle'] === true;
    if (this.#state.view === undefined && failure !== undefined && !isObstacle) throw failure;
  }

  /** Fulfilled when nothing is left of it. @throws what a step towards that failed for; the slot goes on trying */
  async gone(): Promise<void> {
    while (!this.#isGone) {
      const failure = await this.#nextStep();
      if (failure !== undefined) throw failure;
      if (this.#isClosed && !this.#isGone)
        throw new IotmanoError('unavailable', `the removal of ${this.name} was cut short; remove it again`);
    }
  }

  /** Ends the work on the slot. What runs there runs on. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#state.wake();
    await this.#loop;
  }

  #nextStep(): Promise<IotmanoError | undefined> {
    return new Promise((resolve) => {
      const listener = (failure: IotmanoError | undefined): void => {
        this.#listeners.delete(listener);
        resolve(failure);
      };
      if (this.#isClosed || this.#isGone) resolve(undefined);
      else this.#listeners.add(listener);
    });
  }

  async #drive(): Promise<void> {
    const state = this.#state;
    await Promise.resolve(); // whoever opened it says first what it is to be
    while (!this.#isClosed && !this.#isGone) {
      state.beginStep();
      try {
        await this.#step();
        this.#failures = 0;
        this.#tellListeners(undefined);
      } catch (error) {
        this.#failures += 1;
        this.#report(messageOf(error));
        this.#tellListeners(
          error instanceof IotmanoError ? error : new IotmanoError('internal', messageOf(error), {}, error),
        );
        if (!this.#isClosed) await state.pause(Math.min(5000, 125 * 2 ** Math.min(10, this.#failures)));
      }
    }
    this.#tellListeners(undefined);
  }

  /** Says it once: an engine may be away for hours, and there are many slots. */
  #report(fault: string): void {
    const { name, context, obstacle } = this.#state;
    if (obstacle !== fault) context.log.warn({ instance: name, err: fault }, 'a step of a slot failed');
    this.#state.tell(fault);
  }

  #tellListeners(failure: IotmanoError | undefined): void {
    for (const listener of this.#listeners) listener(failure);
  }

  async #step(): Promise<void> {
    const state = this.#state;
    const { wish, view, record } = state;
    if (wish === undefined) {
      this.#isGone = await forgetSlot(state);
      return state.context.changed();
    }
    const isOther = wish.epoch !== record.epoch || wish.specHash !== record.specHash;
    const isOtherContainer =
      view !== undefined && (view.mark.epoch !== wish.epoch || view.mark.specHash !== wish.specHash);
    if ((isOther || isOtherContainer) && wish.order !== undefined) return renewSlot(state, wish);
    if (view === undefined) return this.#make(wish);
    if (view.name !== state.name) await this.#rename(view);
    if (isUp(view)) return tend(state, view, wish);
    if (view.status === 'removing' || view.status === 'dead') return endContainers(state);
    if (view.status === 'restarting') return this.#hurry(view);
    if (!record.isSettled || (view.startedAt !== '' && view.startedAt !== record.startedAt))
      return this.#settle(view);
    if (record.state === 'COMPLETED' || record.state === 'FAILED') return this.#rest();
    const wait = state.notBefore - state.context.clock.monotonic();
    if (wait > 0) return state.pause(wait);
    if (view.startedAt === '' && view.id !== state.wholeId) return this.#makeAnew(wish, view);
    await startContainer(state, wish, view);
  }

  /** It never ran and was not finished here: whoever made it may have been ended before its files and bindings were in it. */
  async #makeAnew(wish: SlotWish, view: ContainerView): Promise<void> {
    const state = this.#state;
    if (wish.order !== undefined) return removeContainer(state, view);
    state.tell('its container may be unfinished; the next apply makes it anew');
    await state.pause(LONG_PAUSE_MILLISECONDS);
  }

  /** There is no container: it was not made yet, or somebody has removed it. */
  async #make(wish: SlotWish): Promise<void> {
    const state = this.#state;
    const { record } = state;
    if (wish.order === undefined) {
      // Nobody has said yet what it is to be, and what it was is gone: as if it had never been.
      state.wish = undefined;
      return;
    }
    if (record.state === 'COMPLETED' || record.state === 'FAILED') return this.#rest();
    if (record.startedAt !== '' && !record.isSettled)
      await state.update({ state: 'PENDING', isSettled: true, reason: 'its container was removed by hand' });
    await makeContainer(state, wish, wish.order);
  }

  /** Ended, or never to be started again. */
  async #rest(): Promise<void> {
    this.#tellListeners(undefined);
    return this.#state.pause(LONG_PAUSE_MILLISECONDS);
  }

  async #settle(view: ContainerView): Promise<void> {
    const state = this.#state;
    // A run that began and ended since the last look: what is counted belongs to it.
    if (view.startedAt !== state.record.startedAt) {
      const { startedAt, engineRestarts } = view;
      const isFirst = state.record.startedAt === '';
      const starts = isFirst ? engineRestarts : Math.max(1, engineRestarts - state.record.engineRestarts);
      await state.update({
        startedAt,
        engineRestarts,
        restarts: state.record.restarts + starts,
        isSettled: false,
        bindingsHash: state.record.bindingsHash || view.mark.bindingsHash,
      });
    }
    state.health = undefined;
    await settle(state, view);
  }

  /** The engine waits before it starts the program again; where that takes longer than the policy says, it is told not to. */
  async #hurry(view: ContainerView): Promise<void> {
    const state = this.#state;
    const { clock } = state.context;
    if (!state.record.isSettled || view.startedAt !== state.record.startedAt) {
      await this.#settle(view);
      if (state.record.state === 'FAILED') return;
      state.notBefore = Math.max(state.notBefore, clock.monotonic() + ENGINE_PATIENCE_MILLISECONDS);
    }
    const wait = state.notBefore - clock.monotonic();
    if (wait > 0) return state.pause(wait);
    const now = await state.context.containers.look(view.id);
    if (now?.status === 'restarting' && now.startedAt === view.startedAt)
      await state.act(now, 'restart', { query: { t: 0 } });
  }

  async #rename(view: ContainerView): Promise<void> {
    const state = this.#state;
    await state
      .act(view, 'rename', { query: { name: state.name } })
      .catch((error: unknown) =>
        state.context.log.warn(
          { instance: state.name, err: messageOf(error) },
          'a container has another name',
        ),
      );
  }
}
