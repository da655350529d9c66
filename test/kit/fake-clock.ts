import type { Clock } from '../../kernel/index.ts';

/** A clock that stands still until told: `advance` moves it and runs the timers that fall due, in order. */
export interface FakeClock extends Clock {
  advance(milliseconds: number): Promise<void>;
}

export function createFakeClock(startEpochMilliseconds = Date.UTC(2030, 0, 1)): FakeClock {
  let elapsed = 0;
  let timers: { due: number; fire: () => void }[] = [];
  return {
    now: () => startEpochMilliseconds + elapsed,
    monotonic: () => elapsed,
    sleep: (milliseconds, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted) {
          resolve();
          return;
        }
        const timer = { due: elapsed + Math.max(0, milliseconds), fire: resolve };
        timers.push(timer);
        signal?.addEventListener('abort', () => {
          timers = timers.filter((other) => other !== timer);
          resolve();
        });
      }),
    async advance(milliseconds) {
      const end = elapsed + milliseconds;
      for (;;) {
        await settle();
        const next = timers.filter((timer) => timer.due <= end).toSorted((a, b) => a.due - b.due)[0];
        if (next === undefined) break;
        timers = timers.filter((timer) => timer !== next);
        elapsed = Math.max(elapsed, next.due);
        next.fire();
      }
      elapsed = end;
      await settle();
    },
  };
}

/** Lets every promise that can settle do so. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise<void>((resolve) => setImmediate(resolve));
}
