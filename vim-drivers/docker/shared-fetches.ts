import { IotmanoError } from '../../kernel/index.ts';

/** Who waits for something that is fetched, and is told how far it is. */
export interface FetchWaiter {
  readonly report: (progress: string) => void;
  readonly signal: AbortSignal;
}

interface Fetch {
  readonly waiters: Set<FetchWaiter>;
  readonly ending: AbortController;
  last: string;
  done: Promise<void>;
}

/** One fetch for all who want the same thing; it ends when none of them waits any more. */
export class SharedFetches {
  readonly #underWay = new Map<string, Fetch>();

  /** @throws what the fetch failed for, or IotmanoError `unavailable` when this waiter has given up */
  async run(
    key: string,
    waiter: FetchWaiter,
    fetch: (report: (progress: string) => void, signal: AbortSignal) => Promise<void>,
  ): Promise<void> {
    const running = this.#underWay.get(key) ?? this.#begin(key, fetch);
    running.waiters.add(waiter);
    if (running.last !== '') waiter.report(running.last);
    const leave = (): void => {
      running.waiters.delete(waiter);
      if (running.waiters.size === 0) running.ending.abort();
    };
    waiter.signal.addEventListener('abort', leave, { once: true });
    if (waiter.signal.aborted) leave();
    try {
      await Promise.race([running.done, aborted(waiter.signal)]);
    } finally {
      waiter.signal.removeEventListener('abort', leave);
    }
    if (waiter.signal.aborted) throw new IotmanoError('unavailable', 'what was fetched is no longer wanted');
  }

  #begin(key: string, fetch: Parameters<SharedFetches['run']>[2]): Fetch {
    const begun: Fetch = {
      waiters: new Set(),
      ending: new AbortController(),
      last: '',
      done: Promise.resolve(),
    };
    const report = (progress: string): void => {
      begun.last = progress;
      for (const waiter of begun.waiters) waiter.report(progress);
    };
    begun.done = fetch(report, begun.ending.signal).finally(() => this.#underWay.delete(key));
    this.#underWay.set(key, begun);
    return begun;
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
