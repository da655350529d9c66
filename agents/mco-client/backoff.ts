import { IotmanoError, type Clock } from '../../kernel/index.ts';

export interface Backoff {
  /** Waits longer after each failure in a row, at most `maxMilliseconds`, or as long as the server asked for. */
  wait(error: unknown, maxMilliseconds: number, signal?: AbortSignal): Promise<void>;
  succeeded(): void;
  readonly failures: number;
}

const FIRST_MILLISECONDS = 250;
const LONGEST_ASKED_SECONDS = 120;

/**
 * Exponential, each wait drawn from the upper half of its span, so that thousands of agents do not come back at the same instant.
 * @param random between 0 and 1
 */
export function createBackoff(clock: Clock, random: () => number): Backoff {
  let failures = 0;
  return {
    get failures() {
      return failures;
    },
    succeeded: () => {
      failures = 0;
    },
    wait: (error, maxMilliseconds, signal) => {
      failures += 1;
      const span = Math.min(maxMilliseconds, FIRST_MILLISECONDS * 2 ** Math.min(failures - 1, 20));
      const own = span * (0.5 + random() / 2);
      return clock.sleep(Math.max(own, askedMilliseconds(error)), signal);
    },
  };
}

function askedMilliseconds(error: unknown): number {
  const asked = error instanceof IotmanoError ? error.context['retryAfterSeconds'] : undefined;
  return typeof asked === 'number' ? Math.min(asked, LONGEST_ASKED_SECONDS) * 1000 : 0;
}
