import type { Clock } from '../../../kernel/index.ts';

export interface ServiceTerms {
  /** Each request takes at least so long and holds one place meanwhile; 0: as long as it takes. */
  readonly serviceMilliseconds: number;
  /** Requests that are worked on at once; 0: any number. */
  readonly concurrency: number;
  /** A request that waited so long for a place is handed back. */
  readonly queueMilliseconds: number;
}

interface Waiting {
  readonly go: (isServed: boolean) => void;
}

/**
 * The places at which requests are worked on: how many there are, and the least time that one takes, may be declared, so that a
 * machine of few cores carries the load of many. Without a limit each request gets a place at once. First come, first served; what
 * waited too long, or waits when the desk closes, is handed back at once, untouched, so that another instance can do it.
 */
export class ServiceDesk {
  readonly #terms: () => ServiceTerms;
  readonly #clock: Clock;
  readonly #waiting = new Set<Waiting>([]);
  #busy = 0;
  #isClosed = false;

  constructor(terms: () => ServiceTerms, clock: Clock) {
    this.#terms = terms;
    this.#clock = clock;
  }

  /** Requests at a place or waiting for one. */
  get underWay(): number {
    return this.#busy + this.#waiting.size;
  }

  /** Works on one request when there is a place. @returns undefined when it was handed back instead */
  async serve<Result>(work: () => Promise<Result>): Promise<Result | undefined> {
    const { serviceMilliseconds } = this.#terms();
    if (!(await this.#place())) return undefined;
    try {
      const [result] = await Promise.all([
        work(),
        serviceMilliseconds > 0 ? this.#clock.sleep(serviceMilliseconds) : undefined,
      ]);
      return result;
    } finally {
      this.#busy -= 1;
      this.#next();
    }
  }

  /** Hands back what waits, and each request that comes later and finds no place. */
  close(): void {
    this.#isClosed = true;
    for (const waiting of this.#waiting) waiting.go(false);
    this.#waiting.clear();
  }

  /** The terms have changed: there may be more places now. */
  refresh(): void {
    this.#next();
  }

  #hasPlace(): boolean {
    const { concurrency } = this.#terms();
    return concurrency === 0 || this.#busy < concurrency;
  }

  async #place(): Promise<boolean> {
    if (this.#waiting.size === 0 && this.#hasPlace()) {
      this.#busy += 1;
      return true;
    }
    if (this.#isClosed) return false;
    const patience = new AbortController();
    return new Promise((resolve) => {
      const waiting: Waiting = {
        go: (isServed) => {
          this.#waiting.delete(waiting);
          patience.abort();
          resolve(isServed);
        },
      };
      this.#waiting.add(waiting);
      const { queueMilliseconds } = this.#terms();
      void this.#clock.sleep(queueMilliseconds, patience.signal).then(() => {
        if (this.#waiting.has(waiting)) waiting.go(false);
      });
    });
  }

  #next(): void {
    for (const waiting of this.#waiting) {
      if (!this.#hasPlace()) return;
      this.#busy += 1;
      waiting.go(true);
    }
  }
}
