import { toTimestamp } from '../../kernel/index.ts';
import type { WorkloadId } from '../contract.ts';
import type { HealthTracker } from '../supervision/index.ts';
import { slotPaths, type SlotPaths } from './layout.ts';
import { endRun, killLeftovers, type Belongings } from './leftovers.ts';
import { instanceMark } from './prepare-instance.ts';
import type { Run } from './run-record.ts';
import type { SlotContext, SlotWish } from './slot-context.ts';
import { saveSlotRecord, type SlotRecord } from './slot-record.ts';

export interface StopRule {
  readonly signal: NodeJS.Signals;
  readonly graceSeconds: number;
}

/** Stop of what nobody can say any more how to stop. */
const DEFAULT_STOP: StopRule = { signal: 'SIGTERM', graceSeconds: 10 };

/** What the steps of a slot work on: its record on disk, the run that was found, and the wish. */
export class SlotState {
  readonly context: SlotContext;
  readonly id: WorkloadId;
  readonly paths: SlotPaths;
  readonly mark: string;
  record: SlotRecord;
  wish: SlotWish | undefined;
  stop: StopRule = DEFAULT_STOP;
  run: Run | undefined;
  health: HealthTracker | undefined;
  /** The orchestrator was heard since the driver was opened. */
  isLeaderHeard = false;
  /** It was applied when the lease held and, after a reboot, the orchestrator had been heard: it may start. */
  isReleased = false;
  /** Hash of the bindings that are in the file, told or not; absent: not looked yet. */
  writtenBindings: string | undefined;
  /** Since when (monotonic) they are in the file and the program cannot be told, for it would not survive that. */
  untoldSince: number | undefined;
  /** What keeps it from writing its record, until it can. */
  obstacle: string | undefined;
  #pausing = new AbortController();

  constructor(context: SlotContext, id: WorkloadId, record: SlotRecord) {
    this.context = context;
    this.id = id;
    this.record = record;
    this.paths = slotPaths(context.layout, id, record.slot);
    this.mark = instanceMark(context.layout, id, record.slot);
  }

  /** Id of the VNFC instance; also the name of its cgroup and the owner of its ports. */
  get name(): string {
    return `${this.id}-${this.record.slot}`;
  }

  get belongings(): Belongings {
    return { mark: this.mark, cgroup: this.name, ...(this.run === undefined ? {} : { run: this.run }) };
  }

  /** Changes the record, on disk first. A key with the value `undefined` is taken away. */
  async update(changes: { readonly [K in keyof SlotRecord]?: SlotRecord[K] | undefined }): Promise<void> {
    const entries = Object.entries({ ...this.record, ...changes }).filter(([, value]) => value !== undefined);
    const next = Object.fromEntries(entries) as unknown as SlotRecord;
    const isNewState = next.state !== this.record.state;
    const record = isNewState ? { ...next, since: toTimestamp(this.context.clock.now()) } : next;
    const isSame = JSON.stringify(record) === JSON.stringify(this.record);
    if (isSame && this.obstacle === undefined) return;
    if (!isSame) await saveSlotRecord(this.paths, record);
    this.record = record;
    this.obstacle = undefined;
    this.context.changed();
  }

  /** Says why it does not get on where that cannot be written down, as on a full disk. */
  tell(obstacle: string): void {
    if (this.obstacle === obstacle) return;
    this.obstacle = obstacle;
    this.context.changed();
  }

  /** From here on `wake` ends the next pause, also one that has not begun. */
  beginStep(): void {
    this.#pausing = new AbortController();
  }

  get interrupted(): AbortSignal {
    return this.#pausing.signal;
  }

  pause(milliseconds: number): Promise<void> {
    return this.context.clock.sleep(milliseconds, this.#pausing.signal);
  }

  wake(): void {
    this.#pausing.abort();
  }

  /** Stops the run, if there is one, and whatever else is left of the slot. */
  async endEverything(): Promise<void> {
    const { cgroups, scanner, clock } = this.context;
    const { run } = this;
    if (run !== undefined) await endRun({ ...this.belongings, run }, this.stop, cgroups, scanner, clock);
    else await killLeftovers(this.belongings, cgroups, scanner, clock);
    this.run = undefined;
    this.health = undefined;
    this.untoldSince = undefined;
  }
}
