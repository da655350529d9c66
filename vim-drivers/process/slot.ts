import { mkdir, rm } from 'node:fs/promises';
import { messageOf, toTimestamp } from '../../kernel/index.ts';
import type { ObservedInstance, WorkloadId } from '../contract.ts';
import { slotPaths } from './layout.ts';
import type { Run } from './run-record.ts';
import { findRun, settle } from './settle-instance.ts';
import type { SlotContext, SlotWish } from './slot-context.ts';
import { loadSlotRecord, newSlotRecord, renewSlotRecord, type SlotRecord } from './slot-record.ts';
import { SlotState, type StopRule } from './slot-state.ts';
import type { PreparedInstance } from './prepare-instance.ts';
import {
  describeSlot,
  isLeaseOver,
  LONG_PAUSE_MILLISECONDS,
  release,
  startWhenDue,
} from './start-instance.ts';
import { isRunning } from './system.ts';
import { tend } from './tend-instance.ts';

/** How a slot comes to be opened: an earlier run has left it, or an apply names it. */
export interface SlotOrigin {
  readonly how: 'applied' | 'found';
  /** Whether the lease held when the apply came. */
  readonly hasHeldLease: boolean;
}

/**
 * One slot of a workload: brings what runs there to what is wished, whatever it finds, and holds it there. Every step looks at the world anew
 * and does one thing; a step that fails is tried again later. The same steps follow a start of the driver, a crash, and a change of the wish.
 */
export class Slot {
  readonly #state: SlotState;
  #isClosed = false;
  #isGone = false;
  #failures = 0;
  #loop: Promise<void> = Promise.resolve();

  private constructor(state: SlotState) {
    this.#state = state;
  }

  /** Opens the slot, with what an earlier run of the driver knew of it, and begins to work on it. */
  static async open(
    context: SlotContext,
    id: WorkloadId,
    number: number,
    wish: SlotWish | undefined,
    stop: StopRule,
    origin: SlotOrigin,
  ): Promise<Slot> {
    const paths = slotPaths(context.layout, id, number);
    await mkdir(paths.directory, { recursive: true, mode: 0o700 });
    const stored = await loadSlotRecord(paths);
    const since = toTimestamp(context.clock.now());
    const record = stored ?? firstRecord(number, wish, since, origin.how);
    const slot = new Slot(new SlotState(context, id, record));
    context.ports.claim(slot.#state.name, record.ports);
    slot.#state.stop = stop;
    slot.#state.wish = wish;
    if (origin.how === 'applied' && wish !== undefined) release(slot.#state, wish, origin.hasHeldLease);
    await findRun(slot.#state); // so that the first list is right
    slot.#loop = slot.#drive();
    return slot;
  }

  /** Nothing of it is left, and nothing is wished. */
  get isGone(): boolean {
    return this.#isGone;
  }

  /** What runs there now, for measurements. */
  get run(): Run | undefined {
    const { run } = this.#state;
    return run !== undefined && isRunning(run.program) ? run : undefined;
  }

  /** How what runs there was started, for something beside it; nothing while nothing runs. */
  async describe(): Promise<(PreparedInstance & { readonly spec: SlotWish['spec'] }) | undefined> {
    const { wish } = this.#state;
    if (this.run === undefined || wish === undefined) return undefined;
    return { ...(await describeSlot(this.#state, wish)), spec: wish.spec };
  }

  /** Name of its cgroup, and id of the VNFC instance. */
  get name(): string {
    return this.#state.name;
  }

  /**
   * Says what to run; nothing: stop and forget, within another grace than the workload's where one is given.
   * @param hasHeldLease whether the lease held when that was said
   */
  want(wish: SlotWish | undefined, hasHeldLease: boolean, graceSeconds?: number): void {
    const state = this.#state;
    if (wish !== undefined) state.stop = wish.spec.stop;
    if (graceSeconds !== undefined) state.stop = { ...state.stop, graceSeconds };
    state.wish = wish;
    if (wish !== undefined) release(state, wish, hasHeldLease);
    state.wake();
  }

  /** The lease is about to be renewed: notes whether it had lapsed, for then only what is wanted still may start. */
  beforeRenewal(): void {
    const { wish } = this.#state;
    this.#state.isLeaderHeard = true;
    if (wish !== undefined && isLeaseOver(this.#state.context, wish)) this.#state.isReleased = false;
  }

  /** A look from outside whether what runs is still there, and may be. */
  check(): void {
    const { run, wish } = this.#state;
    if (run === undefined) return;
    if (!isRunning(run.program) || (wish !== undefined && isLeaseOver(this.#state.context, wish)))
      this.#state.wake();
  }

  observe(): ObservedInstance {
    const { record, obstacle } = this.#state;
    const { slot, epoch, since, restarts, exitCode, ports } = record;
    const pid = this.run?.program.pid;
    // Between its end and the step that takes note of it, it must not look as if it ran.
    const hasJustEnded = pid === undefined && (record.state === 'RUNNING' || record.state === 'UNHEALTHY');
    const { state, reason = obstacle } = hasJustEnded
      ? ({ state: 'PENDING', reason: obstacle ?? 'it has just ended' } as const)
      : record;
    return {
      slot,
      epoch,
      state,
      since,
      restarts: Math.max(0, restarts - 1),
      ports,
      ...(reason === undefined ? {} : { reason }),
      ...(exitCode === undefined ? {} : { exitCode }),
      ...(pid === undefined ? {} : { pid }),
    };
  }

  /** Ends the work on the slot. What runs there runs on. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#state.wake();
    await this.#loop;
  }

  /** Fulfilled when nothing is wished any more and nothing is left, or when it is closed. */
  async finished(): Promise<void> {
    await this.#loop;
  }

  async #drive(): Promise<void> {
    const state = this.#state;
    while (!this.#isClosed && !this.#isGone) {
      state.beginStep();
      try {
        await this.#step();
        this.#failures = 0;
      } catch (error) {
        this.#failures += 1;
        state.context.log.warn({ instance: state.name, err: error }, 'a step of a slot failed');
        await state.update({ reason: messageOf(error) }).catch(() => state.tell(messageOf(error)));
        if (!this.#isClosed) await state.pause(Math.min(5000, 125 * 2 ** Math.min(10, this.#failures)));
      }
    }
  }

  async #step(): Promise<void> {
    const state = this.#state;
    const { wish, record } = state;
    const run = await findRun(state);
    if (this.#isClosed) return;
    if (wish === undefined) return this.#forget();
    const isOther = wish.epoch !== record.epoch || wish.specHash !== record.specHash;
    if (isOther) return this.#renew(wish);
    if (run !== undefined) return tend(state, run, wish);
    if (!record.isSettled) return settle(state, wish);
    if (record.state === 'COMPLETED' || record.state === 'FAILED')
      return state.pause(LONG_PAUSE_MILLISECONDS);
    return startWhenDue(state, wish);
  }

  /** Makes room for a copy of another epoch or spec. */
  async #renew(wish: SlotWish): Promise<void> {
    const state = this.#state;
    if (state.run !== undefined) await state.update({ state: 'STOPPING' });
    await rm(state.paths.attemptFile, { force: true });
    await state.endEverything();
    await rm(state.paths.ephemeralVolumes, { recursive: true, force: true });
    const since = toTimestamp(state.context.clock.now());
    await mkdir(state.paths.directory, { recursive: true, mode: 0o700 });
    const renewed = renewSlotRecord(state.record, wish.epoch, wish.specHash, since);
    await state.update({ reason: undefined, exitCode: undefined, bindingsHash: undefined, ...renewed });
  }

  /** Stops what runs and removes what is left of the slot. */
  async #forget(): Promise<void> {
    const state = this.#state;
    const { context, paths } = state;
    if (state.run !== undefined) await state.update({ state: 'STOPPING', reason: undefined });
    await rm(paths.attemptFile, { force: true });
    await state.endEverything();
    if (state.wish !== undefined) return; // wished for again meanwhile
    await context.cgroups.remove(state.name);
    context.ports.release(state.name);
    await rm(paths.bindingsFile, { force: true });
    await rm(paths.directory, { recursive: true, force: true });
    this.#isGone = state.wish === undefined;
    if (!this.#isGone) state.record = newSlotRecord(state.record.slot, -1, '', state.record.since);
    context.changed();
  }
}

/**
 * The record of a slot that has none. Found without one, it may have lost it with the power: then nobody knows of the reboot, and what must not start
 * cold waits as after any other.
 */
function firstRecord(
  number: number,
  wish: SlotWish | undefined,
  since: string,
  origin: 'applied' | 'found',
): SlotRecord {
  const record = newSlotRecord(number, wish?.epoch ?? 0, wish?.specHash ?? '', since);
  if (origin === 'applied' || wish === undefined || wish.spec.coldBoot) return record;
  return { ...record, awaitsLeader: true, reason: 'waiting until the orchestrator is heard' };
}
