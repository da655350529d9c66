import { isTransient, messageOf, toTimestamp, IotmanoError } from '../../kernel/index.ts';
import type { ObservedWorkload } from '../../vim-drivers/index.ts';
import type { UpgradeOrder } from '../mco-client/index.ts';
import type { StoredWanted } from '../orchestration/index.ts';
import { createWakeup, type Wakeup } from '../wakeup.ts';
import { beginTrial, confirmTrial, keptVersions } from './plan-version.ts';
import { prepareVersion } from './prepare-version.ts';
import type { OwnProgram } from './program.ts';
import { reserveRoom } from './reserve.ts';
import type { SelfUpgrade, SelfUpgradeOptions, UpgradeFacts } from './self-upgrade.ts';
import { removeOtherVersions } from './version-files.ts';
import { writePointer, type UpgradeOutcome, type VersionPointer } from './version-pointer.ts';
import { runningCopies, whatTrialWaitsFor } from './what-trial-waits-for.ts';

const LONGEST_PAUSE_MILLISECONDS = 60_000;
const IDLE_MILLISECONDS = 3_600_000;

type Options = SelfUpgradeOptions & { readonly program: OwnProgram };

/** The upgrade of a program that can be exchanged. */
export class ExchangeableVersion implements SelfUpgrade {
  readonly #options: Options;
  readonly #wakeup: Wakeup;
  #pointer: VersionPointer;
  #wanted: StoredWanted | undefined;
  #observed: readonly ObservedWorkload[] | undefined;
  #isHeard = false;
  /** Of the order that is being prepared. */
  #progress: UpgradeFacts['order'];
  #preparing: { readonly orderId: string; readonly abort: AbortController } | undefined;
  #waitsFor: string | undefined;

  constructor(options: Options, pointer: VersionPointer) {
    this.#options = options;
    this.#wakeup = createWakeup(options.clock);
    this.#pointer = pointer;
  }

  facts(): UpgradeFacts {
    const { program } = this.#options;
    const order = this.#trial() ?? this.#progress ?? this.#pointer.last;
    return {
      possible: true,
      digest: program.digest,
      ...(order === undefined ? {} : { order: { ...order } }),
    };
  }

  wanted(wanted: StoredWanted): void {
    this.#wanted = wanted;
    // What is no longer wanted is not prepared any further.
    if (this.#preparing?.orderId !== wanted.agentUpgrade?.orderId) this.#preparing?.abort.abort();
    this.#wakeup.wake();
  }

  observed(observed: readonly ObservedWorkload[]): void {
    this.#observed = observed;
    this.#wakeup.wake();
  }

  heard(): void {
    if (this.#isHeard) return;
    this.#isHeard = true;
    this.#wakeup.wake();
  }

  async run(signal: AbortSignal): Promise<void> {
    const { program, createBackoff, log } = this.#options;
    const backoff = createBackoff();
    while (!signal.aborted) {
      try {
        if (program.trialOf === undefined) await this.#follow(signal);
        else await this.#confirm(program.trialOf);
        backoff.succeeded();
        await this.#wakeup.wait(IDLE_MILLISECONDS, signal);
      } catch (error) {
        if (signal.aborted) return;
        log.warn(
          { reason: messageOf(error) },
          'the upgrade of this agent does not get on; it is tried again',
        );
        if (this.#progress !== undefined)
          this.#tell({ ...this.#progress, reason: messageOf(error).slice(0, 1000) });
        await backoff.wait(error, LONGEST_PAUSE_MILLISECONDS, signal);
      }
    }
  }

  /** Does what the order of now asks for, if that was not decided before. */
  async #follow(signal: AbortSignal): Promise<void> {
    const order = this.#wanted?.agentUpgrade;
    if (order === undefined || order.orderId === this.#pointer.last?.orderId) {
      if (this.#progress !== undefined) this.#tell(undefined);
      return;
    }
    const { program, dataDirectory, artifacts, clock } = this.#options;
    const { orderId, version } = order;
    if (order.artifact.digest === program.digest) return this.#decide({ ...order, state: 'CONFIRMED' });
    this.#tell({ orderId, version, state: 'PREPARING', at: toTimestamp(clock.now()) });
    const abort = new AbortController();
    this.#preparing = { orderId, abort };
    try {
      await prepareVersion(order, dataDirectory, artifacts, AbortSignal.any([signal, abort.signal]));
    } catch (error) {
      if (abort.signal.aborted) return this.#wakeup.wake();
      if (isTransient(error) || !(error instanceof IotmanoError)) throw error;
      return this.#decide({ ...order, state: 'REFUSED', reason: error.message });
    } finally {
      this.#preparing = undefined;
    }
    if (!signal.aborted && this.#wanted?.agentUpgrade?.orderId === orderId) await this.#begin(order);
  }

  async #begin({ orderId, version, artifact, confirmWithinSeconds }: UpgradeOrder): Promise<void> {
    const { dataDirectory, log, onSwitch } = this.#options;
    await reserveRoom(dataDirectory);
    const functions = runningCopies(this.#observed ?? []);
    const { digest } = artifact;
    await this.#save(
      beginTrial(this.#pointer, { orderId, version, digest, confirmWithinSeconds, functions }),
    );
    log.info({ orderId, version, functions: functions.length }, 'this agent gives way to another version');
    onSwitch();
  }

  async #confirm(orderId: string): Promise<void> {
    const { trial } = this.#pointer;
    const { program, clock, log, onSwitch, tellWaiting } = this.#options;
    if (trial?.orderId !== orderId || trial.digest !== program.digest) return;
    const waitsFor = whatTrialWaitsFor({
      isHeard: this.#isHeard,
      before: trial.functions,
      wanted: this.#wanted?.assignments.map(({ workload }) => workload),
      observed: this.#observed,
    });
    if (waitsFor !== undefined && waitsFor !== this.#waitsFor) tellWaiting(waitsFor);
    this.#waitsFor = waitsFor;
    if (waitsFor !== undefined) return;
    await this.#save(confirmTrial(this.#pointer, clock.now()));
    log.info({ orderId, version: trial.version }, 'this version is confirmed');
    onSwitch();
  }

  async #decide(outcome: Omit<UpgradeOutcome, 'at'>): Promise<void> {
    const { orderId, version, state, reason } = outcome;
    const { clock, dataDirectory, log } = this.#options;
    const at = toTimestamp(clock.now());
    const last = { orderId, version, state, ...(reason === undefined ? {} : { reason }), at };
    await this.#save({ ...this.#pointer, last });
    if (state === 'REFUSED') log.error({ orderId, version, reason }, 'the version is refused');
    this.#tell(undefined);
    await removeOtherVersions(dataDirectory, keptVersions(this.#pointer));
  }

  #trial(): UpgradeFacts['order'] {
    const { trial } = this.#pointer;
    if (this.#options.program.trialOf === undefined || trial?.startedAt === undefined) return undefined;
    const { orderId, version, startedAt } = trial;
    return { orderId, version, state: 'TRYING', at: startedAt };
  }

  async #save(pointer: VersionPointer): Promise<void> {
    await writePointer(this.#options.dataDirectory, pointer);
    this.#pointer = pointer;
  }

  #tell(progress: UpgradeFacts['order']): void {
    this.#progress = progress;
    this.#options.onNews();
  }
}
