import { IotmanoError, isTransient, messageOf } from '../../kernel/index.ts';

interface Failure {
  /** What was tried: another attempt at something else begins anew. */
  readonly signature: string;
  readonly problem: string;
  readonly times: number;
  /** Monotonic milliseconds; infinite when trying again is of no use. */
  readonly notBefore: number;
  readonly isStale: boolean;
}

/** Which workloads failed, why, and when each may be tried again. Only transient errors are tried again without anybody changing anything. */
export class RetryBook {
  readonly #failures = new Map<string, Failure>();
  readonly #minimumMilliseconds: number;
  readonly #maximumMilliseconds: number;

  constructor(minimumMilliseconds: number, maximumMilliseconds: number) {
    this.#minimumMilliseconds = minimumMilliseconds;
    this.#maximumMilliseconds = maximumMilliseconds;
  }

  failed(id: string, signature: string, error: unknown, now: number): void {
    const before = this.#failures.get(id);
    const times = before?.signature === signature ? before.times + 1 : 1;
    const delay = Math.min(
      this.#maximumMilliseconds,
      this.#minimumMilliseconds * 2 ** Math.min(20, times - 1),
    );
    this.#failures.set(id, {
      signature,
      problem: messageOf(error),
      times,
      notBefore: isTransient(error) ? now + delay : Number.POSITIVE_INFINITY,
      isStale: error instanceof IotmanoError && error.code === 'stale-lease',
    });
  }

  succeeded(id: string): void {
    this.#failures.delete(id);
  }

  /** A new command came: what only an old one stood against may be tried again, and what nobody wants any more is forgotten. */
  commanded(isKnown: (id: string) => boolean): void {
    for (const [id, failure] of this.#failures)
      if (failure.isStale || !isKnown(id)) this.#failures.delete(id);
  }

  mayTry(id: string, signature: string, now: number): boolean {
    const failure = this.#failures.get(id);
    return failure?.signature !== signature || failure.notBefore <= now;
  }

  problemOf(id: string): string | undefined {
    return this.#failures.get(id)?.problem;
  }

  /** Milliseconds until one that waits may be tried again; infinite when none waits. */
  nextTryIn(now: number): number {
    const waits = [...this.#failures.values()]
      .map(({ notBefore }) => notBefore - now)
      .filter((wait) => wait > 0);
    return Math.min(...waits, Number.POSITIVE_INFINITY);
  }
}
