import { IotmanoError, messageOf, type Clock, type Logger } from '../../kernel/index.ts';
import type { Workload } from '../../vim-drivers/index.ts';
import type { HostIdentity } from '../identity/index.ts';
import type { Backoff, McoClient, Wanted } from '../mco-client/index.ts';
import type { PollRhythm } from '../rhythm.ts';
import type { AssignmentStore, StoredWanted } from './assignment-store.ts';
import { mergeWanted } from './merge-wanted.ts';

export interface WantedLoopOptions {
  readonly client: McoClient;
  readonly identity: HostIdentity;
  readonly store: AssignmentStore;
  readonly backoff: Backoff;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** On every return from an absence, before the wanted state is asked for: the host first says how things are. False: to be done again. */
  readonly onReturn: () => Promise<boolean>;
  /** Opens what is sealed in it. @throws IotmanoError `unavailable` where it cannot: nothing is taken over then */
  readonly open: (wanted: StoredWanted) => Promise<readonly Workload[]>;
  /** A wanted state is on disk and may be acted on. */
  readonly onAccepted: (wanted: StoredWanted, workloads: readonly Workload[]) => void;
  /** What stands of diagnostics, all of it, as it came: not kept, and of no weight for the rest. */
  readonly onDiagnostics: (requests: readonly unknown[]) => void;
  /** Changes are not enough to begin with: what is stored cannot be opened, or not all of it is sealed to the key of now. */
  readonly needsWhole: boolean;
  /** When others send over the connection of the poll; it ends before, and waits for them. */
  readonly rhythm: PollRhythm;
  /** The lease was renewed by what was sent at that instant of the monotonic clock. */
  readonly onRenewed: (sentAtMonotonic: number) => Promise<void>;
}

const DEFAULT_HEARTBEAT_SECONDS = 10;
/** For so long at most does a poll wait for what is due. */
const DUE_MILLISECONDS = 500;
/** What is due more often has a connection of its own. */
const LEAST_SHARE_OF_HEARTBEAT = 0.5;
/** Between two questions, should a server not wait as it was asked to. */
const LEAST_PACE_MILLISECONDS = 200;
const NOT_ENROLLED_PAUSE_MILLISECONDS = 30_000;

/** Keeps the lease and the wanted state of this host, for ever: one long poll after the other. */
export async function runWantedLoop(options: WantedLoopOptions): Promise<void> {
  const { backoff, clock, log, signal } = options;
  const poll = new WantedPoll(options);
  let isBack = true;
  let lastReason: string | undefined;
  while (!signal.aborted) {
    const startedAt = clock.monotonic();
    try {
      const isTold: boolean = !isBack || (await options.onReturn());
      const isToWait = poll.waitsForNews;
      if (isToWait && poll.isShortened) await options.rhythm.afterDue(DUE_MILLISECONDS, signal);
      const isNews = await poll.once();
      if (backoff.failures > 0) log.info('the orchestrator answers again');
      backoff.succeeded();
      lastReason = undefined;
      isBack = !isTold;
      const rest = LEAST_PACE_MILLISECONDS - (clock.monotonic() - startedAt);
      if (isToWait && !isNews && rest > 0) await clock.sleep(rest, signal);
    } catch (error) {
      if (signal.aborted) return;
      isBack = true;
      const reason = messageOf(error);
      if (reason !== lastReason)
        log.warn({ reason }, 'no wanted state from the orchestrator; functions run on');
      lastReason = reason;
      await backoff.wait(error, longestPause(error, poll.heartbeatSeconds), signal);
    }
  }
}

/** Back within a heartbeat, so that a lease does not lapse for our waiting; slow where only people can help. */
function longestPause(error: unknown, heartbeatSeconds: number): number {
  const isHopeless = error instanceof IotmanoError && error.context['mustEnrol'] === true;
  return isHopeless ? NOT_ENROLLED_PAUSE_MILLISECONDS : Math.max(1, Math.min(heartbeatSeconds, 15)) * 1000;
}

class WantedPoll {
  readonly #options: WantedLoopOptions;
  /** Undefined: the whole is asked for. */
  #since: number | undefined;
  /** The last answer brought something, after a wait that has aged the lease. */
  #hasNews = false;
  #isShortened = false;

  constructor(options: WantedLoopOptions) {
    this.#options = options;
    this.#since = options.needsWhole ? undefined : options.store.current?.revision;
  }

  get heartbeatSeconds(): number {
    return this.#options.store.current?.heartbeatIntervalSeconds ?? DEFAULT_HEARTBEAT_SECONDS;
  }

  /** The next question is to be answered only when there is something, or after a while. */
  get waitsForNews(): boolean {
    return !this.#hasNews || this.#deadMansSeconds().length === 0;
  }

  /** The last question was to be answered before something is due. */
  get isShortened(): boolean {
    return this.#isShortened;
  }

  /** One question and its answer. Whether something came. */
  async once(): Promise<boolean> {
    const { client, clock, signal, onRenewed, log } = this.#options;
    const sentAt = clock.monotonic();
    const longest = this.#longestSeconds();
    const due = this.#secondsUntilDue(longest);
    this.#isShortened = due !== undefined;
    try {
      const answer = await client.wanted({ since: this.#since, waitSeconds: due ?? longest, signal });
      const isTaken = answer.wanted === undefined || (await this.#take(answer.wanted, sentAt));
      if (isTaken && this.#since !== undefined && answer.revision !== undefined)
        this.#since = answer.revision;
      await onRenewed(sentAt);
      this.#hasNews = answer.wanted !== undefined && isTaken;
      return this.#hasNews;
    } catch (error) {
      if (!(error instanceof IotmanoError) || error.code !== 'gone') throw error;
      log.info({ since: this.#since }, 'the orchestrator no longer knows what changed: asking for the whole');
      this.#since = undefined;
      await onRenewed(sentAt);
      return true;
    }
  }

  /** Stores first, acts then. False: not taken over, and asked for again as a whole. */
  async #take(answer: Wanted, sentAt: number): Promise<boolean> {
    const { store, identity, log, onAccepted } = this.#options;
    const merged = mergeWanted(store.current, answer, identity.document.stateId);
    if (merged.type === 'refused') {
      this.#since = undefined;
      // No renewal either: a deposed leader must not keep alive here what the new one starts elsewhere.
      throw new IotmanoError(
        'stale-lease',
        `the wanted state at revision ${answer.revision} is refused: ${merged.reason}`,
      );
    }
    if (merged.type === 'ask-whole') {
      log.info({ reason: merged.reason, revision: answer.revision }, 'asking for the whole wanted state');
      this.#since = undefined;
      return false;
    }
    if (merged.refused.length > 0)
      log.warn({ refused: merged.refused }, 'assignments older than those here are refused');
    let workloads: readonly Workload[];
    try {
      workloads = await this.#open(merged.next);
      await store.save(merged.next);
    } catch (error) {
      // What cannot be opened, or a full disk, keeps us from what is new, but the orchestrator has answered: what runs may run on.
      await this.#options.onRenewed(sentAt);
      throw error;
    }
    if (identity.document.stateId !== answer.stateId) await identity.update({ stateId: answer.stateId });
    this.#since = answer.revision;
    onAccepted(merged.next, workloads);
    this.#options.onDiagnostics(answer.diagnosticRequests ?? []);
    return true;
  }

  async #open(wanted: StoredWanted): Promise<readonly Workload[]> {
    try {
      return await this.#options.open(wanted);
    } catch (error) {
      this.#since = undefined;
      throw error;
    }
  }

  /**
   * At most the heartbeat interval, and a quarter of the shortest dead-man's time, so that an answer lost is not yet a stop. Not at all after
   * news where there is such a time: what is started now must not be stopped in a moment because the answer that brought it had been asked
   * for long ago.
   */
  #longestSeconds(): number {
    if (!this.waitsForNews) return 0;
    return Math.min(this.heartbeatSeconds, ...this.#deadMansSeconds().map((seconds) => seconds / 4));
  }

  /** Undefined where nothing is due before the poll ends anyway, or too often to end polls for it. */
  #secondsUntilDue(longest: number): number | undefined {
    const due = (this.#options.rhythm.untilDue() ?? 0) / 1000;
    const isRare = due >= this.heartbeatSeconds * LEAST_SHARE_OF_HEARTBEAT;
    return isRare && due <= longest ? due : undefined;
  }

  #deadMansSeconds(): readonly number[] {
    return (this.#options.store.current?.assignments ?? []).flatMap(
      ({ workload }) => workload.spec.stopAfterSeconds ?? [],
    );
  }
}
