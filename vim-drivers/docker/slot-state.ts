import { toTimestamp } from '../../kernel/index.ts';
import { instanceName, type WorkloadKey } from '../contract.ts';
import type { HealthTracker } from '../supervision/index.ts';
import type { ContainerView } from './container-view.ts';
import { hasStatus } from './engine-errors.ts';
import { INSTANCE_LABEL, workloadLabels } from './labels.ts';
import type { SlotContext, SlotWish } from './slot-context.ts';
import { noteFor, type SlotRecord } from './slot-record.ts';

/** What the steps of a slot work on: what is known of it, and the wish. */
export class SlotState {
  readonly context: SlotContext;
  readonly key: WorkloadKey;
  readonly slot: number;
  readonly name: string;
  record: SlotRecord;
  wish: SlotWish | undefined;
  /** Within another grace than the workload's. */
  graceSeconds: number | undefined;
  /** Networks that it belongs to. */
  readonly networks = new Set<string>();
  health: HealthTracker | undefined;
  /** The run whose end is not its fault: the engine was away. */
  excusedRun: string | undefined;
  /** Monotonic milliseconds before which it is not started again. */
  notBefore = 0;
  /** Since when (monotonic) changed bindings are in the file and the program cannot be told. */
  untoldSince: number | undefined;
  /** Bindings that are in the file, by hash; absent: those that the record names. */
  writtenBindings: string | undefined;
  /** Id of the container that was made to its end here, files and bindings included. */
  wholeId: string | undefined;
  /** What stands in the way, until it does not. */
  obstacle: string | undefined;
  #pausing = new AbortController();

  constructor(context: SlotContext, key: WorkloadKey, slot: number, record: SlotRecord) {
    this.context = context;
    this.key = key;
    this.slot = slot;
    this.name = instanceName(key, slot);
    this.record = record;
  }

  /** The container, as of the latest look. */
  get view(): ContainerView | undefined {
    return this.context.containers.of(this.name)[0];
  }

  /** Changes what is known, on the engine first where the container does not tell it. A key with the value `undefined` is taken away. */
  async update(changes: { readonly [K in keyof SlotRecord]?: SlotRecord[K] | undefined }): Promise<void> {
    const entries = Object.entries({ ...this.record, ...changes }).filter(([, value]) => value !== undefined);
    const next = Object.fromEntries(entries) as unknown as SlotRecord;
    const isNewState = next.state !== this.record.state && changes.since === undefined;
    const record = isNewState ? { ...next, since: toTimestamp(this.context.clock.now()) } : next;
    const isSame = JSON.stringify(record) === JSON.stringify(this.record);
    if (isSame && this.obstacle === undefined) return;
    const { view } = this;
    const isOfView = view?.mark.epoch === record.epoch && view.mark.specHash === record.specHash;
    if (!isSame && isOfView && record.state !== 'STOPPING') await this.#note(noteFor(record, view));
    this.record = record;
    this.obstacle = undefined;
    this.context.changed();
  }

  async forgetNote(): Promise<void> {
    await this.#note(undefined);
  }

  async #note(text: string | undefined): Promise<void> {
    const { notes, scope } = this.context;
    const labels = { ...workloadLabels(scope, this.key, 'note'), [INSTANCE_LABEL]: this.name };
    await notes.write(this.name, text, labels);
  }

  /** Says why it does not get on. */
  tell(obstacle: string): void {
    if (this.obstacle === obstacle) return;
    this.obstacle = obstacle;
    this.context.changed();
  }

  /** Asks the engine to do something with the container, and looks at it afterwards, whether or not it was done. */
  async act(
    view: ContainerView,
    action: string,
    request: {
      readonly query?: Readonly<Record<string, unknown>>;
      readonly body?: unknown;
      readonly timeoutSeconds?: number;
      readonly weight?: 'heavy' | 'waiting';
    } = {},
  ): Promise<ContainerView | undefined> {
    const { engine, containers } = this.context;
    try {
      await engine.request({
        method: action === 'remove' ? 'DELETE' : 'POST',
        path: action === 'remove' ? `/containers/${view.id}` : `/containers/${view.id}/${action}`,
        what: `${action} the container ${this.name}`,
        timeoutSeconds: 120,
        weight: 'heavy',
        ...request,
      });
    } catch (error) {
      const isGone = hasStatus(error, 404) && action !== 'start' && action !== 'restart';
      if (!isGone) {
        await containers.look(view.id).catch(() => undefined);
        throw error;
      }
    }
    return containers.look(view.id);
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
}
