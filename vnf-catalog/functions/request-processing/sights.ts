import type { LookReply } from '../../shared/index.ts';

export type Sight = Extract<LookReply, { found: true }>;

/**
 * The last looks at containers, so that creating many contentInstances asks the storage once per each. A remembered look
 * may be out of date without harm: every commit names the revisions that it was decided on, and is refused when one of them
 * has changed. Only what exists is remembered.
 */
export class Sights {
  readonly #byAddress = new Map<string, Sight>([]);
  readonly #capacity: number;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get(to: string): Sight | undefined {
    return this.#byAddress.get(to);
  }

  keep(to: string, sight: Sight): void {
    this.#byAddress.delete(to);
    this.#byAddress.set(to, sight);
    if (this.#byAddress.size <= this.#capacity) return;
    const [oldest] = this.#byAddress.keys();
    if (oldest !== undefined) this.#byAddress.delete(oldest);
  }

  forget(to: string): void {
    this.#byAddress.delete(to);
  }
}
