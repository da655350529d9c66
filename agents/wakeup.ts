import type { Clock } from '../kernel/index.ts';

/** Lets a loop sleep until something happens, without missing what happens while it is busy. */
export interface Wakeup {
  wake(): void;
  /** Resolves at the next wake, at once where there was one since the last wait, or after that long, or when the signal is aborted. */
  wait(milliseconds: number, signal: AbortSignal): Promise<void>;
}

export function createWakeup(clock: Clock): Wakeup {
  let isPending = false;
  let sleeper: AbortController | undefined;
  return {
    wake() {
      isPending = true;
      sleeper?.abort();
    },
    async wait(milliseconds, signal) {
      if (!isPending) {
        sleeper = new AbortController();
        await clock.sleep(milliseconds, AbortSignal.any([sleeper.signal, signal]));
        sleeper = undefined;
      }
      isPending = false;
    },
  };
}
