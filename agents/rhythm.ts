import type { Clock } from '../kernel/index.ts';

/**
 * When this host measures and sends, as its polls heed it. A poll that ends just before leaves its connection to what is sent, so that a
 * host at rest needs one connection, and not a second one for what comes in between.
 */
export interface PollRhythm {
  /** Milliseconds until a poll is to leave the connection; undefined where nothing will be measured. */
  untilDue(): number | undefined;
  /** Resolves when what is due has been sent, at once where nothing is; after so many milliseconds in any case. */
  afterDue(milliseconds: number, signal: AbortSignal): Promise<void>;
}

/** As who measures keeps it. */
export interface Rhythm extends PollRhythm {
  /** Nothing is measured for so long. */
  pauses(milliseconds: number): void;
  sent(): void;
}

/** So much earlier does a poll end: what it needs to come back, and some lateness of either side. */
const AHEAD_MILLISECONDS = 100;

export function createRhythm(clock: Clock): Rhythm {
  let dueAt: number | undefined;
  let isOwed = false;
  let sender: AbortController | undefined;
  const untilDue = (): number | undefined =>
    dueAt === undefined ? undefined : dueAt - AHEAD_MILLISECONDS - clock.monotonic();
  return {
    untilDue,
    afterDue: async (milliseconds, signal) => {
      isOwed ||= (untilDue() ?? 1) <= 0;
      if (!isOwed || signal.aborted) return;
      sender = new AbortController();
      await clock.sleep(milliseconds, AbortSignal.any([sender.signal, signal]));
      // What could not be sent in time is not waited for again.
      isOwed = false;
    },
    pauses: (milliseconds) => {
      dueAt = clock.monotonic() + milliseconds;
    },
    sent: () => {
      isOwed = false;
      sender?.abort();
    },
  };
}
